"""The networks of a layer: an actor that returns a flow, and twin critics."""

from collections.abc import Sequence
from typing import Protocol

import gin
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.networks import network
from tf_agents.specs import tensor_spec

from latent_hrl import distributions
from latent_hrl import flows

tfb = tfp.bijectors
tfd = tfp.distributions

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


def box_center_and_half_width(
  spec: tensor_spec.BoundedTensorSpec,
) -> tuple[np.ndarray, np.ndarray]:
  """Returns center and half-width of a bounded spec, each float32 [D]."""
  low = np.broadcast_to(spec.minimum, spec.shape).astype(np.float64)
  high = np.broadcast_to(spec.maximum, spec.shape).astype(np.float64)
  return ((high + low) / 2).astype(np.float32), ((high - low) / 2).astype(np.float32)


def inside_half_width(spec: tensor_spec.BoundedTensorSpec) -> np.ndarray:
  """Returns how far from the center of a box tanh can be inverted, float32 [D].

  That is `BOUNDARY` short of the half-width, or what float32 can tell apart there.
  """
  half_width = box_center_and_half_width(spec)[1]
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
  center, half_width = box_center_and_half_width(spec)
  return tfb.Chain([tfb.Shift(center), tfb.Scale(half_width), _Tanh()])


class PolicyNetwork(Protocol):
  """What a layer acts with: u = squash(f(z; s)), f invertible in z.

  Attributes:
    variables: Its weights.
    dimension: D, the size of latent and output.
    input_tensor_spec: Spec of the observation [O].
    output_tensor_spec: Spec of the output [D].
    squash: From R^D into the box of a bounded output, the identity for one that is only
      clipped; None for an unbounded output.
  """

  @property
  def variables(self) -> Sequence[tf.Variable]: ...
  @property
  def dimension(self) -> int: ...
  @property
  def input_tensor_spec(self) -> tensor_spec.TensorSpec: ...
  @property
  def output_tensor_spec(self) -> tensor_spec.TensorSpec: ...
  @property
  def squash(self) -> tfb.Bijector | None: ...

  def flow(self, observation: tf.Tensor) -> tfb.Bijector:
    """Returns f(·; s) for observations [B, O] float32, on latents [..., B, D]."""

  def copy(self, name: str) -> 'PolicyNetwork':
    """Returns a network of the same shape with weights of its own."""

  def create_variables(self) -> None:
    """Makes the weights."""


