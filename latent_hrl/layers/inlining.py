"""Frozen layers as plain operations inside another graph, for gradients through them.

XLA compiles a call of a loaded function once, but its gradient anew in every call: the
shapes that the backward function takes from the forward one count as constants it has to
know. Written out in one graph, with the weights as constants, there is no such border.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

# Maps an observation [B, O] and a latent z [B, D] to the action a [B, D] and to
# log |det da/dz| [B].
Decode = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def inlined(forward: Any) -> Decode:
  """Returns the decoding of a frozen layer, differentiable in the latent.

  Args:
    forward: `forward` of a loaded layer.

  Returns:
    A function of observation and latent. In a graph it writes out the operations of the
    layer and of all layers below; executed eagerly it calls `forward`.
  """
  (traced,) = forward.concrete_functions
  frozen = convert_to_constants.convert_variables_to_constants_v2(
    traced, aggressive_inlining=True
  )
  graph = frozen.graph.as_graph_def()
  names = [tensor.name for tensor in frozen.inputs]
  # Whoever calls brings the inputs; XLA knows no placeholder.
  nodes = [node for node in graph.node if node.op != 'Placeholder']
  del graph.node[:]
  graph.node.extend(nodes)

  # An eager gradient taken before has put its intermediates behind the two.
  returned = [tensor.name for tensor in frozen.outputs[:2]]

  def write_out(observation: tf.Tensor, latent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    # Identities, since the inputs may belong to a graph around this one.
    inputs = [tf.identity(observation), tf.identity(latent)]
    action, log_det = tf.graph_util.import_graph_def(
      graph,
      input_map=dict(zip(names, inputs, strict=True)),
      return_elements=returned,
      name='lower',
    )
    return action, log_det

  # A tape does not see imported operations.
  @tf.custom_gradient
  def decode(observation: tf.Tensor, latent: tf.Tensor):
    outputs = write_out(observation, latent)
    return outputs, lambda *upstream: (None, tf.gradients(outputs, latent, upstream)[0])

  def in_any_mode(observation: tf.Tensor, latent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    if tf.executing_eagerly():
      return forward(observation, latent)
    return decode(observation, latent)

  return in_any_mode
