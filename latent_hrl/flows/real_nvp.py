"""Conditional RealNVP: affine couplings, steered by the state.

Symbols: z is the latent, u = f(z; s) the output, s the state (enters through the
conditioners only), D the dimension of z and u. Coupling i keeps one half k of its input
and maps the other half x to

  forward:  y = x · exp(l) + t        log |det df/dx| =  Σ l
  inverse:  x = (y - t) · exp(-l)     log |det df⁻¹/dy| = -Σ l

with (t, r) = conditioner_i(k; s) and the bounded log-scale l = b · tanh(r / b)
(docs/method.md, departure 3).

Source: Dinh, Sohl-Dickstein, Bengio, "Density estimation using Real NVP" (2017), eqs. 7
and 8; Haarnoja et al., "Latent Space Policies for Hierarchical Reinforcement Learning"
(2018), section 4.3.
"""

from collections.abc import Callable
from typing import Annotated, ClassVar

import tensorflow as tf
import tensorflow_probability as tfp

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl.flows import coupling

tfb = tfp.bijectors


@parameters.configurable
class RealNvpConfig:
  """Affine couplings.

  Attributes:
    num_couplings: Number of coupling layers.
    conditioner_units: Width of each coupling's hidden layer; D if None (docs/method.md).
    conditioner_activation: Of that layer, `tanh` as in the paper, or `relu`.
    log_scale_bound: b, the bound on each coupling's log-scale.
    shift_scale: What the networks' shifts are multiplied with. The latent of a trained
      layer moves its action little; with about the inverse of that, a step of Adam moves
      the action as far above it as in it (docs/method.md, "A second layer").
  """

  gin_name: ClassVar[str] = 'real_nvp'

  num_couplings: Annotated[
    int, checks.COUPLINGS, ranges.COUPLINGS, parameters.Source('paper, code')
  ] = 2
  conditioner_units: Annotated[
    int | None,
    checks.optional(checks.WIDTH),
    parameters.Source('prototype; code: D'),
  ] = 32
  conditioner_activation: Annotated[
    str, checks.one_of(coupling.ACTIVATIONS), parameters.Source('paper')
  ] = 'tanh'
  log_scale_bound: Annotated[
    float, checks.POSITIVE, ranges.LOG_SCALE_BOUND, parameters.Source('prototype')
  ] = coupling.LOG_SCALE_BOUND
  shift_scale: Annotated[float, checks.POSITIVE, ranges.SHIFT_SCALE] = coupling.SHIFT_SCALE

  def build(self, dimension: int, embedding_size: int) -> 'RealNvp':
    """See `protocol.FlowConfig`."""
    return RealNvp(dimension, embedding_size, self)


class RealNvp:
  """See the module; a `protocol.Flow`."""

  embedding_size = None
  starts_from_zero = False

  def __init__(self, dimension: int, embedding_size: int, config: RealNvpConfig):
    """Makes the weights; see `protocol.FlowConfig.build`."""
    self._config = config
    self._masks = coupling.masks(dimension, config.num_couplings)
    self.layers = coupling.conditioners(
      self._masks,
      dimension,
      embedding_size,
      config.conditioner_units or dimension,
      parameters_per_entry=2,
      activation=config.conditioner_activation,
    )

  def bijector(self, embedding: tf.Tensor) -> tfb.Bijector:
    """See `protocol.Flow`."""

    def given_state(conditioner: coupling.Conditioner) -> Callable[..., tfb.Bijector]:
      def affine(kept: tf.Tensor) -> tfb.Bijector:
        shift, raw_log_scale = tf.split(conditioner(kept, embedding), 2, axis=-1)
        return coupling.bounded_affine(
          self._config.shift_scale * shift, raw_log_scale, self._config.log_scale_bound
        )

      return affine

    return coupling.chain(
      self._masks, [given_state(conditioner) for conditioner in self.layers]
    )
