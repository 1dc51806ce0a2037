"""The distribution of a layer's output: a Gaussian latent pushed through the flow."""

import tensorflow as tf
from tensorflow_probability.python.distributions import transformed_distribution


# The public `TransformedDistribution` is a composite tensor, and a saved policy would need
# its type registered to load, which a bijector made of closures cannot have. What it builds
# itself for such bijectors is this base class.
class LatentPolicyDistribution(transformed_distribution._TransformedDistribution):
  """π(u|s): u = f(z; s) with z from the prior N(0, I).

  TensorFlow Probability defines no mode for a bijector whose Jacobian varies. Here the mode
  is the push-forward of latent 0, the mode of the prior (docs/method.md, departure 2).
  """

  def _mode(self) -> tf.Tensor:
    return self.bijector.forward(self.distribution.mode())
