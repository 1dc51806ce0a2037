"""Conditional RealNVP: an invertible map of the latent, steered by the state.

Symbols: z is the latent, u = f(z; s) the output, s the state (enters through the
conditioners only), D the dimension of z and u. Coupling i keeps one half k of its input
and maps the other half x to

  forward:  y = x · exp(l) + t        log |det df/dx| =  Σ l
  inverse:  x = (y - t) · exp(-l)     log |det df⁻¹/dy| = -Σ l

with (t, l) = conditioner_i(k; s), so the Jacobian is triangular and both directions cost
one conditioner call. Couplings alternate between the contiguous halves [:D//2] and
[D//2:]. The log-scale is bounded, l = b · tanh(r / b), so that no state can blow the
latent up (docs/method.md, departure 3).

Source: Dinh, Sohl-Dickstein, Bengio, "Density estimation using Real NVP" (2017), eqs. 7
and 8; conditioning on the state as in the latent space policies of Haarnoja et al.
(2018), section 4.3.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf
import tensorflow_probability as tfp

tfb = tfp.bijectors

# Maps the kept half [..., K] to (shift, raw log-scale), each [..., D - K].
Conditioner = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def coupling_masks(dimension: int, num_couplings: int) -> list[int]:
  """Returns which part of its input each coupling keeps, first applied first.

  A positive entry n keeps the first n dimensions, a negative one the last |n|, as
  `tfp.bijectors.RealNVP(num_masked=n)` reads it. Where a half is empty (D = 1), the
  coupling that would transform nothing is left out, so one dimension gets an affine map
  of the state alone.

  Args:
    dimension: D, at least 1.
    num_couplings: Number of coupling layers, at least 1.

  Raises:
    ValueError: If either is below 1.
  """
  if dimension < 1:
    raise ValueError(f'dimension must be at least 1, got {dimension}.')
  if num_couplings < 1:
    raise ValueError(f'num_couplings must be at least 1, got {num_couplings}.')
  first, second = dimension // 2, dimension - dimension // 2
  masks = [first if i % 2 == 0 else -second for i in range(num_couplings)]
  return [mask for mask in masks if abs(mask) < dimension]


def _check_bound(log_scale_bound: float) -> None:
  if log_scale_bound <= 0:
    raise ValueError(f'log_scale_bound must be positive, got {log_scale_bound}.')


def bounded_affine(
  shift: tf.Tensor, raw_log_scale: tf.Tensor, log_scale_bound: float
) -> tfb.Bijector:
  """Returns y = x · exp(l) + t with l = b · tanh(r / b), elementwise.

  With t and r from the state alone this is the flow of a Gaussian policy.

  Args:
    shift: t, float32 [..., D].
    raw_log_scale: r, float32 [..., D].
    log_scale_bound: b > 0.

  Raises:
    ValueError: If the bound is not positive.
  """
  _check_bound(log_scale_bound)
  log_scale = log_scale_bound * tf.tanh(raw_log_scale / log_scale_bound)
  return tfb.Shift(shift)(tfb.Scale(log_scale=log_scale))


def conditional_real_nvp(
  masks: Sequence[int],
  conditioners: Sequence[Conditioner],
  log_scale_bound: float,
) -> tfb.Bijector:
  """Builds f(·; s) for one batch of states.

  Args:
    masks: What each coupling keeps, from `coupling_masks`, first applied first.
    conditioners: One callable per mask, each already holding the state; maps the kept
      part to shift and raw log-scale of the other part.
    log_scale_bound: b > 0; each coupling scales by a factor within [e⁻ᵇ, eᵇ].

  Returns:
    A bijector on events of shape [D]. It owns no variable: the network whose layers the
    conditioners call does.

  Raises:
    ValueError: If there is not one conditioner per mask, or the bound is not positive.
  """
  _check_bound(log_scale_bound)  # Now: TFP calls the couplings' functions much later.
  if len(masks) != len(conditioners):
    raise ValueError(
      f'One conditioner per mask is needed, got {len(conditioners)} for {len(masks)}.'
    )

  def coupling(conditioner: Conditioner) -> Callable[..., tfb.Bijector]:
    def bijector_fn(kept: tf.Tensor, unused_depth: int) -> tfb.Bijector:
      return bounded_affine(*conditioner(kept), log_scale_bound)

    return bijector_fn

  couplings = [
    tfb.RealNVP(num_masked=mask, bijector_fn=coupling(conditioner))
    for mask, conditioner in zip(masks, conditioners, strict=True)
  ]
  return tfb.Chain(couplings[::-1])  # Chain applies its last entry first.
