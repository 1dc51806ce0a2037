"""The distribution of a layer's output: a Gaussian latent pushed through the flow."""

import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions


class LatentPolicyDistribution(tfd.TransformedDistribution):
  """π(u|s): u = f(z; s) with z from the prior N(0, I).

  TensorFlow Probability defines no mode for a bijector whose Jacobian varies. Here the
  mode is the push-forward of latent 0, the mode of the prior (docs/method.md, departure 2).
  """

  def _mode(self) -> tf.Tensor:
    return self.bijector.forward(self.distribution.mode())
