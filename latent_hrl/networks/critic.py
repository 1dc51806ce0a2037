"""Twin critics of a layer, as a TF-Agents network."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import tensorflow as tf
from tf_agents.networks import network
from tf_agents.specs import tensor_spec

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl.networks import boxes
from latent_hrl.networks import encoders


@parameters.configurable
class CriticConfig:
  """Shape of the twin critics.

  Attributes:
    hidden_units: Widths of the relu layers of each critic.
    layer_norm: Whether those layers are normalised (docs/method.md, departure 7).
    value_scale: What the last layer's output is multiplied with. With the size of the
      values here the weights stay near 1, as Adam likes them (docs/method.md, departure 8).
  """

  gin_name: ClassVar[str] = 'TwinCriticNetwork'

  hidden_units: Annotated[
    Sequence[int], checks.several(checks.WIDTH), parameters.Source('code')
  ] = (256, 256)
  layer_norm: Annotated[bool, checks.FLAG, parameters.Source('measured')] = True
  value_scale: Annotated[
    float,
    checks.POSITIVE,
    ranges.Range(1e-6, 1e6, 'values are sums of rewards of size 1'),
    parameters.Unit('reward'),
    parameters.Source('measured'),
  ] = 1.0


class EnsembleDense(tf.keras.layers.Layer):
  """One dense layer for each member of an ensemble, as a single batched product.

  With `layer_norm` each member's pre-activations are normalised over its units, then scaled
  and shifted by weights of its own (Ba et al., "Layer Normalization", 2016). The bias comes
  before that: without it the size of the inputs would be lost.
  """

  _EPSILON = 1e-3  # Keras's own.

  def __init__(
    self,
    members: int,
    units: int,
    activation: str | None,
    name: str,
    layer_norm: bool = False,
  ):
    super().__init__(name=name)
    self._members = members
    self._units = units
    self._activation = tf.keras.activations.get(activation)
    self._layer_norm = layer_norm

  def build(self, input_shape: tf.TensorShape) -> None:
    # Each member is initialised like a Dense layer of its own: Glorot's fan must not
    # count the ensemble's axis.
    fan_in, members, units = int(input_shape[-1]), self._members, self._units
    limit = float(np.sqrt(6.0 / (fan_in + units)))
    self._kernel = self.add_weight(
      name='kernel',
      shape=(members, fan_in, units),
      initializer=tf.keras.initializers.RandomUniform(-limit, limit),
    )
    self._bias = self.add_weight(
      name='bias', shape=(members, 1, units), initializer='zeros'
    )
    if self._layer_norm:
      self._scale = self.add_weight(
        name='scale', shape=(members, 1, units), initializer='ones'
      )
      self._offset = self.add_weight(
        name='offset', shape=(members, 1, units), initializer='zeros'
      )

  def call(self, inputs: tf.Tensor) -> tf.Tensor:
    hidden = tf.matmul(inputs, self._kernel) + self._bias
    if self._layer_norm:
      mean, variance = tf.nn.moments(hidden, axes=[-1], keepdims=True)
      hidden = (hidden - mean) * tf.math.rsqrt(variance + self._EPSILON)
      hidden = hidden * self._scale + self._offset
    return self._activation(hidden)


class TwinCriticNetwork(network.Network):
  """Two Q functions of (observation, this layer's output) as one batched network."""

  MEMBERS = 2

  def __init__(
    self,
    input_tensor_spec: tuple[tensor_spec.TensorSpec, tensor_spec.TensorSpec],
    config: CriticConfig | None = None,
    embeddings: encoders.EmbeddingsConfig | None = None,
    name: str = 'TwinCriticNetwork',
  ):
    """Creates the network; its variables appear on the first call.

    Args:
      input_tensor_spec: Specs of the observation [O] and of the layer's output [D],
        float32. A bounded output is rescaled to [-1, 1] first.
      config: Its shape; the defaults, and what gin binds, if None.
      embeddings: Shape of the embeddings z_s and z_sa that it sees, too; None for none.
      name: Name of the network.
    """
    config = CriticConfig() if config is None else config
    seen_spec: tuple[tensor_spec.TensorSpec, ...] = input_tensor_spec
    if embeddings is not None:
      seen_spec += embeddings.specs
    super().__init__(input_tensor_spec=seen_spec, state_spec=(), name=name)
    self._config = config
    self._embeddings = embeddings
    self._output_spec = input_tensor_spec[1]
    self._projection = None
    if embeddings is not None and embeddings.projection_units is not None:
      units = embeddings.projection_units
      self._projection = EnsembleDense(self.MEMBERS, units, None, 'projection')
    self._hidden_layers = [
      EnsembleDense(self.MEMBERS, units, 'relu', f'hidden_{i}', config.layer_norm)
      for i, units in enumerate(config.hidden_units)
    ]
    self._value_layer = EnsembleDense(self.MEMBERS, 1, None, name='value')
    self._value_scale = config.value_scale

  def copy(self, **kwargs: Any) -> 'TwinCriticNetwork':
    """Returns a network of the same shape, whatever gin binds now; see TF-Agents."""
    return super().copy(**{'config': self._config, **kwargs})

  @property
  def embeddings(self) -> encoders.EmbeddingsConfig | None:
    """Shape of the embeddings that it sees; None for none."""
    return self._embeddings

  def call(
    self,
    inputs: tuple[tf.Tensor, ...],
    step_type: tf.Tensor | None = None,
    network_state: tuple = (),
    training: bool = False,
  ) -> tuple[tf.Tensor, tuple]:
    """Returns both values, float32 [B, 2], for (observation [B, O], output [B, D]).

    With embeddings, for (observation, output, z_s [B, Z], z_sa [B, Z]).
    """
    del step_type, training
    observation, output, *seen = inputs
    output = boxes.in_half_widths(output, self._output_spec)
    hidden = tf.concat([observation, output], axis=-1)[tf.newaxis]
    hidden = tf.tile(hidden, [self.MEMBERS, 1, 1])
    if self._projection is not None:
      hidden = encoders.mean_abs_normalized(self._projection(hidden))
    if seen:
      both = tf.concat(seen, axis=-1)[tf.newaxis]
      hidden = tf.concat([hidden, tf.tile(both, [self.MEMBERS, 1, 1])], axis=-1)
    for layer in self._hidden_layers:
      hidden = layer(hidden)
    values = self._value_scale * tf.squeeze(self._value_layer(hidden), axis=-1)
    return tf.transpose(values), network_state
