"""Tests of the conditional RealNVP: masks, inverse, log-determinants, bounds, errors."""

import numpy as np
import pytest
import tensorflow as tf

from latent_hrl.flows import coupling

DIMENSIONS = (1, 2, 3, 6, 8, 17)
BATCH = 4


def _random_conditioners(masks, dimension, scale=1.0, seed=0):
  """Conditioners of random tanh networks in float64, another state for each row."""
  rng = np.random.default_rng(seed)

  def conditioner(mask):
    kept, moved = abs(mask), dimension - abs(mask)
    hidden = tf.constant(rng.normal(scale=scale, size=(kept, 16)))
    state = tf.constant(rng.normal(size=(BATCH, 16)))
    output = tf.constant(rng.normal(scale=scale, size=(16, 2 * moved)))

    def call(part):
      return tf.split(tf.tanh(part @ hidden + state) @ output, 2, axis=-1)

    return call

  return [conditioner(mask) for mask in masks]


def _affine_couplings(masks, conditioners, bound):
  """A flow of couplings whose shift and raw log-scale these functions give."""

  def affine(conditioner):
    return lambda kept: coupling.bounded_affine(*conditioner(kept), bound)

  return coupling.chain(masks, [affine(conditioner) for conditioner in conditioners])


def _random_flow(dimension, num_couplings=2, bound=2.0, scale=1.0):
  masks = coupling.masks(dimension, num_couplings)
  conditioners = _random_conditioners(masks, dimension, scale)
  # A new bijector each time: a bijector remembers what it mapped, and its inverse would
  # return the remembered input instead of computing one.
  return lambda: _affine_couplings(masks, conditioners, bound)


def _latents(dimension, scale=1.0):
  return tf.constant(np.random.default_rng(7).normal(scale=scale, size=(BATCH, dimension)))


@pytest.mark.parametrize(
  ('dimension', 'masks'),
  [
    (1, [0]),
    (2, [1, -1]),
    (3, [1, -2]),
    (6, [3, -3]),
    (8, [4, -4]),
    (17, [8, -9]),
  ],
)
def test_masks_keep_first_then_second_half(dimension, masks):
  assert coupling.masks(dimension, 2) == masks


def test_masks_alternate_and_skip_couplings_that_would_transform_nothing():
  assert coupling.masks(5, 5) == [2, -3, 2, -3, 2]
  assert coupling.masks(1, 5) == [0, 0, 0]


@pytest.mark.parametrize('dimension', [2, 3, 6, 8, 17])
def test_two_couplings_transform_every_dimension(dimension):
  latent = _latents(dimension)
  moved = _random_flow(dimension)().forward(latent) - latent
  assert np.all(np.abs(moved.numpy()) > 1e-6)


@pytest.mark.parametrize('dimension', [3, 6])
def test_first_mask_is_applied_first(dimension):
  # With one coupling the first half passes through unchanged.
  latent = _latents(dimension)
  output = _random_flow(dimension, num_couplings=1)().forward(latent).numpy()
  half = dimension // 2
  np.testing.assert_array_equal(output[:, :half], latent.numpy()[:, :half])
  # And in two couplings the second sees what the first made of the second half.
  first_only = output[:, half:]
  both = _random_flow(dimension, num_couplings=2)().forward(latent).numpy()
  np.testing.assert_allclose(both[:, half:], first_only, rtol=1e-12)


@pytest.mark.parametrize('dimension', DIMENSIONS)
def test_zero_conditioners_make_the_identity(dimension):
  masks = coupling.masks(dimension, 2)

  def zero(mask):
    return lambda kept: 2 * [tf.zeros([BATCH, dimension - abs(mask)], tf.float64)]

  flow = _affine_couplings(masks, [zero(mask) for mask in masks], 3.0)
  latent = _latents(dimension)
  np.testing.assert_array_equal(flow.forward(latent), latent)
  log_det = flow.forward_log_det_jacobian(latent, event_ndims=1)
  np.testing.assert_array_equal(log_det, np.zeros(np.shape(log_det)))


