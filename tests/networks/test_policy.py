"""Tests of the flow policy and the twin critic as TF-Agents networks."""

import gin
import numpy as np
import pytest
import tensorflow as tf
from tf_agents.specs import tensor_spec

from latent_hrl import errors
from latent_hrl.networks import boxes
from latent_hrl.networks import critic as critic_lib
from latent_hrl.networks import policy as policy_lib
from tests import helpers

OBSERVATION = tf.TensorSpec([3], tf.float32)


def _observations(size=5, seed=0):
  return tf.constant(np.random.default_rng(seed).normal(size=(size, 3)).astype(np.float32))


def _critic(specs, **shape):
  return critic_lib.TwinCriticNetwork(specs, critic_lib.CriticConfig(**shape))


def _perturbed_actor(spec, **kwargs):
  actor = helpers.make_actor(spec, **kwargs)
  helpers.perturb(actor.variables)
  return actor


def _log_normal(latent):
  return np.sum(-0.5 * latent**2 - 0.5 * np.log(2 * np.pi), axis=-1)


def test_bounded_and_unbounded_specs_are_told_apart():
  assert boxes.is_bounded(helpers.action_spec())
  assert not boxes.is_bounded(helpers.latent_spec())
  assert not boxes.is_bounded(
    tensor_spec.BoundedTensorSpec([2], tf.float32, -np.inf, np.inf)
  )
  with pytest.raises(ValueError, match='all or no dimensions'):
    boxes.is_bounded(
      tensor_spec.BoundedTensorSpec([2], tf.float32, [-1, -np.inf], [1, np.inf])
    )


def test_center_and_half_width_of_a_lopsided_box():
  center, half_width = boxes.center_and_half_width(helpers.action_spec())
  np.testing.assert_array_equal(center, [-0.5, 1.0])
  np.testing.assert_array_equal(half_width, [1.5, 2.0])
  assert center.dtype == half_width.dtype == np.float32


def test_fresh_bounded_network_squashes_the_latent_into_the_box():
  distribution, _ = helpers.make_actor(helpers.action_spec())(_observations())
  latent = np.random.default_rng(1).normal(size=(5, 2)).astype(np.float32)
  output = distribution.bijector.forward(tf.constant(latent))
  expected = np.float32([-0.5, 1.0]) + np.float32([1.5, 2.0]) * np.tanh(latent)
  np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-6)


