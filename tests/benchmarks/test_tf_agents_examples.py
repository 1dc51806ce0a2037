"""The baselines are what TF-Agents' examples build, put together independently."""

import gin
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import tf_agents_examples
from latent_hrl import config
from latent_hrl.agents import ddpg
from latent_hrl.agents import sac
from latent_hrl.agents import td3
from latent_hrl.environments import tasks
from latent_hrl.environments import tf_environment
from latent_hrl.plan import settings

BASELINES = {
  'sac': sac.SacConfig,
  'td3': td3.Td3Config,
  'ddpg': ddpg.DdpgConfig,
}


@pytest.fixture(scope='module')
def env():
  return tf_environment.GymnasiumEnvironment(tasks.make_task('HalfCheetah-v5'))


def _pair(env, name):
  """Returns an example, and the baseline of the same name with the numbers of its loop."""
  example = tf_agents_examples.EXAMPLES[name](env)
  config.load([f'gin/baselines/{name}.gin'])
  with gin.config_scope('base'):
    numbers = settings.OffPolicyConfig()
    agent = BASELINES[name]().build(
      example.agent.time_step_spec, example.agent.action_spec, seed=0
    )
  return example, agent.agent, numbers


@pytest.mark.parametrize('name', BASELINES)
def test_numbers_are_those_of_the_example(env, name):
  example, agent, numbers = _pair(env, name)
  assert numbers.batch_size == example.batch_size
  assert numbers.replay_capacity == example.replay_capacity
  assert numbers.initial_steps == example.initial_steps
  shapes = [v.shape for v in agent.collect_policy.variables()]
  assert shapes == [v.shape for v in example.agent.collect_policy.variables()]
  # What TF-Agents' agents keep of their arguments; not every agent has each.
  for kept in ('_gamma', '_reward_scale_factor', '_target_entropy', '_actor_update_period'):
    assert getattr(agent, kept, None) == getattr(example.agent, kept, None), kept
  for kept in ('_actor_optimizer', '_critic_optimizer', '_alpha_optimizer'):
    rates = [
      float(getattr(a, kept).learning_rate) if hasattr(a, kept) else None
      for a in (agent, example.agent)
    ]
    assert rates[0] == rates[1], kept


def _experience(agent):
  """Returns transitions of the shape that an agent's replay gives."""
  rng = np.random.default_rng(0)

  def draw(spec):
    if spec.dtype == tf.int32:  # Step types: in the middle of an episode.
      return tf.ones([8, 2], tf.int32)
    values = rng.uniform(-1, 1, (8, 2, *spec.shape))
    return tf.constant(values, tf.float32)

  drawn = tf.nest.map_structure(draw, agent.collect_data_spec)
  return drawn._replace(discount=tf.ones([8, 2]))


NETWORKS = {
  'ddpg': ('actor_network', 'critic_network'),
  'td3': ('actor_network', 'critic_network_1', 'critic_network_2'),
}


def _variables(agent, name):
  names = [prefix + n for n in NETWORKS[name] for prefix in ('_', '_target_')]
  return [v for n in names for v in getattr(agent, n).variables]


@pytest.mark.parametrize('name', NETWORKS)
def test_update_is_that_of_the_example(env, name):
  example, agent, _ = _pair(env, name)
  for either in (agent, example.agent):
    either._target_policy_noise = 0.0  # Of TD3, from streams that differ.
  if name == 'td3':
    agent._target_actor_network._noise = 0.0
  variables = _variables(agent, name), _variables(example.agent, name)
  for mine, other in zip(*variables, strict=True):
    mine.assign(other)
  before = [v.numpy() for v in variables[0]]
  experience = _experience(agent)

  for _ in range(6):  # The targets move at the fifth, TD3's actor at every second.
    losses = [float(a.train(experience).loss) for a in (agent, example.agent)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)

  assert all(np.any(old != new) for old, new in zip(before, variables[0], strict=True))
  for mine, other in zip(*variables, strict=True):
    np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)
