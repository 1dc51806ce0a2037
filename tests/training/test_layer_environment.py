"""A task as a layer sees it: the same decisions as the collector's."""

import numpy as np
import pytest
import tensorflow as tf
from tf_agents.environments import utils
from tf_agents.trajectories import time_step as ts

from latent_hrl import config
from latent_hrl import latent_actions
from latent_hrl import rewards
from latent_hrl.agents import affine_policy
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks
from latent_hrl.layers import load
from latent_hrl.training import collector as collector_lib
from latent_hrl.training import layer_environment

# The compiled policy is in the tests of layers.
pytestmark = pytest.mark.usefixtures('quick_training')

BASE = config.PROJECT_ROOT / 'testdata' / 'multi_goal_base'
EVERYTHING = np.arange(2)


@pytest.fixture(name='base', scope='module')
def _base():
  return load.load_layer(BASE)


def _env(lower=None, interval=1, gamma=1.0, seed=0, **options):
  task = tasks.make_task('latent_hrl/MultiGoal-v0', options=options)
  env = layer_reward.LayerReward(task, rewards.bind(rewards.task_reward))
  bound = latent_actions.LATENT_BOUND  # As `policies.bounded`.
  return layer_environment.LayerEnvironment(
    env if lower is None else latent_actions.LatentActionWrapper(env, lower, bound),
    EVERYTHING,
    ts.time_step_spec(tf.TensorSpec([2], tf.float32)),
    affine_policy.bounded(tf.TensorSpec([2], tf.float32, 'latent')),
    seed,
    interval=interval,
    gamma=gamma,
  )


def test_it_is_an_environment_of_tf_agents():
  utils.validate_py_environment(_env(), episodes=2)


@pytest.mark.parametrize('interval', [1, 4])
def test_decisions_are_those_of_the_collector(base, interval):
  env = _env(base, interval, gamma=0.9)
  below = base.policy()
  task = tasks.make_task('latent_hrl/MultiGoal-v0')
  output = np.float32([[0.7, -1.2]])
  collector = collector_lib.Collector(
    layer_reward.LayerReward(task, rewards.bind(rewards.task_reward)),
    lambda observation, latent, step: (output, below(observation, output, step)[1]),
    EVERYTHING,
    EVERYTHING,
    hold_latent_steps=1,
    seed=0,
    noise_seed=0,
    interval=interval,
    gamma=0.9,
  )

  time_step = env.reset()
  count = 0
  for expected in collector.collect(40):
    np.testing.assert_array_equal(time_step.observation, expected.observation)
    time_step = env.step(output[0])
    count += 1
    assert time_step.reward == pytest.approx(expected.reward, rel=1e-6)
    assert time_step.discount == pytest.approx(expected.discount)
    np.testing.assert_array_equal(time_step.observation, expected.next_observation)
    assert time_step.is_last() == expected.episode_ends
    if time_step.is_last():
      break
  assert count * interval >= env.env_steps > (count - 1) * interval


@pytest.mark.parametrize('on_a_layer', [False, True])
def test_what_is_outside_the_box_acts_as_its_edge(base, on_a_layer):
  env, other = (_env(base if on_a_layer else None) for _ in range(2))
  edge = env.action_spec().maximum * np.float32([1, -1])
  env.reset(), other.reset()

  inside, outside = env.step(edge), other.step(3 * edge)

  assert inside.reward == outside.reward
  np.testing.assert_array_equal(inside.observation, outside.observation)


# A time limit is no end of the task and bootstraps; reaching a goal is and does not.
@pytest.mark.parametrize(
  ('goal_radius', 'length', 'discount'), [(0.01, 50, 1.0), (99.0, 1, 0.0)]
)
def test_the_last_step_bootstraps_only_at_a_time_limit(goal_radius, length, discount):
  env = _env(goal_radius=goal_radius)
  env.reset()

  steps = [env.step(np.zeros(2, np.float32)) for _ in range(length)]

  assert [step.is_last() for step in steps] == [False] * (length - 1) + [True]
  assert steps[-1].discount == discount
  [episode] = env.take_episodes()
  assert episode.length == length
  assert env.take_episodes() == []
