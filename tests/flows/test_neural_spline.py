"""Tests of the spline flow: identity, inverse, log-determinants, and a layer made of it."""

import numpy as np
import pytest
import tensorflow as tf

from latent_hrl.flows import neural_spline
from latent_hrl.networks import policy as policy_lib
from tests import helpers

BATCH = 6


def _network(dimension, spec=None, **config):
  tf.keras.utils.set_random_seed(1)
  flow = neural_spline.NeuralSplineConfig(conditioner_units=4, **config)
  network = policy_lib.LatentPolicyNetwork(
    tf.TensorSpec([3], tf.float32),
    spec or helpers.latent_spec(dimension),
    policy_lib.PolicyConfig(embedding_units=(8,), flow=flow),
  )
  network.create_variables()
  return network


def _inputs(dimension, scale=1.0):
  rng = np.random.default_rng(0)
  observation = rng.normal(size=(BATCH, 3)).astype(np.float32)
  return observation, (scale * rng.normal(size=(BATCH, dimension))).astype(np.float32)


@pytest.mark.parametrize('dimension', [1, 2, 5])
def test_a_fresh_flow_is_the_identity(dimension):
  observation, latent = _inputs(dimension, scale=4.0)  # Beyond the bound too.
  flow = _network(dimension).flow(observation)
  np.testing.assert_allclose(flow.forward(latent), latent, atol=1e-5)


@pytest.mark.parametrize('dimension', [1, 2, 5])
def test_inverse_undoes_forward_and_log_dets_match_finite_differences(dimension):
  network = _network(dimension)
  helpers.perturb(network.variables, scale=0.3)
  observation, latent = _inputs(dimension)
  # A new bijector each time: one remembers what it mapped.
  output = network.flow(observation).forward(latent).numpy()
  assert np.abs(output - latent).max() > 0.1
  back = network.flow(observation).inverse(tf.constant(output))
  np.testing.assert_allclose(back, latent, atol=2e-3)  # Bins can be a thousandth as steep.

  step = 1e-2
  columns = [
    (network.flow(observation).forward(latent + offset)
     - network.flow(observation).forward(latent - offset)) / (2 * step)
    for offset in step * np.eye(dimension, dtype=np.float32)
  ]  # fmt: skip
  sign, expected = np.linalg.slogdet(np.stack(columns, axis=-1))
  assert np.all(sign > 0)
  forward = network.flow(observation).forward_log_det_jacobian(latent, event_ndims=1)
  inverse = network.flow(observation).inverse_log_det_jacobian(
    tf.constant(output), event_ndims=1
  )
  np.testing.assert_allclose(forward, expected, atol=0.1)
  np.testing.assert_allclose(forward, -inverse, atol=1e-3)


def test_beyond_its_bound_it_is_the_identity():
  network = _network(2, bound=1.5, num_couplings=1)
  helpers.perturb(network.variables)
  observation, _ = _inputs(2)
  latent = np.tile(np.float32([0.3, 1.6]), (BATCH, 1))
  np.testing.assert_allclose(network.flow(observation).forward(latent), latent, atol=1e-6)


def test_a_layer_of_it_is_saved_encoded_stacked_and_runs_in_tensorflow_alone(tmp_path):
  base = helpers.save_layer(
    tmp_path / 'base', 'base', [helpers.BODY], [helpers.BODY],
    actor=_network(2, helpers.action_spec()),
  )  # fmt: skip
  top = helpers.save_layer(
    tmp_path / 'top', 'top', [helpers.BODY], [helpers.BODY], lower=base.saved,
    actor=_network(2),
  )  # fmt: skip
  observation, latent = _inputs(2)
  action = top.saved.decode(observation, latent)
  assert np.all((action >= helpers.BOX_LOW) & (action <= helpers.BOX_HIGH))
  encoded = top.saved.encode(observation, action)
  np.testing.assert_allclose(encoded['latent'], latent, atol=5e-3)
  plain = tf.saved_model.load(str(tmp_path / 'top')).signatures['decode']
  np.testing.assert_array_equal(
    plain(observation=tf.constant(observation), latent=tf.constant(latent))['action'],
    action,
  )
