"""The box of a bounded output, and tanh into it."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.specs import tensor_spec

tfb = tfp.bijectors

# An action nearer than this to the box's boundary, in half-widths, is moved inside before
# tanh is inverted (docs/method.md, departure 4).
BOUNDARY = 1e-6


def is_bounded(spec: tensor_spec.TensorSpec) -> bool:
  """Whether a layer with this output is squashed into a box.

  True for the action box of a task, False for the latent of the layer below.

  Args:
    spec: A float spec of shape [D].

  Raises:
    ValueError: If only some dimensions are bounded.
  """
  if not isinstance(spec, tensor_spec.BoundedTensorSpec):
    return False
  # TF-Agents writes an absent bound as the largest float.
  limit = np.finfo(np.float32).max
  finite = (np.abs(spec.minimum) < limit) & (np.abs(spec.maximum) < limit)
  if np.all(finite):
    return True
  if np.any(finite):
    raise ValueError(f'Either all or no dimensions of {spec} may be bounded.')
  return False


def center_and_half_width(
  spec: tensor_spec.BoundedTensorSpec,
) -> tuple[np.ndarray, np.ndarray]:
  """Returns center and half-width of a bounded spec, each float32 [D]."""
  low = np.broadcast_to(spec.minimum, spec.shape).astype(np.float64)
  high = np.broadcast_to(spec.maximum, spec.shape).astype(np.float64)
  return ((high + low) / 2).astype(np.float32), ((high - low) / 2).astype(np.float32)


def in_half_widths(output: tf.Tensor, spec: tensor_spec.TensorSpec) -> tf.Tensor:
  """Returns a bounded output in units of its box, [-1, 1]; an unbounded one as it is."""
  if not is_bounded(spec):
    return output
  center, half_width = center_and_half_width(spec)
  return (output - center) / half_width


def inside_half_width(spec: tensor_spec.BoundedTensorSpec) -> np.ndarray:
  """Returns how far from the center of a box tanh can be inverted, float32 [D].

  That is `BOUNDARY` short of the half-width, or what float32 can tell apart there.
  """
  half_width = center_and_half_width(spec)[1]
  largest = np.maximum(np.abs(spec.minimum), np.abs(spec.maximum)).astype(np.float32)
  # What is clipped must still be inside the box once float32 has rounded it.
  rounding = 2 * np.spacing(largest)
  return half_width - np.maximum(np.float32(BOUNDARY) * half_width, rounding)


class _Tanh(tfb.Tanh):
  """tanh whose inverse is made of operations that LiteRT has, as exact as `tf.atanh`."""

  def _inverse(self, y: tf.Tensor) -> tf.Tensor:
    return 0.5 * (tf.math.log1p(y) - tf.math.log1p(-y))


def tanh_squash(spec: tensor_spec.BoundedTensorSpec) -> tfb.Bijector:
  """Returns tanh into the box of a bounded spec."""
  center, half_width = center_and_half_width(spec)
  return tfb.Chain([tfb.Shift(center), tfb.Scale(half_width), _Tanh()])
