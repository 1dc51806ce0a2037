"""Policies of TF-Agents' agents as layers: the same actions, the same densities."""

import numpy as np
import pytest
import tensorflow as tf
from tf_agents.policies import greedy_policy
from tf_agents.trajectories import time_step as ts

from latent_hrl.agents import affine_policy
from latent_hrl.agents import ddpg
from latent_hrl.agents import ppo
from latent_hrl.agents import sac
from latent_hrl.agents import td3
from latent_hrl.layers import module as module_lib
from tests import helpers

OBSERVATION = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
LATENT = np.random.default_rng(1).normal(size=(5, 2)).astype(np.float32)
FIELDS = (helpers.BODY,)


@pytest.fixture(autouse=True)
def _seed():
  tf.keras.utils.set_random_seed(0)


def _build(config, spec=None, **kwargs):
  time_step_spec = ts.time_step_spec(tf.TensorSpec([3], tf.float32))
  agent = config(**kwargs).build(time_step_spec, spec or helpers.action_spec(), seed=0)
  return agent, module_lib.LayerModule(agent.actor_network, FIELDS, FIELDS)


AGENTS = (
  sac.SacConfig,
  td3.Td3Config,
  ddpg.DdpgConfig,
  ppo.PpoConfig,
)


@pytest.mark.parametrize('config', AGENTS)
def test_the_mode_is_the_action_of_tf_agents_policy(config):
  agent, module = _build(config)
  time_step = ts.restart(tf.constant(OBSERVATION), batch_size=5)

  policy = greedy_policy.GreedyPolicy(agent.agent.policy)

  action = module.serving_default(OBSERVATION)['action']

  np.testing.assert_allclose(action, policy.action(time_step).action, atol=1e-6)


@pytest.mark.parametrize('config', [sac.SacConfig, ppo.PpoConfig])
def test_the_density_is_that_of_tf_agents_distribution(config):
  agent, module = _build(config)
  time_step = ts.restart(tf.constant(OBSERVATION), batch_size=5)
  action = module.decode(OBSERVATION, 0.3 * LATENT)['action']

  encoded = module.encode(OBSERVATION, action)

  expected = agent.agent.collect_policy.distribution(time_step).action
  assert not np.any(encoded['clipped'])
  np.testing.assert_allclose(encoded['latent'], 0.3 * LATENT, atol=1e-5)
  np.testing.assert_allclose(
    encoded['log_prob'], expected.log_prob(action), rtol=1e-4, atol=1e-4
  )


@pytest.mark.parametrize(
  ('config', 'noise'),
  [
    (td3.Td3Config, 'exploration_noise_std'),
    (ddpg.DdpgConfig, 'ou_stddev'),
  ],
)
def test_noise_is_measured_in_half_widths_of_the_box_and_clipped(config, noise):
  _, module = _build(config, **{noise: 0.1})
  mode = module.decode(OBSERVATION, 0 * LATENT)['action'].numpy()

  action = module.decode(OBSERVATION, LATENT)['action'].numpy()
  far = module.decode(OBSERVATION, 100 + 0 * LATENT)['action'].numpy()

  half_width = (helpers.BOX_HIGH - helpers.BOX_LOW) / 2
  np.testing.assert_allclose(action - mode, 0.1 * half_width * LATENT, atol=1e-5)
  np.testing.assert_array_equal(far, np.tile(helpers.BOX_HIGH, (5, 1)))
  encoded = module.encode(OBSERVATION, far)
  assert np.all(encoded['clipped'])
  assert np.all(np.isfinite(encoded['log_prob']))


def test_ppo_sees_normalised_observations():
  agent, module = _build(ppo.PpoConfig)
  before = module.serving_default(OBSERVATION)['action'].numpy()

  shifted = tf.constant(10 + OBSERVATION[np.newaxis])
  for _ in range(20):
    agent.agent.update_observation_normalizer(shifted)

  after = module.serving_default(OBSERVATION)['action'].numpy()
  assert np.max(np.abs(after - before)) > 1e-3
  # What normalises is a part of the layer: a saved one takes it along.
  owned = {variable.ref() for variable in module.variables}
  normalizer = agent.agent.collect_policy.observation_normalizer
  assert {variable.ref() for variable in normalizer.variables} <= owned


def test_a_latent_gets_the_box_of_the_latent_wrapper():
  spec = affine_policy.bounded(helpers.latent_spec(3))

  np.testing.assert_array_equal(spec.minimum, [-5, -5, -5])
  np.testing.assert_array_equal(spec.maximum, [5, 5, 5])
  bounded = helpers.action_spec()
  assert affine_policy.bounded(bounded) is bounded


def test_a_agent_on_a_layer_passes_its_output_down(tmp_path):
  lower = helpers.save_layer(tmp_path, 'base', FIELDS, FIELDS).saved
  agent, _ = _build(sac.SacConfig, helpers.latent_spec())
  module = module_lib.LayerModule(
    agent.actor_network, FIELDS, FIELDS, lower=lower.module, lower_fields=FIELDS
  )

  latent = 0.2 * LATENT
  action, log_det = module.forward(OBSERVATION, latent)

  flow = agent.actor_network.flow(tf.constant(OBSERVATION))
  output = 5 * np.tanh(flow.forward(latent))
  np.testing.assert_allclose(action, lower.decode(OBSERVATION, output), atol=1e-5)
  back, inverse_log_det, clipped = module.inverse(OBSERVATION, action)
  assert not np.any(clipped)
  np.testing.assert_allclose(back, latent, atol=1e-2)
  np.testing.assert_allclose(inverse_log_det, -log_det, atol=1e-2)
