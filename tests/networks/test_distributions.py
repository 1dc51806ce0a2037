"""Tests of the policy's distribution as one of TensorFlow Probability."""

import numpy as np
import pytest
import tensorflow as tf

from tests import helpers

BATCH = 4


def _distribution(spec=None, **kwargs):
  """A new object each time: a bijector remembers what it mapped."""
  actor = helpers.make_actor(helpers.action_spec() if spec is None else spec, **kwargs)
  helpers.perturb(actor.variables, scale=0.2)
  observation = np.random.default_rng(0).normal(size=(BATCH, 3)).astype(np.float32)
  return actor(tf.constant(observation))[0]


@pytest.mark.parametrize('spec', [helpers.action_spec(), helpers.latent_spec()])
@pytest.mark.parametrize('couplings', [0, 2])
def test_each_of_several_samples_has_the_density_that_it_has_alone(spec, couplings):
  policy = _distribution(spec, num_couplings=couplings)
  samples, log_probs = policy.experimental_sample_and_log_prob([3, 2], seed=[1, 2])
  assert samples.shape == (3, 2, BATCH, 2)
  assert log_probs.shape == (3, 2, BATCH)
  np.testing.assert_array_equal(policy.log_prob(samples), log_probs)

  other = _distribution(spec, num_couplings=couplings)
  np.testing.assert_allclose(other.log_prob(samples[...]), log_probs, atol=2e-3)
  alone = _distribution(spec, num_couplings=couplings).log_prob(tf.identity(samples[2, 1]))
  np.testing.assert_allclose(alone, log_probs[2, 1], atol=2e-3)
  assert policy.sample(5, seed=[3, 4]).shape == (5, BATCH, 2)


def test_densities_broadcast_and_take_any_number_type():
  policy = _distribution()
  value = np.float64([0.25, 1.5])
  expected = policy.log_prob(np.tile(np.float32(value), [BATCH, 1]))
  assert np.ptp(expected) > 1e-3  # The state matters.
  for same in (value, tf.constant(value), value[np.newaxis], list(value)):
    np.testing.assert_allclose(policy.log_prob(same), expected, rtol=1e-6)
  several = policy.log_prob(np.tile(value, [6, 1, 1]))
  np.testing.assert_allclose(several, np.tile(expected, [6, 1]), rtol=1e-6)
  np.testing.assert_array_equal(
    policy.prob(np.int64([0, 1])), tf.exp(policy.log_prob([0.0, 1.0]))
  )


@pytest.mark.parametrize('couplings', [0, 2])
@pytest.mark.parametrize(
  ('low', 'high'), [(helpers.BOX_LOW, helpers.BOX_HIGH), ([1e3, -1e3], [1e3 + 0.01, 0.0])]
)
def test_densities_are_finite_at_the_bounds_and_past_them(couplings, low, high):
  policy = _distribution(helpers.action_spec(low, high), num_couplings=couplings)
  low, high = np.float32(low), np.float32(high)
  at_low, at_high = policy.log_prob(low), policy.log_prob(high)
  assert np.all(np.isfinite([at_low, at_high]))
  np.testing.assert_array_equal(policy.log_prob(low - 1), at_low)
  np.testing.assert_array_equal(policy.log_prob([np.inf, np.inf]), at_high)
  # One dimension on the boundary leaves the other what it was.
  one = [policy.log_prob([high[0], (low[1] + high[1]) / part]) for part in (2, 2.5)]
  assert np.all(np.abs(one[0] - one[1]) > 1e-4)


def test_a_saturated_sample_keeps_the_density_it_was_drawn_with():
  actor = helpers.make_actor(helpers.action_spec())
  helpers.set_affine(actor, shift=[12.0, -12.0], log_scale=[0.0, 0.0])
  policy, _ = actor(tf.zeros([BATCH, 3]))
  sample, log_prob = policy.experimental_sample_and_log_prob(seed=[1, 2])
  np.testing.assert_array_equal(sample, [[1.0, -1.0]] * BATCH)  # The box's corner.
  assert np.ptp(log_prob) > 0.1
  np.testing.assert_array_equal(policy.log_prob(sample), log_prob)


def test_entropy_of_a_gaussian_on_a_latent_is_exact():
  policy = _distribution(helpers.latent_spec(), num_couplings=0)
  scale = policy.bijector.forward(tf.ones([BATCH, 2])) - policy.mode()
  expected = np.log(2 * np.pi * np.e) + np.sum(np.log(scale), axis=-1)
  np.testing.assert_allclose(policy.entropy(), expected, rtol=1e-5)
  np.testing.assert_allclose(policy.stddev(), scale, rtol=1e-5)


def test_entropy_is_the_mean_of_minus_the_log_density():
  policy = _distribution()
  draws = policy.experimental_sample_and_log_prob(20_000, seed=[1, 2])[1]
  np.testing.assert_allclose(
    policy.entropy(num_samples=20_000, seed=[5, 6]), -np.mean(draws, axis=0), atol=0.03
  )
  seeded = [policy.entropy(seed=[3, 4]) for _ in range(2)]
  np.testing.assert_array_equal(*seeded)
  assert np.any(policy.entropy() != policy.entropy())  # Draws of its own each time.


def test_shapes_hold_under_xla_and_the_gradient_reaches_the_weights():
  actor = helpers.make_actor(helpers.action_spec())
  helpers.perturb(actor.variables, scale=0.2)
  observation = tf.ones([BATCH, 3])

  @tf.function(jit_compile=True)
  def compiled():
    with tf.GradientTape() as tape:
      policy, _ = actor(observation)
      samples = policy.sample(5, seed=[1, 2])
      entropy = policy.entropy(seed=[3, 4])
    gradients = tape.gradient(entropy, actor.trainable_variables)
    return samples, actor(observation)[0].log_prob(samples), entropy, gradients

  samples, log_prob, entropy, gradients = compiled()
  policy, _ = actor(observation)
  np.testing.assert_allclose(log_prob, policy.log_prob(samples), atol=2e-3)
  # XLA draws other numbers from the same seed.
  np.testing.assert_allclose(entropy, policy.entropy(num_samples=2000), atol=0.25)
  assert any(
    np.any(gradient.numpy() != 0) for gradient in gradients if gradient is not None
  )


def test_a_slice_of_a_flow_is_refused_instead_of_mixing_observations():
  with pytest.raises(NotImplementedError, match='Make it of the observations wanted'):
    _distribution()[1:3]
  assert _distribution(num_couplings=0)[1:3].sample(3).shape == (3, 2, 2)


@pytest.mark.parametrize('spec', [helpers.action_spec(), helpers.latent_spec()])
def test_a_command_is_the_first_of_the_latent_and_counts_in_its_density(spec):
  command = np.float32([[0.7], [-1.5], [0.1], [2.0]])
  output, log_prob = _distribution(spec).sample_and_log_prob([1, 2], tf.constant(command))
  plain, _ = _distribution(spec).sample_and_log_prob([1, 2])

  other = _distribution(spec)
  latent = other.bijector.inverse(tf.identity(output))
  undirected = _distribution(spec).bijector.inverse(tf.identity(plain))
  np.testing.assert_allclose(latent[:, :1], command, atol=2e-3)
  np.testing.assert_allclose(latent[:, 1:], undirected[:, 1:], atol=2e-3)
  np.testing.assert_allclose(log_prob, other.log_prob(tf.identity(output)), atol=5e-3)