def test_fresh_unbounded_network_is_the_prior_itself():
  distribution, _ = helpers.make_actor(helpers.latent_spec(3))(_observations())
  latent = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
  np.testing.assert_array_equal(distribution.bijector.forward(tf.constant(latent)), latent)
  log_prob = distribution.log_prob(tf.constant(latent))
  np.testing.assert_allclose(log_prob, _log_normal(latent), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('spec', [helpers.action_spec(), helpers.latent_spec()])
def test_distribution_has_one_event_vector_for_each_observation(spec):
  distribution, state = _perturbed_actor(spec)(_observations(4))
  assert state == ()
  assert distribution.batch_shape == (4,)
  assert distribution.event_shape == (2,)
  sample = distribution.sample(seed=[1, 2])
  assert sample.shape == (4, 2)
  assert distribution.log_prob(sample).shape == (4,)


@pytest.mark.parametrize('spec', [helpers.action_spec(), helpers.latent_spec()])
def test_mode_is_the_push_forward_of_latent_zero(spec):
  actor = _perturbed_actor(spec)
  observation = _observations()
  mode = actor(observation)[0].mode()
  expected = actor.flow(observation).forward(tf.zeros([5, 2]))
  if actor.squash is not None:
    expected = actor.squash.forward(expected)
  np.testing.assert_allclose(mode, expected, rtol=1e-5, atol=1e-6)
  assert np.ptp(mode.numpy(), axis=0).min() > 1e-3  # The state matters.


def test_the_inverse_of_the_squash_is_as_exact_as_float32_is():
  spec = helpers.action_spec(np.full(1, -1.0), np.full(1, 1.0))
  near = 1 - np.float32(2.0) ** -np.arange(1, 25, dtype=np.float32)
  small = np.float32(10.0) ** -np.arange(0.5, 8, 0.5, dtype=np.float32)
  action = np.concatenate([near, -near, small, -small, [0]]).astype(np.float32)[:, None]
  latent = boxes.tanh_squash(spec).inverse(tf.constant(action))
  expected = np.arctanh(action.astype(np.float64))
  np.testing.assert_allclose(latent, expected, rtol=5e-7, atol=0)


def test_log_prob_follows_the_change_of_variables():
  actor = helpers.make_actor(helpers.action_spec())
  helpers.set_affine(actor, shift=[0.3, -0.4], log_scale=[0.5, -0.7])
  distribution, _ = actor(_observations())
  latent = np.random.default_rng(1).normal(size=(5, 2))
  hidden = latent * np.exp([0.5, -0.7]) + [0.3, -0.4]
  action = np.array([-0.5, 1.0]) + np.array([1.5, 2.0]) * np.tanh(hidden)
  expected = _log_normal(latent) - (0.5 - 0.7) - np.log(1.5 * 2.0)
  expected -= np.sum(np.log(1 - np.tanh(hidden) ** 2), axis=-1)
  log_prob = distribution.log_prob(tf.constant(action.astype(np.float32)))
  np.testing.assert_allclose(log_prob, expected, atol=2e-4)


def test_no_couplings_make_a_gaussian_policy_that_starts_as_the_prior():
  actor = helpers.make_actor(helpers.latent_spec(), num_couplings=0)
  latent = np.random.default_rng(1).normal(size=(5, 2)).astype(np.float32)
  np.testing.assert_array_equal(actor.flow(_observations()).forward(latent), latent)

  # Three wide layers, the last one shift and log-scale: nothing else.
  assert tuple(actor.variables[-1].shape) == (4,)
  helpers.perturb(actor.variables)
  distribution, _ = actor(_observations())
  shift = distribution.mode().numpy()
  scale = actor.flow(_observations()).forward(tf.ones([5, 2])).numpy() - shift
  expected = _log_normal((latent - shift) / scale) - np.log(scale).sum(axis=-1)
  np.testing.assert_allclose(distribution.log_prob(latent), expected, rtol=1e-3)
  assert np.ptp(scale, axis=0).min() > 1e-3  # The state matters.


def test_samples_agree_with_their_log_prob():
  actor = _perturbed_actor(helpers.action_spec())
  sample, log_prob = actor(_observations())[0].experimental_sample_and_log_prob(seed=[3, 4])
  # Another distribution object, so that nothing is remembered.
  again = actor(_observations())[0].log_prob(tf.identity(sample))
  np.testing.assert_allclose(again, log_prob, atol=1e-3)
  assert np.all(sample > helpers.BOX_LOW) and np.all(sample < helpers.BOX_HIGH)


def test_density_integrates_to_one_over_the_box():
  actor = helpers.make_actor(helpers.action_spec([-2.0], [1.0]))
  helpers.perturb(actor.variables, scale=0.3)
  # A grid that is fine near the boundary: a = -0.5 + 1.5 · tanh(y), da = 1.5 / cosh² y dy.
  y = np.linspace(-7, 7, 4001)
  grid = (-0.5 + 1.5 * np.tanh(y)).astype(np.float32)[:, np.newaxis]
  observation = tf.tile(_observations(1), [len(grid), 1])
  density = np.exp(np.float64(actor(observation)[0].log_prob(tf.constant(grid))))
  fresh = np.exp(-0.5 * y**2) / np.sqrt(2 * np.pi) / (1.5 / np.cosh(y) ** 2)
  assert np.abs(density / fresh - 1)[1000:3000].max() > 0.1  # The flow does something.
  weights = 1.5 / np.cosh(y) ** 2
  assert np.trapezoid(density * weights, y) == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize(
  ('dimension', 'couplings', 'expected'),
  [(1, 2, [4]), (2, 2, [4, 4]), (3, 3, [4, 4, 4])],
)
def test_actor_variables_are_all_there_after_creation(dimension, couplings, expected):
  actor = policy_lib.LatentPolicyNetwork(
    OBSERVATION,
    helpers.latent_spec(dimension),
    helpers.policy_config(couplings, embedding_units=(8, 8)),
  )
  actor.create_variables()
  names = [variable.name for variable in actor.variables]
  per_coupling = [sum(f'coupling_{i}/' in name for name in names) for i in range(couplings)]
  assert [count for count in per_coupling if count] == expected
  assert len(names) == 6 + sum(expected)  # Three embedding layers come first.
  assert len({id(variable) for variable in actor.variables}) == len(names)
  # Acting and learning create none.
  actor(_observations())[0].log_prob(tf.zeros([5, dimension]))
  assert [variable.name for variable in actor.variables] == names
  assert len(actor.trainable_variables) == len(names)


def test_actor_sizes_follow_the_arguments():
  actor = helpers.make_actor(helpers.latent_spec(3), embedding_units=(7,))
  shapes = [tuple(variable.shape) for variable in actor.variables]
  # Where nothing is said the embedding has 2 · D entries, a conditioner D hidden units.
  assert shapes[:4] == [(3, 7), (7,), (7, 6), (6,)]
  assert shapes[4:8] == [(1 + 6, 3), (3,), (3, 2 * 2), (4,)]
  assert shapes[8:] == [(2 + 6, 3), (3,), (3, 2 * 1), (2,)]
  actor = helpers.make_actor(
    helpers.latent_spec(3), embedding_units=(), embedding_size=5, conditioner_units=4
  )
  shapes = [tuple(variable.shape) for variable in actor.variables]
  assert shapes[:4] == [(3, 5), (5,), (1 + 5, 4), (4,)]


def test_log_scale_bound_reaches_the_flow():
  actor = helpers.make_actor(helpers.latent_spec(1), log_scale_bound=0.5)
  actor.variables[-1].assign([0.0, 1e6])
  output = actor.flow(_observations()).forward(tf.ones([5, 1]))
  np.testing.assert_allclose(output, np.exp(0.5), rtol=1e-5)


def test_gradient_reaches_every_actor_variable():
  actor = _perturbed_actor(helpers.action_spec())
  with tf.GradientTape() as tape:
    sample, log_prob = actor(_observations())[0].experimental_sample_and_log_prob(
      seed=[1, 1]
    )
    loss = tf.reduce_sum(sample) + tf.reduce_sum(log_prob)
  gradients = tape.gradient(loss, actor.trainable_variables)
  for variable, gradient in zip(actor.trainable_variables, gradients, strict=True):
    assert gradient is not None and np.any(gradient.numpy() != 0), variable.name


def test_fresh_couplings_start_at_zero_but_learn():
  actor = helpers.make_actor(helpers.latent_spec())
  outputs = [c._output.kernel for c in actor._conditioners]
  assert all(np.all(kernel.numpy() == 0) for kernel in outputs)
  with tf.GradientTape() as tape:
    sample = actor(_observations())[0].sample(seed=[1, 1])
    loss = tf.reduce_sum(tf.square(sample - 1.0))
  for gradient in tape.gradient(loss, outputs):
    assert np.any(gradient.numpy() != 0)


@pytest.mark.parametrize('spec', [helpers.action_spec(), helpers.latent_spec()])
def test_twin_critic_equals_two_separate_perceptrons(spec):
  critic = _critic((OBSERVATION, spec), hidden_units=(8, 6), layer_norm=False)
  critic.create_variables()
  helpers.perturb(critic.variables)
  rng = np.random.default_rng(0)
  observation = rng.normal(size=(5, 3)).astype(np.float32)
  output = rng.uniform(helpers.BOX_LOW, helpers.BOX_HIGH, (5, 2)).astype(np.float32)
  values, state = critic((tf.constant(observation), tf.constant(output)))
  assert state == () and values.shape == (5, 2)
  expected = helpers.critic_in_numpy(critic, observation, output, spec)
  np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)
  assert np.min(np.abs(values[:, 0] - values[:, 1])) > 1e-3


