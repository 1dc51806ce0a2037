"""The flow of a Gaussian policy, to compare with: shift and scale from the state alone.

u = z · exp(l) + t,    (t, l) of the state,    l = b · tanh(r / b)
"""

from typing import Annotated, ClassVar

import tensorflow as tf
import tensorflow_probability as tfp

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl.flows import coupling


@parameters.configurable
class GaussianConfig:
  """A Gaussian: the state's embedding itself is shift and log-scale.

  Attributes:
    log_scale_bound: b, the bound on the log-scale.
    shift_scale: What the network's shifts are multiplied with; see `real_nvp`.
  """

  gin_name: ClassVar[str] = 'gaussian'

  log_scale_bound: Annotated[float, checks.POSITIVE, ranges.LOG_SCALE_BOUND] = (
    coupling.LOG_SCALE_BOUND
  )
  shift_scale: Annotated[float, checks.POSITIVE, ranges.SHIFT_SCALE] = coupling.SHIFT_SCALE

  def build(self, dimension: int, embedding_size: int) -> 'Gaussian':
    """See `protocol.FlowConfig`; the embedding has 2 · D entries."""
    del embedding_size
    return Gaussian(dimension, self)


class Gaussian:
  """See the module; it has no weights but those of the embedding."""

  starts_from_zero = True
  layers = ()

  def __init__(self, dimension: int, config: GaussianConfig):
    self.embedding_size = 2 * dimension
    self._config = config

  def bijector(self, embedding: tf.Tensor) -> tfp.bijectors.Bijector:
    """See `protocol.Flow`."""
    shift, raw_log_scale = tf.split(embedding, 2, axis=-1)
    return coupling.bounded_affine(
      self._config.shift_scale * shift, raw_log_scale, self._config.log_scale_bound
    )
