"""Inlined layers: the numbers and gradients of the loaded function, compiled once."""

import numpy as np
import tensorflow as tf

from latent_hrl.layers import inlining


def _inputs(seed=0):
  rng = np.random.default_rng(seed)
  return [tf.constant(rng.normal(size=(4, n)).astype(np.float32)) for n in (5, 2)]


def _gradient(decode, observation, latent):
  with tf.GradientTape() as tape:
    tape.watch(latent)
    action, log_det = decode(observation, latent)
    loss = tf.reduce_sum(action * tf.constant([1.0, -2.0])) + 0.5 * tf.reduce_sum(log_det)
  return action, tape.gradient(loss, latent), log_det


def test_three_layers_decode_and_differentiate_as_the_loaded_ones(saved_stack):
  forward = saved_stack.top.saved.module.forward
  decode = inlining.inlined(forward)

  @tf.function(jit_compile=True, autograph=False)
  def compiled(observation, latent):
    return _gradient(decode, observation, latent)

  inputs = _inputs()
  expected = _gradient(forward, *inputs)
  for mine, theirs in zip(compiled(*inputs), expected, strict=True):
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
  assert np.abs(expected[1]).max() > 1e-3
  for mine, theirs in zip(_gradient(decode, *inputs), expected, strict=True):
    np.testing.assert_array_equal(mine, theirs)  # Eagerly it is the loaded function.


def test_the_layers_are_written_out_with_constant_weights(saved_stack):
  decode = inlining.inlined(saved_stack.top.saved.module.forward)

  @tf.function(autograph=False)
  def gradient(observation, latent):
    # In a loop, as the fused update calls it.
    step = lambda i, z: (i + 1, z - _gradient(decode, observation, z)[1])  # noqa: E731
    return tf.while_loop(lambda i, _: i < 2, step, (0, latent))[1]

  graph = gradient.get_concrete_function(*_inputs()).graph
  called = {node.op for node in graph.as_graph_def().node}
  within = graph.as_graph_def().library.function
  called |= {node.op for function in within for node in function.node_def}
  # A call would bring back what XLA compiles anew each time.
  assert not called & {'PartitionedCall', 'StatefulPartitionedCall', 'ReadVariableOp'}
  assert {'MatMul', 'Tanh'} <= called
