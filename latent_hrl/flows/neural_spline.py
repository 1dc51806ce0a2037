"""Conditional neural spline flow: couplings of monotone rational-quadratic splines.

Within [-B, B] coupling i maps each entry of the half that it does not keep by a spline of K
bins, whose widths, heights and inner slopes come from the kept half and the state; outside
it is the identity. It bends a latent where an affine coupling can only stretch it.

With raw parameters of 0 all bins are alike and all slopes 1: the identity.

Source: Durkan, Bekasov, Murray, Papamakarios, "Neural Spline Flows" (2019), sections 3.1
and 3.2, equations 4 to 8; the spline itself is TensorFlow Probability's.
"""

from collections.abc import Callable
from typing import Annotated, ClassVar

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl.flows import coupling

tfb = tfp.bijectors

# No bin is narrower or lower than this share of all, no slope smaller (the paper's 1e-3).
_LEAST = 1e-3


@parameters.configurable
class NeuralSplineConfig:
  """Couplings of rational-quadratic splines.

  Attributes:
    num_couplings: Number of coupling layers.
    conditioner_units: Width of each coupling's tanh layer.
    num_bins: K, bins of each spline.
    bound: B: beyond it, in standard deviations of the latent, the flow is the identity.
  """

  gin_name: ClassVar[str] = 'neural_spline'

  num_couplings: Annotated[int, checks.COUPLINGS, ranges.COUPLINGS] = 2
  conditioner_units: Annotated[int, checks.WIDTH] = 32
  num_bins: Annotated[int, checks.integer(2, 64), parameters.Source('Durkan et al.')] = 8
  bound: Annotated[
    float, checks.POSITIVE, ranges.Range(0.1, 1e3, 'the latent is of size 1')
  ] = 5.0

  def build(self, dimension: int, embedding_size: int) -> 'NeuralSpline':
    """See `protocol.FlowConfig`."""
    return NeuralSpline(dimension, embedding_size, self)


class _Spline(tfb.RationalQuadraticSpline):
  """TFP's, whose result keeps the shape that is known of its input."""

  def _forward(self, x: tf.Tensor) -> tf.Tensor:
    return tf.ensure_shape(super()._forward(x), x.shape)

  def _inverse(self, y: tf.Tensor) -> tf.Tensor:
    return tf.ensure_shape(super()._inverse(y), y.shape)


class NeuralSpline:
  """See the module; a `protocol.Flow`."""

  embedding_size = None
  starts_from_zero = False

  def __init__(self, dimension: int, embedding_size: int, config: NeuralSplineConfig):
    """Makes the weights; see `protocol.FlowConfig.build`."""
    self._config = config
    self._masks = coupling.masks(dimension, config.num_couplings)
    self.layers = coupling.conditioners(
      self._masks,
      dimension,
      embedding_size,
      config.conditioner_units,
      parameters_per_entry=3 * config.num_bins - 1,
    )

  def bijector(self, embedding: tf.Tensor) -> tfb.Bijector:
    """See `protocol.Flow`."""

    def given_state(conditioner: coupling.Conditioner) -> Callable[..., tfb.Bijector]:
      return lambda kept: self._spline(conditioner(kept, embedding))

    return coupling.chain(
      self._masks, [given_state(conditioner) for conditioner in self.layers]
    )

  def _spline(self, raw: tf.Tensor) -> tfb.Bijector:
    """Returns the splines of the entries of one half, from [..., N · (3 K - 1)]."""
    bins, bound = self._config.num_bins, self._config.bound
    entries = raw.shape[-1] // (3 * bins - 1)
    shape = tf.concat([tf.shape(raw)[:-1], [entries, 3 * bins - 1]], axis=0)
    widths, heights, slopes = tf.split(
      tf.reshape(raw, shape), [bins, bins, bins - 1], axis=-1
    )

    def shares(values: tf.Tensor) -> tf.Tensor:
      share = _LEAST + (1 - _LEAST * bins) * tf.nn.softmax(values, axis=-1)
      return 2 * bound * share

    # softplus(r + c) is 1 - _LEAST at r = 0.
    at_zero = float(np.log(np.expm1(1 - _LEAST)))
    return _Spline(
      bin_widths=shares(widths),
      bin_heights=shares(heights),
      knot_slopes=_LEAST + tf.nn.softplus(slopes + at_zero),
      range_min=-bound,
    )
