"""Encoders of states and of transitions, which policy and critics may see through.

For a state s and what the critic judges of it, a in half-widths of its box:

  z_s  = f(s) / mean |f(s)|        [Z]
  z_sa = g(z_s, a)                 [Z]

f and g are perceptrons with elu between their layers. z_s is divided by its mean absolute
value, so that embeddings can neither vanish nor grow. How they learn is in
`agents/embeddings.py`. Beside them the state, or state and action, may pass a projection of
that kind:

  W x / mean |W x|

so that they are not drowned by the embeddings.

Source: Fujimoto et al., "For SALE: State-Action Representation Learning for Deep
Reinforcement Learning" (2023), section 4.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import tensorflow as tf
from tf_agents.specs import tensor_spec

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl.networks import boxes

_MEASURED = parameters.Source('measured')


@parameters.configurable
class EmbeddingsConfig:
  """Embeddings of state and action that policy and critics see (docs/method.md).

  Attributes:
    size: Z, entries of an embedding.
    hidden_units: Widths of the elu layers of each encoder.
    projection_units: Width of a normalised projection of the state, or of state and action,
      that takes their place beside the embeddings; None leaves them as they are.
  """

  gin_name: ClassVar[str] = 'Embeddings'

  size: Annotated[int, checks.WIDTH, _MEASURED] = 64
  hidden_units: Annotated[Sequence[int], checks.several(checks.WIDTH), _MEASURED] = (128,)
  projection_units: Annotated[int | None, checks.optional(checks.WIDTH)] = None

  @property
  def specs(self) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    """Specs of z_s and z_sa, float32 [Z]."""
    spec = tf.TensorSpec([self.size], tf.float32)
    return spec, spec


# How a configuration of an agent takes one, if at all.
RULE = checks.optional(
  checks.Rule('@Embeddings()', lambda value: isinstance(value, EmbeddingsConfig))
)


def mean_abs_normalized(inputs: tf.Tensor) -> tf.Tensor:
  """Returns x / mean |x| over the last axis; of zeros, zeros."""
  mean = tf.reduce_mean(tf.abs(inputs), axis=-1, keepdims=True)
  return inputs / tf.maximum(mean, 1e-8)


def _perceptron(input_size: int, config: EmbeddingsConfig, name: str) -> tf.keras.Model:
  perceptron = tf.keras.Sequential(
    [tf.keras.layers.Dense(units, activation='elu') for units in config.hidden_units]
    + [tf.keras.layers.Dense(config.size)],
    name=name,
  )
  perceptron.build((None, input_size))
  return perceptron


class StateEncoder(tf.keras.layers.Layer):
  """s → z_s."""

  def __init__(
    self,
    spec: tensor_spec.TensorSpec,
    config: EmbeddingsConfig,
    name: str = 'state_encoder',
  ):
    """Creates the weights.

    Args:
      spec: Spec of the observation [O].
      config: The shape.
      name: Name of the layer.
    """
    super().__init__(name=name)
    self._size = int(spec.shape[0])
    with tf.name_scope(name):
      self._perceptron = _perceptron(self._size, config, 'state')

  def call(self, observation: tf.Tensor) -> tf.Tensor:
    """Returns z_s, float32 [B, Z], for [B, O]; a command behind that counts for nothing."""
    return mean_abs_normalized(self._perceptron(observation[..., : self._size]))


class TransitionEncoder(tf.keras.layers.Layer):
  """z_s, a → z_sa."""

  def __init__(
    self,
    spec: tensor_spec.TensorSpec,
    config: EmbeddingsConfig,
    name: str = 'transition_encoder',
  ):
    """Creates the weights.

    Args:
      spec: Spec of what the critic judges [D]; what is bounded is taken in half-widths.
      config: The shape.
      name: Name of the layer.
    """
    super().__init__(name=name)
    self._spec = spec
    with tf.name_scope(name):
      size = config.size + int(spec.shape[0])
      self._perceptron = _perceptron(size, config, 'transition')

  def call(self, embedding: tf.Tensor, judged: tf.Tensor) -> tf.Tensor:
    """Returns z_sa, float32 [B, Z], for z_s [B, Z] and what is judged [B, D]."""
    judged = boxes.in_half_widths(judged, self._spec)
    return self._perceptron(tf.concat([embedding, judged], axis=-1))
