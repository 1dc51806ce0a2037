"""Frozen layers as plain operations inside another graph, for gradients through them.

XLA compiles a call of a loaded function once, but its gradient anew in every call: the
shapes that the backward function takes from the forward one count as constants it has to
know. Written out in one graph, with the weights as constants, there is no such border.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

# Maps an observation [B, O] and a latent [B, D] to the action [B, D].
Decode = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def inlined(forward: Any) -> Decode:
  """Returns the decoding of a frozen layer, differentiable in the latent.

  Args:
    forward: `forward` of a loaded layer; its first output is the action.

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

  def write_out(observation: tf.Tensor, latent: tf.Tensor) -> tf.Tensor:
    # Identities, since the inputs may belong to a graph around this one.
    inputs = [tf.identity(observation), tf.identity(latent)]
    (action,) = tf.graph_util.import_graph_def(
      graph,
      input_map=dict(zip(names, inputs, strict=True)),
      return_elements=[frozen.outputs[0].name],
      name='lower',
    )
    return action

  # A tape does not see imported operations.
  @tf.custom_gradient
  def decode(observation: tf.Tensor, latent: tf.Tensor):
    action = write_out(observation, latent)
    return action, lambda upstream: (None, tf.gradients(action, latent, upstream)[0])

  def in_any_mode(observation: tf.Tensor, latent: tf.Tensor) -> tf.Tensor:
    if tf.executing_eagerly():
      return forward(observation, latent)[0]
    return decode(observation, latent)

  return in_any_mode