def test_a_normalised_critic_is_told_from_a_plain_one_by_its_weights():
  plain, normalised = (
    _critic(
      (OBSERVATION, helpers.latent_spec()), hidden_units=(8, 8), layer_norm=layer_norm
    )
    for layer_norm in (False, True)
  )
  plain.create_variables()
  normalised.create_variables()

  # A checkpoint of the one never passes for one of the other.
  assert len(normalised.variables) == len(plain.variables) + 4


def test_layer_norm_by_hand():
  layer = critic_lib.EnsembleDense(2, 2, None, 'dense', layer_norm=True)
  layer(tf.ones([2, 1, 1]))
  kernel, bias, scale, offset = layer.weights
  kernel.assign([[[1.0, 3.0]], [[8.0, 0.0]]])
  bias.assign([[[0.0, 0.0]], [[0.0, 16.0]]])
  scale.assign([[[1.0, 2.0]], [[1.0, 1.0]]])
  offset.assign([[[0.5, 0.5]], [[0.0, 0.0]]])

  hidden = layer(tf.ones([2, 1, 1]))

  # (1, 3) and, with its bias, (8, 16) are -1 and 1 around their means.
  np.testing.assert_allclose(hidden, [[[-0.5, 2.5]], [[-1.0, 1.0]]], atol=2e-3)