@pytest.mark.parametrize('dimension', DIMENSIONS)
def test_inverse_undoes_forward_and_log_dets_cancel(dimension):
  flow = _random_flow(dimension)
  latent = _latents(dimension, scale=2.0)
  output = flow().forward(tf.identity(latent))
  assert np.max(np.abs(output - latent)) > 0.1
  back = flow().inverse(tf.identity(output))
  np.testing.assert_allclose(back, latent, rtol=1e-9, atol=1e-9)
  forward = flow().forward_log_det_jacobian(tf.identity(latent), event_ndims=1)
  inverse = flow().inverse_log_det_jacobian(tf.identity(output), event_ndims=1)
  assert forward.shape == (BATCH,)
  np.testing.assert_allclose(forward, -inverse, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize('dimension', DIMENSIONS)
def test_log_det_matches_finite_differences(dimension):
  flow, step = _random_flow(dimension), 1e-5
  latent = _latents(dimension)
  offsets = step * np.eye(dimension)[:, np.newaxis]  # One direction a row: [D, 1, D].
  differences = flow().forward(latent + offsets) - flow().forward(latent - offsets)
  jacobian = np.transpose(differences / (2 * step), [1, 2, 0])
  sign, expected = np.linalg.slogdet(jacobian)
  assert np.all(sign > 0)
  actual = flow().forward_log_det_jacobian(tf.identity(latent), event_ndims=1)
  np.testing.assert_allclose(actual, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize('raw', [-1e3, 1e3])
def test_log_scale_stays_within_its_bound(raw):
  bound = 1.5
  flow = _affine_couplings(
    [0], [lambda kept: (tf.zeros([BATCH, 2]), tf.fill([BATCH, 2], raw))], bound
  )
  output = flow.forward(tf.ones([BATCH, 2]))
  np.testing.assert_allclose(output, np.exp(np.sign(raw) * bound), rtol=1e-5)


def test_log_scale_is_the_raw_one_near_zero_and_bounded_by_tanh_elsewhere():
  def log_scale(raw):
    flow = _affine_couplings(
      [0], [lambda kept: (tf.zeros([1, 1]), tf.fill([1, 1], raw))], 2.0
    )
    return float(flow.forward_log_det_jacobian(tf.ones([1, 1]), event_ndims=1)[0])

  assert log_scale(0.01) == pytest.approx(0.01, rel=1e-4)
  assert log_scale(2.0) == pytest.approx(2.0 * np.tanh(1.0), rel=1e-5)


def test_large_conditioner_outputs_stay_finite_both_ways():
  flow = _random_flow(6, bound=3.0, scale=100.0)
  output = flow().forward(_latents(6))
  assert np.all(np.isfinite(output))
  assert np.all(np.isfinite(flow().inverse(tf.identity(output))))


@pytest.mark.parametrize(('dimension', 'couplings'), [(0, 2), (-1, 2), (3, 0)])
def test_masks_of_nothing_are_an_error(dimension, couplings):
  name, value = ('dimension', dimension) if dimension < 1 else ('num_couplings', couplings)
  with pytest.raises(ValueError, match=f'{name} must be at least 1, got {value}'):
    coupling.masks(dimension, couplings)


def test_missing_conditioner_is_an_error_that_counts_them():
  with pytest.raises(ValueError, match='One map per coupling is needed, got 1 for 2'):
    _affine_couplings([1, -1], [lambda kept: (kept, kept)], 1.0)


@pytest.mark.parametrize('bound', [0.0, -1.0])
def test_log_scale_bound_must_be_positive(bound):
  with pytest.raises(ValueError, match=f'log_scale_bound must be positive, got {bound}'):
    coupling.bounded_affine(tf.zeros([2]), tf.zeros([2]), bound)
