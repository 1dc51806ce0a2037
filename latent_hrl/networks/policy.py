"""The policy of a layer, as a TF-Agents network that returns a flow."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Protocol

import attrs
import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.networks import network
from tf_agents.specs import tensor_spec

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl.flows import protocol as flow_protocol
from latent_hrl.flows import real_nvp
from latent_hrl.networks import boxes
from latent_hrl.networks import distributions
from latent_hrl.networks import encoders

tfb = tfp.bijectors
tfd = tfp.distributions


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


@parameters.configurable
class PolicyConfig:
  """Shape of the policy: the state's embedding, and the flow that it steers.

  Attributes:
    embedding_units: Widths of the relu layers that embed the state.
    embedding_size: Size of the state embedding; 2·D if None (docs/method.md). A flow may
      have a size of its own.
    flow: How the latent becomes the output: `@real_nvp()`, `@gaussian()` or
      `@neural_spline()`.
  """

  gin_name: ClassVar[str] = 'LatentPolicyNetwork'

  embedding_units: Annotated[
    Sequence[int], checks.several(checks.WIDTH), parameters.Source('code')
  ] = (256, 256)
  embedding_size: Annotated[
    int | None, checks.optional(checks.WIDTH), parameters.Source('code')
  ] = None
  flow: Annotated[
    flow_protocol.FlowConfig,
    checks.Rule('a flow such as @real_nvp()', lambda value: hasattr(value, 'build')),
    parameters.Source('paper'),
  ] = attrs.field(factory=real_nvp.RealNvpConfig)


class LatentPolicyNetwork(network.Network):
  """An actor network whose output distribution is a flow, conditional on the state.

  A bounded output is squashed by tanh into its box; an unbounded one is the latent of
  the layer below.
  """

  def __init__(
    self,
    input_tensor_spec: tensor_spec.TensorSpec,
    output_tensor_spec: tensor_spec.TensorSpec,
    config: PolicyConfig | None = None,
    embeddings: encoders.EmbeddingsConfig | None = None,
    name: str = 'LatentPolicyNetwork',
  ):
    """Creates the network; the embedding's variables appear on the first call.

    Args:
      input_tensor_spec: Observation spec, float32 [O].
      output_tensor_spec: Spec of the layer's output, float32 [D], D ≥ 1: the action box,
        or unbounded for the latent of the layer below.
      config: Its shape; the defaults, and what gin binds, if None.
      embeddings: Shape of the embedding z_s that its own layers see beside the state; None
        for none. What makes it is a part of the network that others train.
      name: Name of the network.

    Raises:
      ValueError: If the specs are not one-dimensional float32.
    """
    for label, spec in (('input', input_tensor_spec), ('output', output_tensor_spec)):
      if (
        not isinstance(spec, tf.TypeSpec)
        or spec.dtype != tf.float32
        or spec.shape.rank != 1
      ):
        raise ValueError(f'The {label} of {name} must be one float32 vector, got {spec}.')
    config = PolicyConfig() if config is None else config
    super().__init__(input_tensor_spec=input_tensor_spec, state_spec=(), name=name)
    self._config = config
    self._embeddings = embeddings
    self._state_encoder = None
    self._projection = None
    if embeddings is not None:
      self._state_encoder = encoders.StateEncoder(
        input_tensor_spec, embeddings, f'{name}_state_encoder'
      )
      self._state_encoder.trainable = False
      if embeddings.projection_units is not None:
        units = embeddings.projection_units
        self._projection = tf.keras.layers.Dense(units, name='projection')
    dimension = int(output_tensor_spec.shape[0])
    self._output_tensor_spec = output_tensor_spec
    self._dimension = dimension
    size = 2 * dimension if config.embedding_size is None else config.embedding_size
    self._flow = config.flow.build(dimension, size)
    self._embedding = tf.keras.Sequential(
      [tf.keras.layers.Dense(units, activation='relu') for units in config.embedding_units]
      + [
        tf.keras.layers.Dense(
          self._flow.embedding_size or size,
          kernel_initializer='zeros' if self._flow.starts_from_zero else 'glorot_uniform',
        )
      ],
      name='embedding',
    )
    self._conditioners = list(self._flow.layers)  # For Keras to find their weights.
    self._squash = None
    if boxes.is_bounded(output_tensor_spec):
      self._squash = boxes.tanh_squash(output_tensor_spec)
      center, _ = boxes.center_and_half_width(output_tensor_spec)
      inside = boxes.inside_half_width(output_tensor_spec)
      self._inside_box = distributions.InsideBox(center - inside, center + inside)

  def copy(self, **kwargs: Any) -> 'LatentPolicyNetwork':
    """Returns a network of the same shape, whatever gin binds now; see TF-Agents."""
    return super().copy(**{'config': self._config, **kwargs})

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
  def embeddings(self) -> encoders.EmbeddingsConfig | None:
    """Shape of the embedding z_s that it sees; None for none."""
    return self._embeddings

  @property
  def state_encoder(self) -> encoders.StateEncoder | None:
    """What makes z_s; its own losses do not train it."""
    return self._state_encoder

  @property
  def embedding_variables(self) -> list[tf.Variable]:
    """The weights of the relu layers that embed the state, and of its projection.

    Any of them leave a fresh network the identity. The linear layer behind them is the
    network's own: it picks what the couplings need, and a Gaussian's shift and log-scale.
    """
    projection = [] if self._projection is None else list(self._projection.variables)
    return [*projection, *list(self._embedding.variables)[:-2]]

  def flow(self, observation: tf.Tensor) -> tfb.Bijector:
    """Returns f(·; s) without the squashing, for observations [B, O] float32.

    It maps latents [..., B, D]: any number of them for each observation.
    """
    return self._flow.bijector(self._embedding(self._seen(observation)))

  def _seen(self, observation: tf.Tensor) -> tf.Tensor:
    """Returns the state as the network's own layers see it."""
    if self._state_encoder is None:
      return observation
    own = observation
    if self._projection is not None:
      own = encoders.mean_abs_normalized(self._projection(observation))
    return tf.concat([own, self._state_encoder(observation)], axis=-1)

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