def test_critic_members_start_apart_and_like_dense_layers():
  tf.keras.utils.set_random_seed(0)
  critic = _critic((OBSERVATION, helpers.latent_spec()), hidden_units=(64,))
  critic.create_variables()
  kernel = critic.variables[0].numpy()
  assert kernel.shape == (2, 5, 64)
  limit = np.sqrt(6 / (5 + 64))  # Glorot, without the ensemble's axis.
  assert 0.98 * limit < np.abs(kernel).max() <= limit
  assert np.abs(kernel[0] - kernel[1]).max() > 0.1
  np.testing.assert_array_equal(critic.variables[1], np.zeros((2, 1, 64)))


def test_critic_rescales_a_bounded_output_only():
  box = _critic((OBSERVATION, helpers.action_spec()), hidden_units=(8,))
  unit = _critic((OBSERVATION, helpers.latent_spec()), hidden_units=(8,))
  for critic in (box, unit):
    critic.create_variables()
    for variable, value in zip(critic.variables, box.variables, strict=True):
      variable.assign(value)
  corners = tf.constant([helpers.BOX_LOW, helpers.BOX_HIGH, [-0.5, 1.0]])
  scaled = tf.constant([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]])
  observation = _observations(3)
  np.testing.assert_allclose(
    box((observation, corners))[0], unit((observation, scaled))[0], rtol=1e-5, atol=1e-6
  )


def test_value_scale_multiplies_the_values_of_a_critic_and_of_its_copy():
  inputs = _observations(3), tf.constant([[0.5, -1.0], [0.0, 0.3], [2.0, 1.0]])
  specs = (OBSERVATION, helpers.latent_spec())
  plain = _critic(specs, hidden_units=(8,))
  scaled = _critic(specs, hidden_units=(8,), value_scale=10.0)
  copy = scaled.copy()
  for critic in (plain, scaled, copy):
    critic.create_variables()
    for variable, value in zip(critic.variables, plain.variables, strict=True):
      variable.assign(value)
  expected = 10 * plain(inputs)[0]
  np.testing.assert_allclose(scaled(inputs)[0], expected, rtol=1e-6)
  np.testing.assert_allclose(copy(inputs)[0], expected, rtol=1e-6)
  with pytest.raises(errors.ConfigError, match='value_scale must be a positive number'):
    _critic(specs, hidden_units=(8,), value_scale=0)


