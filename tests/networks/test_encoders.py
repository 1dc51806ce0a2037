"""Tests of what policy and critics see through encoders, worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from latent_hrl.networks import boxes
from latent_hrl.networks import critic as critic_lib
from latent_hrl.networks import encoders
from latent_hrl.networks import policy as policy_lib
from tests import helpers

OBSERVATION = tf.TensorSpec([3], tf.float32)
projections = pytest.mark.parametrize('projection_units', [None, 5])


def _config(projection_units=None):
  return encoders.EmbeddingsConfig(
    size=4, hidden_units=(6,), projection_units=projection_units
  )


def _actor(projection_units=None):
  actor = policy_lib.LatentPolicyNetwork(
    OBSERVATION,
    helpers.latent_spec(),
    helpers.policy_config(num_couplings=0, embedding_units=(8,)),
    _config(projection_units),
  )
  actor.create_variables()
  helpers.perturb(actor.variables)
  return actor


def _normalized(inputs):
  return inputs / np.abs(inputs).mean(axis=-1, keepdims=True)


def _perceptron(weights, inputs):
  kernel, bias, out_kernel, out_bias = (np.float64(w) for w in weights)
  hidden = inputs @ kernel + bias
  return np.where(hidden > 0, hidden, np.expm1(hidden)) @ out_kernel + out_bias


def _draw(*sizes):
  rng = np.random.default_rng(0)
  return [rng.normal(size=(6, size)).astype(np.float32) for size in sizes]


def test_mean_abs_normalized_by_hand():
  inputs = tf.constant([[1.0, -3.0], [0.0, 0.0], [1e30, 0.0]])
  expected = [[0.5, -1.5], [0.0, 0.0], [2.0, 0.0]]
  np.testing.assert_allclose(encoders.mean_abs_normalized(inputs), expected, rtol=1e-6)


def test_encoders_are_perceptrons_on_the_state_and_the_action_in_half_widths():
  spec = helpers.action_spec()
  state = encoders.StateEncoder(OBSERVATION, _config())
  transition = encoders.TransitionEncoder(spec, _config())
  helpers.perturb([*state.variables, *transition.variables])
  observation, embedding, output = _draw(3, 4, 2)
  np.testing.assert_allclose(
    state(observation),
    _normalized(_perceptron(state.variables, observation)),
    rtol=1e-4,
    atol=1e-5,
  )
  center, half_width = boxes.center_and_half_width(spec)
  both = np.concatenate([embedding, (output - center) / half_width], axis=-1)
  expected = _perceptron(transition.variables, both)
  np.testing.assert_allclose(transition(embedding, output), expected, rtol=1e-4, atol=1e-5)


@projections
def test_policy_sees_state_and_embedding(projection_units):
  actor = _actor(projection_units)
  (observation,) = _draw(3)
  own = np.float64(observation)
  if projection_units:
    kernel, bias = actor._projection.variables
    own = _normalized(own @ kernel.numpy() + bias.numpy())
  seen = np.concatenate([own, actor.state_encoder(observation)], axis=-1)
  kernel, bias, out_kernel, out_bias = (v.numpy() for v in actor._embedding.variables)
  expected = (np.maximum(seen @ kernel + bias, 0) @ out_kernel + out_bias)[:, :2]
  shift = actor.flow(observation).forward(tf.zeros([6, 2]))
  np.testing.assert_allclose(shift, expected, rtol=1e-4, atol=1e-5)
  # What a layer above takes along to see as this one does.
  assert len(actor.embedding_variables) == (4 if projection_units else 2)


def test_state_encoder_is_a_part_of_the_policy_which_others_train():
  actor = _actor()
  other = actor.copy(name='Other')
  other.create_variables()
  seen = set()
  for network in (actor, other):
    own = {id(v) for v in network.state_encoder.variables}
    assert len(own) == 4 and own.isdisjoint(seen)
    trained = {id(v) for v in network.trainable_variables}
    assert {id(v) for v in network.variables} - trained == own
    seen |= own


@projections
def test_critics_see_state_action_and_embeddings(projection_units):
  spec = helpers.action_spec()
  critic = critic_lib.TwinCriticNetwork(
    (OBSERVATION, spec),
    critic_lib.CriticConfig(hidden_units=(8,), layer_norm=False),
    _config(projection_units),
  )
  critic.create_variables()
  helpers.perturb(critic.variables)
  observation, output, state, transition = _draw(3, 2, 4, 4)
  values, _ = critic((observation, output, state, transition))
  center, half_width = boxes.center_and_half_width(spec)
  for member in (0, 1):
    hidden = np.concatenate([observation, (output - center) / half_width], axis=-1)
    if projection_units:
      layer = critic._projection
      hidden = _normalized(hidden @ layer._kernel[member].numpy() + layer._bias[member])
    hidden = np.concatenate([hidden, state, transition], axis=-1)
    first, last = critic._hidden_layers[0], critic._value_layer
    hidden = np.maximum(hidden @ first._kernel[member].numpy() + first._bias[member], 0)
    hidden = hidden @ last._kernel[member].numpy() + last._bias[member]
    np.testing.assert_allclose(values[:, member], hidden[:, 0], rtol=1e-4, atol=1e-5)