class CouplingConditioner(tf.keras.layers.Layer):
  """Shift and raw log-scale of one coupling, from the kept half and the state.

  One hidden tanh layer (docs/method.md); the last layer starts at zero, so a
  fresh coupling is the identity (docs/method.md, departure 3).
  """

  def __init__(
    self,
    input_size: int,
    hidden_units: int,
    output_size: int,
    shift_scale: float,
    name: str,
  ):
    super().__init__(name=name)
    self._shift_scale = shift_scale
    self._hidden = tf.keras.layers.Dense(hidden_units, 'tanh', name='hidden')
    self._output = tf.keras.layers.Dense(
      2 * output_size, kernel_initializer='zeros', name='output'
    )
    # Built here: TFP calls the conditioner lazily, long after the network counts as built.
    with tf.name_scope(name):
      self._hidden.build((None, input_size))
      self._output.build((None, hidden_units))

  def call(self, kept: tf.Tensor, embedding: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    if kept.shape.rank > embedding.shape.rank:  # Several latents for each observation.
      shape = tf.concat([tf.shape(kept)[:-1], tf.shape(embedding)[-1:]], axis=0)
      embedding = tf.broadcast_to(embedding, shape)
    hidden = self._hidden(tf.concat([kept, embedding], axis=-1))
    shift, raw_log_scale = tf.split(self._output(hidden), 2, axis=-1)
    return self._shift_scale * shift, raw_log_scale


@gin.configurable
class LatentPolicyNetwork(network.Network):
  """An actor network whose output distribution is a conditional RealNVP flow.

  A bounded output is squashed by tanh into its box; an unbounded one is the latent of
  the layer below.
  """

  def __init__(
    self,
    input_tensor_spec: tensor_spec.TensorSpec,
    output_tensor_spec: tensor_spec.TensorSpec,
    embedding_units: Sequence[int] = (256, 256),
    embedding_size: int | None = None,
    num_couplings: int = 2,
    conditioner_units: int | None = 32,
    log_scale_bound: float = 3.0,
    shift_scale: float = 1.0,
    name: str = 'LatentPolicyNetwork',
  ):
    """Creates the network; its variables appear on the first call.

    Args:
      input_tensor_spec: Observation spec, float32 [O].
      output_tensor_spec: Spec of the layer's output, float32 [D], D ≥ 1: the action box,
        or unbounded for the latent of the layer below.
      embedding_units: Widths of the relu layers that embed the state.
      embedding_size: Size of the state embedding; 2·D if None (docs/method.md).
      num_couplings: Number of coupling layers. 0 makes it a Gaussian policy, to compare
        with: shift and log-scale of the latent come from the state alone.
      conditioner_units: Width of each coupling's tanh layer; D if None (docs/method.md).
      log_scale_bound: Bound on each coupling's log-scale.
      shift_scale: What the networks' shifts are multiplied with. The latent of a trained
        layer moves its action little; with about the inverse of that, a step of
        Adam moves the action as far above it as in it (docs/method.md, "A second layer").
      name: Name of the network.

    Raises:
      ValueError: If the specs are not one-dimensional float32, a size is below 1, or the
        scale is not positive.
    """
    for label, spec in (('input', input_tensor_spec), ('output', output_tensor_spec)):
      if (
        not isinstance(spec, tf.TypeSpec)
        or spec.dtype != tf.float32
        or spec.shape.rank != 1
      ):
        raise ValueError(f'The {label} of {name} must be one float32 vector, got {spec}.')
    if shift_scale <= 0:
      raise ValueError(f'shift_scale must be positive, got {shift_scale}.')
    super().__init__(input_tensor_spec=input_tensor_spec, state_spec=(), name=name)
    dimension = int(output_tensor_spec.shape[0])
    self._output_tensor_spec = output_tensor_spec
    self._dimension = dimension
    self._log_scale_bound = log_scale_bound
    self._shift_scale = shift_scale
    self._gaussian = num_couplings == 0
    self._masks = [] if self._gaussian else flows.coupling_masks(dimension, num_couplings)
    if self._gaussian:
      # The embedding itself is shift and log-scale, 0 at first: the identity.
      embedding_size, initializer = 2 * dimension, 'zeros'
    else:
      initializer = 'glorot_uniform'
      embedding_size = 2 * dimension if embedding_size is None else embedding_size
    conditioner_units = dimension if conditioner_units is None else conditioner_units
    for units in (*embedding_units, embedding_size, conditioner_units):
      if units < 1:
        raise ValueError(
          f'The units of every layer of {name} must be positive, got {units}.'
        )
    self._embedding = tf.keras.Sequential(
      [tf.keras.layers.Dense(units, activation='relu') for units in embedding_units]
      + [tf.keras.layers.Dense(embedding_size, kernel_initializer=initializer)],
      name='embedding',
    )
    self._conditioners = [
      CouplingConditioner(
        input_size=abs(mask) + embedding_size,
        hidden_units=conditioner_units,
        output_size=dimension - abs(mask),
        shift_scale=shift_scale,
        name=f'coupling_{i}',
      )
      for i, mask in enumerate(self._masks)
    ]
    self._squash = None
    if is_bounded(output_tensor_spec):
      self._squash = tanh_squash(output_tensor_spec)
      center, _ = box_center_and_half_width(output_tensor_spec)
      inside = inside_half_width(output_tensor_spec)
      self._inside_box = distributions.InsideBox(center - inside, center + inside)

  @property
  def dimension(self) -> int:
    """D, the size of the latent and of the output."""
    return self._dimension

  @property
  def output_tensor_spec(self) -> tensor_spec.TensorSpec:
    """Spec of the layer's output."""
    return self._output_tensor_spec

  @property
  def squash(self) -> tfb.Bijector | None:
    """From R^D into the box of a bounded output; None for an unbounded one."""
    return self._squash

  @property
  def embedding_variables(self) -> list[tf.Variable]:
    """The weights of the relu layers that embed the state.

    Any of them leave a fresh network the identity. The linear layer behind them is the
    network's own: it picks what the couplings need, and a Gaussian's shift and log-scale.
    """
    return list(self._embedding.variables)[:-2]

  def flow(self, observation: tf.Tensor) -> tfb.Bijector:
    """Returns f(·; s) without the squashing, for observations [B, O] float32.

    It maps latents [..., B, D]: any number of them for each observation.
    """
    embedding = self._embedding(observation)
    if self._gaussian:
      shift, raw_log_scale = tf.split(embedding, 2, axis=-1)
      return flows.bounded_affine(
        self._shift_scale * shift, raw_log_scale, self._log_scale_bound
      )

    def given_state(conditioner: CouplingConditioner) -> flows.Conditioner:
      return lambda kept: conditioner(kept, embedding)

    return flows.conditional_real_nvp(
      self._masks,
      [given_state(conditioner) for conditioner in self._conditioners],
      self._log_scale_bound,
    )

  def call(
    self,
    observation: tf.Tensor,
    step_type: tf.Tensor | None = None,
    network_state: tuple = (),
    training: bool = False,
  ) -> tuple[distributions.LatentPolicyDistribution, tuple]:
    """Returns the distribution of the output for observations [B, O] float32."""
    del step_type, training
    bijector = self.flow(observation)
    if self._squash is not None:
      bijector = tfb.Chain([self._inside_box, self._squash, bijector])
    latent_shape = tf.concat([tf.shape(observation)[:-1], [self._dimension]], axis=0)
    prior = tfd.MultivariateNormalDiag(loc=tf.zeros(latent_shape))
    return distributions.LatentPolicyDistribution(prior, bijector), network_state


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


@gin.configurable
class TwinCriticNetwork(network.Network):
  """Two Q functions of (observation, this layer's output) as one batched network."""

  MEMBERS = 2

  def __init__(
    self,
    input_tensor_spec: tuple[tensor_spec.TensorSpec, tensor_spec.TensorSpec],
    hidden_units: Sequence[int] = (256, 256),
    layer_norm: bool = True,
    value_scale: float = 1.0,
    name: str = 'TwinCriticNetwork',
  ):
    """Creates the network; its variables appear on the first call.

    Args:
      input_tensor_spec: Specs of the observation [O] and of the layer's output [D],
        float32. A bounded output is rescaled to [-1, 1] first.
      hidden_units: Widths of the relu layers of each critic.
      layer_norm: Whether those layers are normalised (docs/method.md, departure 7).
      value_scale: What the last layer's output is multiplied with, in units of reward.
        With the size of the values here the weights stay near 1, as Adam likes them.
      name: Name of the network.

    Raises:
      ValueError: If the scale is not positive.
    """
    if value_scale <= 0:
      raise ValueError(f'value_scale must be positive, got {value_scale}.')
    super().__init__(input_tensor_spec=input_tensor_spec, state_spec=(), name=name)
    self._center, self._half_width = None, None
    if is_bounded(input_tensor_spec[1]):
      self._center, self._half_width = box_center_and_half_width(input_tensor_spec[1])
    self._hidden_layers = [
      EnsembleDense(self.MEMBERS, units, 'relu', f'hidden_{i}', layer_norm)
      for i, units in enumerate(hidden_units)
    ]
    self._value_layer = EnsembleDense(self.MEMBERS, 1, None, name='value')
    self._value_scale = value_scale

  def call(
    self,
    inputs: tuple[tf.Tensor, tf.Tensor],
    step_type: tf.Tensor | None = None,
    network_state: tuple = (),
    training: bool = False,
  ) -> tuple[tf.Tensor, tuple]:
    """Returns both values, float32 [B, 2], for (observation [B, O], output [B, D])."""
    del step_type, training
    observation, output = inputs
    if self._center is not None:
      output = (output - self._center) / self._half_width
    hidden = tf.concat([observation, output], axis=-1)[tf.newaxis]
    hidden = tf.tile(hidden, [self.MEMBERS, 1, 1])
    for layer in self._hidden_layers:
      hidden = layer(hidden)
    values = self._value_scale * tf.squeeze(self._value_layer(hidden), axis=-1)
    return tf.transpose(values), network_state