@pytest.mark.parametrize('num_couplings', [0, 2])
def test_shift_scale_multiplies_the_shifts_and_nothing_else(num_couplings):
  plain, scaled = (
    helpers.make_actor(
      helpers.latent_spec(), num_couplings=num_couplings, shift_scale=scale
    )
    for scale in (1.0, 10.0)
  )
  copy = scaled.copy()
  copy.create_variables()
  observation, mode = _observations(), tf.zeros([5, 2])
  for actor in (scaled, copy):  # Fresh, it is the identity all the same.
    np.testing.assert_array_equal(actor.flow(observation).forward(mode), mode)

  helpers.perturb(plain.variables)
  for actor in (scaled, copy):
    for variable, value in zip(actor.variables, plain.variables, strict=True):
      variable.assign(value)
  # The first coupling moves the second half, from the first half and the state alone.
  latent = tf.constant(np.random.default_rng(1).normal(size=(5, 2)).astype(np.float32))
  one_up = latent + [[0.0, 1.0]]
  small = plain.flow(observation).forward(latent)[:, 1]
  stretched = latent[:, 1] * (plain.flow(observation).forward(one_up)[:, 1] - small)
  large = scaled.flow(observation).forward(latent)[:, 1]
  np.testing.assert_allclose(
    large - stretched, 10 * (small - stretched), rtol=1e-4, atol=1e-4
  )
  np.testing.assert_array_equal(
    copy.flow(observation).forward(latent), scaled.flow(observation).forward(latent)
  )
  with pytest.raises(errors.ConfigError, match='shift_scale must be a positive number'):
    helpers.make_actor(helpers.latent_spec(), shift_scale=0)


@pytest.mark.parametrize('kind', ['actor', 'critic'])
def test_copy_has_the_same_shape_but_its_own_weights(kind):
  if kind == 'actor':
    network = helpers.make_actor(helpers.action_spec(), conditioner_units=5)
  else:
    network = _critic((OBSERVATION, helpers.action_spec()), hidden_units=(8, 7))
    network.create_variables()
  copy = network.copy(name='Copy')
  copy.create_variables()
  assert copy.name == 'Copy'
  assert [v.shape for v in copy.variables] == [v.shape for v in network.variables]
  before = [variable.numpy() for variable in network.variables]
  helpers.perturb(copy.variables)
  assert not {id(v) for v in copy.variables} & {id(v) for v in network.variables}
  for variable, value in zip(network.variables, before, strict=True):
    np.testing.assert_array_equal(variable, value)


def test_copy_keeps_sizes_that_gin_gave():
  gin.parse_config('big/TwinCriticNetwork.hidden_units = (11,)')
  with gin.config_scope('big'):
    network = critic_lib.TwinCriticNetwork((OBSERVATION, helpers.latent_spec()))
  copy = network.copy()
  copy.create_variables()
  assert copy.variables[0].shape == (2, 5, 11)


@pytest.mark.parametrize(
  ('observation', 'output', 'label'),
  [
    (OBSERVATION, tf.TensorSpec([2], tf.float64), 'output'),
    (OBSERVATION, tf.TensorSpec([2, 2], tf.float32), 'output'),
    (tf.TensorSpec([3], tf.int32), helpers.latent_spec(), 'input'),
    ({'a': OBSERVATION}, helpers.latent_spec(), 'input'),
  ],
)
def test_specs_that_are_no_float_vector_are_an_error(observation, output, label):
  with pytest.raises(ValueError, match=f'The {label} of .* must be one float32 vector'):
    policy_lib.LatentPolicyNetwork(observation, output)


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    ({'num_couplings': -1}, 'real_nvp.num_couplings must be an integer from 1'),
    ({'conditioner_units': -1}, 'real_nvp.conditioner_units must be an integer from 1'),
    ({'conditioner_units': 0}, 'units must be an integer from 1'),  # Not the default.
    ({'embedding_size': 0}, 'LatentPolicyNetwork.embedding_size must be an integer from 1'),
  ],
)
def test_sizes_below_one_are_an_error(arguments, message):
  with pytest.raises(errors.ConfigError, match=message):
    helpers.policy_config(**arguments)


@pytest.mark.parametrize('num_couplings', [0, 2])
def test_a_fresh_network_is_the_identity_whatever_its_embedding(num_couplings):
  observation_spec = tf.TensorSpec([3], tf.float32)
  actor = policy_lib.LatentPolicyNetwork(
    observation_spec,
    helpers.latent_spec(),
    helpers.policy_config(num_couplings, embedding_units=(8,)),
  )
  actor.create_variables()
  helpers.perturb(actor.embedding_variables)
  latent = tf.constant([[0.5, -2.0]])
  np.testing.assert_array_equal(actor.flow(tf.ones([1, 3])).forward(latent), latent)
  assert [tuple(v.shape) for v in actor.embedding_variables] == [(3, 8), (8,)]
