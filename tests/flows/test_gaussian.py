"""Tests of the Gaussian flow: by hand."""

import numpy as np
import tensorflow as tf

from latent_hrl.flows import gaussian


def test_the_embedding_is_shift_and_log_scale():
  config = gaussian.GaussianConfig(log_scale_bound=2.0, shift_scale=3.0)
  flow = config.build(dimension=2, embedding_size=99)
  assert flow.embedding_size == 4 and flow.starts_from_zero and not flow.layers

  bijector = flow.bijector(tf.constant([[0.5, -1.0, 0.0, 2.0]]))

  output = bijector.forward(tf.constant([[1.0, 2.0]]))
  scale = np.exp(2 * np.tanh(1.0))
  np.testing.assert_allclose(output, [[1.5 + 1.0, -3.0 + 2 * scale]], rtol=1e-5)
  log_det = bijector.forward_log_det_jacobian(tf.zeros([1, 2]), event_ndims=1)
  np.testing.assert_allclose(log_det, [2 * np.tanh(1.0)], rtol=1e-5)
