"""A layer as a computation: latent to action and back, through every layer below.

The same module acts during training and is what gets exported, so what is saved is what
was trained. Symbols: z the top latent, u = f(z; s) this layer's output, a the action.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from latent_hrl import observations
from latent_hrl.networks import boxes
from latent_hrl.networks import policy as policy_lib

# The signatures of every saved layer; one with an interval in its stack has `act` too.
SIGNATURES = ('serving_default', 'decode', 'encode', 'sample')


def _finite(*inputs: tf.Tensor) -> tf.Tensor:
  """Whether all entries of each row are finite, bool [B], for inputs [B, ...]."""
  # A comparison and no IsFinite, which LiteRT has not. No compiler may drop it.
  rows = [tf.reduce_all(tf.abs(value) < np.inf, axis=-1) for value in inputs]
  return rows[0] if len(rows) == 1 else tf.logical_and(*rows)


def _or_nan(known: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
  """Returns rows of `value`, [B] or [B, D], where `known` [B], NaN in the others."""
  known = tf.reshape(known, [-1] + [1] * (value.shape.rank - 1))
  return tf.where(known, value, np.float32(np.nan))


def _node_name(words: str) -> str:
  """Returns the name of an operation that says this, as far as TensorFlow permits."""
  return re.sub(r'\W+', '_', words, flags=re.ASCII).strip('_')


class LayerModule(tf.Module):
  """One layer on top of its frozen lower layers.

  `forward` and `inverse` are what the layer above builds on; the signatures of a saved
  layer are made of them. They know no time: every layer puts out anew.

  `act` takes one environment step and keeps outputs over time: a layer with an interval of
  k puts out every k steps of an episode, a layer below it every step or at an interval that
  divides k. Its arguments are the observation [B, O], the latent [B, D], the outputs held
  from the last step [B, H, D], top first, and the step of the episode [B]; it returns this
  layer's output, the action, each [B, D], and what to hold. H counts the layers with an
  interval above 1.

  A row of a batch whose observation or latent is not finite has NaN in every output, since
  an activation such as relu would hide it; other rows do not notice. An action that is
  infinite is beyond the box, and clipped like any other there.

  Only variables and traced functions hang on this object, so a SavedModel of it needs
  nothing but TensorFlow.
  """

  def __init__(
    self,
    network: policy_lib.PolicyNetwork,
    fields: observations.Fields,
    reads: observations.Fields,
    lower: Any = None,
    lower_fields: observations.Fields = (),
    interval: int = 1,
    held_below: int = 0,
  ):
    """Builds the functions.

    Args:
      network: The policy of this layer.
      fields: Observation fields of the whole stack, in the order of the task.
      reads: Those that this layer reads.
      lower: A `LayerModule` or a loaded SavedModel of one; None for a bottom layer.
      lower_fields: Observation fields of `lower`, in its order.
      interval: Environment steps for which this layer keeps its output.
      held_below: Number of layers below that keep their output for more than one step.
    """
    super().__init__(name='layer')
    # A SavedModel holds what hangs on the object.
    self._owned_variables = list(network.variables)
    self._lower = lower
    dimension = network.dimension
    held_outputs = held_below + (interval > 1)
    own = observations.indices(fields, reads)
    below = observations.indices(fields, lower_fields)
    size = observations.total_size(fields)
    everything = np.arange(size)
    # By its name TensorFlow tells of the operation that fails.
    told = _node_name(f'observation_is_{observations.describe(fields)}')

    def checked(
      observation: tf.Tensor, vector: tf.Tensor, name: str
    ) -> tuple[tf.Tensor, tf.Tensor]:
      return (
        tf.ensure_shape(observation, [None, size], name=told),
        tf.ensure_shape(vector, [None, dimension], name=f'{name}_is_of_size_{dimension}'),
      )

    def take(observation: tf.Tensor, where: np.ndarray) -> tf.Tensor:
      if np.array_equal(where, everything):
        return observation
      return tf.gather(observation, where, axis=-1)

    def log_prior(latent: tf.Tensor) -> tf.Tensor:
      square = tf.reduce_sum(tf.square(latent), axis=-1)
      return -0.5 * (square + dimension * np.float32(np.log(2 * np.pi)))

    squash = network.squash
    if squash is not None:
      low = tf.constant(network.output_tensor_spec.minimum, tf.float32)
      high = tf.constant(network.output_tensor_spec.maximum, tf.float32)
      center, _ = boxes.center_and_half_width(network.output_tensor_spec)
      inside = boxes.inside_half_width(network.output_tensor_spec)

    def squash_log_det(value: tf.Tensor) -> tf.Tensor:
      """log |det| [B] of the squash, which acts on each entry by itself."""
      # Summed here: of the sum that TFP makes of a Jacobian without a batch dimension,
      # LiteRT keeps the first entry alone.
      entries = squash.forward_log_det_jacobian(value, event_ndims=0)
      return tf.reduce_sum(tf.broadcast_to(entries, tf.shape(value)), axis=-1)

    def forward(observation: tf.Tensor, latent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
      """z to (a, log |det da/dz|)."""
      observation, latent = checked(observation, latent, 'latent')
      action, log_det = own_forward(observation, latent)
      if lower is not None:
        action, lower_log_det = lower.forward(take(observation, below), action)
        log_det += lower_log_det
      known = _finite(observation, latent)
      return _or_nan(known, action), _or_nan(known, log_det)

    def own_forward(
      observation: tf.Tensor, latent: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
      """z to (u, log |det du/dz|)."""
      flow = network.flow(take(observation, own))
      output = flow.forward(latent)
      log_det = flow.forward_log_det_jacobian(latent, event_ndims=1)
      if squash is None:
        return output, log_det
      log_det += squash_log_det(output)
      # Rounding may carry a saturated output past the box.
      return tf.clip_by_value(squash.forward(output), low, high), log_det

    def act(
      observation: tf.Tensor, latent: tf.Tensor, held: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
      """One environment step: (u, a, held)."""
      observation, latent = checked(observation, latent, 'latent')
      output, _ = own_forward(observation, latent)
      output = _or_nan(_finite(observation, latent), output)
      if lower is None:
        return output, output, held
      kept = []
      if interval > 1:
        decides = tf.equal(step % interval, 0)[:, tf.newaxis]
        output = tf.where(decides, output, held[:, 0])
        kept, held = [output[:, tf.newaxis]], held[:, 1:]
      below_observation = take(observation, below)
      if held_below:
        _, action, held = lower.act(below_observation, output, held, step)
      else:
        action, _ = lower.forward(below_observation, output)
      # Whether or not this step is one in which the layer looks.
      action = _or_nan(_finite(observation), action)
      return output, action, tf.concat([*kept, held], axis=1)

    def inverse(
      observation: tf.Tensor, action: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
      """a to (z, log |det dz/da|, clipped)."""
      observation, action = checked(observation, action, 'action')
      output, log_det = action, tf.zeros(tf.shape(action)[:-1])
      clipped = tf.zeros(tf.shape(action)[:-1], tf.bool)
      if lower is not None:
        output, log_det, clipped = lower.inverse(take(observation, below), action)
      if squash is not None:
        offset = output - center
        clipped |= tf.reduce_any(tf.abs(offset) >= inside, axis=-1)
        output = squash.inverse(center + tf.clip_by_value(offset, -inside, inside))
        log_det -= squash_log_det(output)
      flow = network.flow(take(observation, own))
      latent = flow.inverse(output)
      log_det += flow.inverse_log_det_jacobian(output, event_ndims=1)
      # Not every machine's minimum and maximum keep a NaN, which clipping is made of.
      number = tf.reduce_all(tf.abs(action) <= np.inf, axis=-1)
      known = tf.logical_and(_finite(observation), number)
      return _or_nan(known, latent), _or_nan(known, log_det), clipped

    observation_spec = tf.TensorSpec([None, size], tf.float32, name='observation')
    latent_spec = tf.TensorSpec([None, dimension], tf.float32, name='latent')
    action_spec = tf.TensorSpec([None, dimension], tf.float32, name='action')
    seed_spec = tf.TensorSpec([2], tf.int32, name='seed')
    held_spec = tf.TensorSpec([None, held_outputs, dimension], tf.float32, name='held')
    step_spec = tf.TensorSpec([None], tf.int32, name='step')

    # What follows calls the traced functions: tracing a flow takes most of the time that
    # building and saving a layer does.
    def function(*signature: tf.TensorSpec):
      return lambda body: tf.function(body, input_signature=signature, autograph=False)

    self.forward = function(observation_spec, latent_spec)(forward)
    self.inverse = function(observation_spec, action_spec)(inverse)
    self.act = function(observation_spec, latent_spec, held_spec, step_spec)(act)

    @function(observation_spec)
    def serving_default(observation: tf.Tensor) -> dict[str, tf.Tensor]:
      latent = tf.zeros([tf.shape(observation)[0], dimension])
      return {'action': self.forward(observation, latent)[0]}

    @function(observation_spec, latent_spec)
    def decode(observation: tf.Tensor, latent: tf.Tensor) -> dict[str, tf.Tensor]:
      return {'action': self.forward(observation, latent)[0]}

    @function(observation_spec, action_spec)
    def encode(observation: tf.Tensor, action: tf.Tensor) -> dict[str, tf.Tensor]:
      latent, log_det, clipped = self.inverse(observation, action)
      log_prob = log_prior(latent) + log_det
      return {'latent': latent, 'log_prob': log_prob, 'clipped': clipped}

    @function(observation_spec, seed_spec)
    def sample(observation: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
      shape = [tf.shape(observation)[0], dimension]
      # The algorithm is named, so that every machine draws the same numbers.
      latent = tf.random.stateless_normal(shape, seed, alg='philox')
      action, log_det = self.forward(observation, latent)
      log_prob = log_prior(latent) - log_det
      return {'action': action, 'latent': latent, 'log_prob': log_prob}

    @function(observation_spec, latent_spec, held_spec, step_spec)
    def named_act(
      observation: tf.Tensor, latent: tf.Tensor, held: tf.Tensor, step: tf.Tensor
    ) -> dict[str, tf.Tensor]:
      output, action, held = self.act(observation, latent, held, step)
      return {'output': output, 'action': action, 'held': held}

    @tf.function(autograph=False)
    def serve(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
      if 'latent' in inputs:
        return decode(inputs['observation'], inputs['latent'])
      return serving_default(inputs['observation'])

    self.serving_default = serving_default
    self.decode = decode
    self.encode = encode
    self.sample = sample
    self.serve = serve
    if held_outputs:
      self._named_act = named_act

  def signatures(self) -> dict[str, Any]:
    """Returns the SavedModel signatures by name, and traces `serve`, to be saved too."""
    # It has no input signature of its own: it is saved with the traces it has.
    observation, latent = self.decode.input_signature
    self.serve.get_concrete_function({'observation': observation})
    self.serve.get_concrete_function({'observation': observation, 'latent': latent})
    signatures = {name: getattr(self, name) for name in SIGNATURES}
    if hasattr(self, '_named_act'):
      signatures['act'] = self._named_act
    return signatures


def interface(
  fields: observations.Fields, action_low: Sequence[float], action_high: Sequence[float]
) -> Callable[[], dict[str, tf.Tensor]]:
  """Returns a traced function without inputs by which a graph tells what it is for.

  It is saved with a layer, so that a manifest cannot contradict the graph unseen.

  Args:
    fields: Observation fields of the whole stack, in order.
    action_low: Lower bounds of the action box, [D].
    action_high: Upper bounds of the action box, [D].

  Returns:
    What gives the constants `action_low` and `action_high`, float32 [D], `fields`, string
    [F], the names in UTF-8, and `sizes`, int32 [F].
  """

  @tf.function(input_signature=[], autograph=False)
  def constants() -> dict[str, tf.Tensor]:
    return {
      'action_low': tf.constant(action_low, tf.float32),
      'action_high': tf.constant(action_high, tf.float32),
      'fields': tf.constant([field.name.encode('utf-8') for field in fields], tf.string),
      'sizes': tf.constant([field.size for field in fields], tf.int32),
    }

  return constants
