"""The distribution of a layer's output: a Gaussian latent pushed through the flow."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability.python.distributions import transformed_distribution

tfb = tfp.bijectors


class InsideBox(tfb.Bijector):
  """The identity, whose inverse takes a value on or past a box to the nearest one inside.

  Behind a squashing it keeps densities finite: on the box's boundary, and past it where
  rounding carries a value, tanh has no inverse. As a part of the bijector, not a step
  before it, it leaves alone what the bijector remembers: of its own outputs the inverse is
  the very input, however saturated the output was.
  """

  def __init__(self, low: np.ndarray, high: np.ndarray, name: str = 'inside_box'):
    """Creates the bijector.

    Args:
      low: The least value inside, float32 [D].
      high: The greatest value inside, float32 [D].
      name: Name of the bijector.
    """
    super().__init__(
      forward_min_event_ndims=0,
      is_constant_jacobian=True,
      parameters={'low': low, 'high': high, 'name': name},
      name=name,
    )
    self._low = low
    self._high = high

  @classmethod
  def _parameter_properties(cls, dtype):
    return {}

  def _forward(self, x: tf.Tensor) -> tf.Tensor:
    return x

  def _inverse(self, y: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(y, self._low, self._high)

  def _forward_log_det_jacobian(self, x: tf.Tensor) -> tf.Tensor:
    return tf.zeros([], x.dtype)


# The public `TransformedDistribution` is a composite tensor, and a saved policy would need
# its type registered to load, which a bijector made of closures cannot have. What it builds
# itself for such bijectors is this base class.
class LatentPolicyDistribution(transformed_distribution._TransformedDistribution):
  """π(u|s): u = f(z; s) with z from the prior N(0, I).

  Batch shape [B], that of the observations, and event shape [D]. Densities take values of
  any shape that broadcasts with [B, D], of any number type. In a box they are finite
  everywhere: a value on the boundary has the density of the nearest one inside, as in
  `encode`, and so has one past it.

  TensorFlow Probability defines no mode for a bijector whose Jacobian varies. Here the mode
  is the push-forward of latent 0, the mode of the prior (docs/method.md, departure 2).
  """

  # Standard error of the entropy: the spread of log |det df/dz| over the square root of it.
  ENTROPY_SAMPLES = 256

  def sample_and_log_prob(
    self, seed: tf.Tensor, command: tf.Tensor | None = None
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns an output u, [B, D], and log π(u|s), [B].

    Args:
      seed: Of the latent, [2] int32.
      command: The first entries of the latent, float32 [B, n]; the others are drawn. None
        draws all. log π is that of the whole latent either way.
    """
    if command is None:
      return self.experimental_sample_and_log_prob(seed=seed)
    noise = self.distribution.sample(seed=seed)
    latent = tf.concat([command, noise[..., command.shape[-1] :]], axis=-1)
    # Not of u: the inverse of a saturated output is known only roughly.
    log_det = self.bijector.forward_log_det_jacobian(latent, event_ndims=1)
    return self.bijector.forward(latent), self.distribution.log_prob(latent) - log_det

  def _mode(self) -> tf.Tensor:
    return self.bijector.forward(self.distribution.mode())

  def _entropy(self, num_samples: int = ENTROPY_SAMPLES, seed: object = None) -> tf.Tensor:
    """Entropy in nats, [B]: H(z) + E log |det df/dz|.

    Exact where the Jacobian is constant, as for a Gaussian on a latent. Otherwise the mean
    over draws of z, unbiased and differentiable.

    Args:
      num_samples: How many draws; `entropy` passes it on.
      seed: As in `sample`: None draws anew in each call.
    """
    if self.bijector.is_constant_jacobian:
      return super()._entropy()
    latent = self.distribution.sample(num_samples, seed=seed)
    log_det = self.bijector.forward_log_det_jacobian(latent, event_ndims=1)
    return self.distribution.entropy() + tf.reduce_mean(log_det, axis=0)

  def __getitem__(self, slices):
    if self.bijector.experimental_batch_shape(x_event_ndims=1) != self.batch_shape:
      raise NotImplementedError(
        'The distribution of a flow has no slices: the flow holds the observations. Make '
        'it of the observations wanted.'
      )
    return super().__getitem__(slices)

  # Every density comes from here.
  def experimental_local_measure(self, y, backward_compat=False, **kwargs):
    y = self._with_batch_shape(y)
    return super().experimental_local_measure(y, backward_compat, **kwargs)

  def _with_batch_shape(self, value: tf.Tensor) -> tf.Tensor:
    """Returns a value [..., D] in this dtype, its shape broadcast with [B, D].

    What has dtype and shape already is returned itself: the bijector knows its own outputs.
    """
    value = tf.cast(value, self.dtype)
    batch, lead = self.batch_shape, value.shape[:-1]
    if lead.as_list()[len(lead) - len(batch) :] == batch.as_list():
      return value
    shape = tf.broadcast_dynamic_shape(tf.shape(value)[:-1], self.batch_shape_tensor())
    return tf.broadcast_to(value, tf.concat([shape, tf.shape(value)[-1:]], axis=0))
