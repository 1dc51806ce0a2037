"""The TF-Agents adapter: specs, discounts at the end of an episode, validation."""

import gymnasium
import numpy as np
import pytest
from tf_agents.environments import utils as env_utils
from tf_agents.trajectories import time_step as ts

from latent_hrl import errors
from latent_hrl import latent_actions
from latent_hrl.environments import tasks
from latent_hrl.environments import tf_environment


@pytest.mark.parametrize(
  'task_id', ['HalfCheetah-v5', 'Hopper-v5', 'latent_hrl/MultiGoal-v0']
)
def test_tf_agents_validates_the_adapter(task_id):
  env = tf_environment.GymnasiumEnvironment(tasks.make_task(task_id), seed=0)

  env_utils.validate_py_environment(env, episodes=2)

  env.close()


def test_tf_agents_validates_a_latent_action_space(toy_task, saved_base):
  env = latent_actions.LatentActionWrapper(toy_task(), saved_base.saved)

  env_utils.validate_py_environment(tf_environment.GymnasiumEnvironment(env), episodes=2)


def test_specs_are_those_of_the_task(toy_task):
  task = toy_task()
  env = tf_environment.GymnasiumEnvironment(task)

  assert env.observation_spec().shape == (5,)
  assert env.observation_spec().dtype == np.float32
  np.testing.assert_array_equal(env.action_spec().minimum, task.action_space.low)
  np.testing.assert_array_equal(env.action_spec().maximum, task.action_space.high)


def _play_to_the_end(env, action) -> ts.TimeStep:
  step = env.reset()
  while not step.is_last():
    assert step.discount == (1.0 if step.is_first() else np.float32(0.9))
    step = env.step(np.float32(action))
  return step


def test_a_termination_does_not_bootstrap(toy_task):
  env = tf_environment.GymnasiumEnvironment(toy_task(end_at=2.0), discount=0.9)

  assert _play_to_the_end(env, [1.0, 0.0]).discount == 0.0


def test_a_time_limit_bootstraps(toy_task):
  env = tf_environment.GymnasiumEnvironment(toy_task(length=3), discount=0.9)

  assert _play_to_the_end(env, [0.1, 0.0]).discount == np.float32(0.9)


def test_a_step_after_the_end_starts_an_episode(toy_task):
  env = tf_environment.GymnasiumEnvironment(toy_task(length=1))
  env.reset()

  assert env.step(np.float32([0, 0])).is_last()
  assert env.step(np.float32([0, 0])).is_first()


def test_the_same_seed_starts_the_same_episode(toy_task):
  first, second = (
    tf_environment.GymnasiumEnvironment(toy_task(), seed=5).reset().observation
    for _ in range(2)
  )
  other = tf_environment.GymnasiumEnvironment(toy_task(), seed=6).reset().observation

  np.testing.assert_array_equal(first, second)
  assert np.any(first != other)


def test_a_dict_of_boxes_is_made_a_task():
  env = tf_environment.GymnasiumEnvironment(gymnasium.make('latent_hrl/MultiGoal-v0'))
  assert env.observation_spec().shape == (2,)
  assert env.reset().observation.tolist() == [0.0, 0.0]


def test_a_discrete_action_space_is_refused():
  with pytest.raises(errors.TaskError, match='action space Discrete.*continuous actions'):
    tf_environment.GymnasiumEnvironment(gymnasium.make('CartPole-v1'))
