"""Runs a layer in time: one environment step after the other, for several episodes."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

# `LayerModule.act`.
Act = Callable[..., tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def memoryless(forward: Callable[..., tuple[tf.Tensor, tf.Tensor]]) -> Act:
  """Returns `act` of layers that all put out anew every step, from their `forward`.

  It puts out the action.
  """

  def act(
    observation: tf.Tensor, latent: tf.Tensor, held: tf.Tensor, step: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    del step
    action, _ = forward(observation, latent)
    return action, action, held

  return act


class SteppedPolicy:
  """A layer on top of all layers below, compiled for a fixed number of episodes at once.

  It keeps what layers with an interval put out, until their next decision; each episode
  begins with one.
  """

  def __init__(
    self, act: Act, batch: int, observation_size: int, dimension: int, held_outputs: int
  ):
    """Compiles the policy on its first call.

    Args:
      act: See `module.LayerModule`.
      batch: B, episodes side by side.
      observation_size: O.
      dimension: D.
      held_outputs: H, layers with an interval above 1.
    """
    sizes = [observation_size, dimension, held_outputs * dimension, 1]

    # One tensor in and one out: every further one costs a tenth of a single action.
    def packed(inputs: tf.Tensor) -> tf.Tensor:
      observation, latent, held, step = tf.split(inputs, sizes, axis=-1)
      held = tf.reshape(held, [batch, held_outputs, dimension])
      output, action, held = act(observation, latent, held, tf.cast(step[:, 0], tf.int32))
      return tf.concat([output, action, tf.reshape(held, [batch, sizes[2]])], axis=-1)

    # The concrete function spares every call the search for a fitting trace.
    self._packed = tf.function(
      packed, jit_compile=True, autograph=False
    ).get_concrete_function(tf.TensorSpec([batch, sum(sizes)], tf.float32))
    self._dimension = dimension
    # What layers with an interval have put out, [B, H · D]: all that a policy remembers.
    self.held = np.zeros((batch, sizes[2]), np.float32)

  def __call__(
    self, observation: np.ndarray, latent: np.ndarray, step: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """Takes a step.

    Args:
      observation: float32 [B, O].
      latent: float32 [B, D], the top latent; looked at where the top layer decides.
      step: int32 [B], steps since the beginning of each episode.

    Returns:
      The top layer's output and the action, each float32 [B, D]; twice the action where no
      layer has an interval and the output is not kept.
    """
    inputs = (observation, latent, self.held, step[:, np.newaxis])
    packed = tf.constant(np.concatenate(inputs, axis=-1, dtype=np.float32))
    d = self._dimension
    output, action, self.held = np.split(self._packed(packed).numpy(), [d, 2 * d], axis=-1)
    return output, action
