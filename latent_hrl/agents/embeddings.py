"""Embeddings that predict what follows of an action, and three generations of them.

With f, g and z as in `networks/encoders.py`, on a batch (s, a, s'):

  z_s = f(s),    z_sa = g(z_s, a),    loss  mean ( z_sa - f(s') )²,    f(s') held fixed

What follows of an action is worth knowing for policy and critics, and each transition
teaches it, whatever its reward. That neither learns on what moves, there are three pairs
(f, g): one that learns; one in use by policy and critics; one in use by the target critics.
Whenever the target critics follow, with their share τ,

  target ← (1 - τ) target + τ in use,    in use ← (1 - τ) in use + τ learning

Source: Fujimoto et al., "For SALE: State-Action Representation Learning for Deep
Reinforcement Learning" (2023), section 4.
"""

from collections.abc import Sequence

import tensorflow as tf
from tf_agents.specs import tensor_spec
from tf_agents.utils import common

from latent_hrl.agents import protocol
from latent_hrl.networks import encoders
from latent_hrl.networks import policy as policy_lib


class Encoder(tf.Module):
  """A pair (f, g)."""

  def __init__(
    self, state: encoders.StateEncoder, transition: encoders.TransitionEncoder, name: str
  ):
    super().__init__(name=name)
    self.state = state
    self.transition = transition

  @property
  def weights(self) -> list[tf.Variable]:
    """Those of f, then those of g."""
    return [*self.state.variables, *self.transition.variables]

  def __call__(
    self, observation: tf.Tensor, judged: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns z_s and z_sa, float32 [B, Z], of observations [B, O] and what is judged."""
    embedding = self.state(observation)
    return embedding, self.transition(embedding, judged)


class Embeddings(tf.Module):
  """The three generations.

  Attributes:
    learning: The one that learns.
    in_use: The one that policy and critics see; its f is the policy's own.
    of_targets: The one that the target critics see.
  """

  def __init__(
    self,
    networks: Sequence[policy_lib.LatentPolicyNetwork],
    judged_spec: tensor_spec.TensorSpec,
    optimizer: tf.keras.optimizers.Optimizer,
    name: str = 'Embeddings',
  ):
    """Makes all of them, at first the same.

    Args:
      networks: The policy that learns, and its average: each has an f of its own.
      judged_spec: Spec of what the critic judges.
      optimizer: A Keras optimizer of their own.
      name: Name of the module.

    Raises:
      ValueError: If a network has no embeddings.
    """
    super().__init__(name=name)
    config, spec = networks[0].embeddings, networks[0].input_tensor_spec
    own = [network.state_encoder for network in networks]
    if config is None or own[0] is None or own[1] is None:
      raise ValueError('The policy has no embeddings.')

    def make(name: str, state: encoders.StateEncoder | None = None) -> Encoder:
      state = state or encoders.StateEncoder(spec, config, f'{name}_state')
      transition = encoders.TransitionEncoder(judged_spec, config, f'{name}_transition')
      return Encoder(state, transition, name)

    self.learning = make('learning')
    self.in_use = make('in_use', own[0])
    self.of_targets = make('of_targets')
    self._average = own[1]
    self._optimizer = optimizer
    optimizer.build(self.learning.weights)
    for _ in range(2):  # The last generation takes from the one before.
      self.follow(tau=1.0)

  @property
  def state_parts(self) -> dict[str, list[tf.Variable]]:
    """All variables that a resumed run needs, by what they belong to."""
    return {
      'encoder': self.learning.weights,
      'encoder_in_use': self.in_use.weights,
      'encoder_of_targets': self.of_targets.weights,
      'encoder_of_average': list(self._average.variables),
      'encoder_optimizer': list(self._optimizer.variables),
    }

  def loss(self, batch: protocol.Batch, weights: tf.Tensor | float = 1.0) -> tf.Tensor:
    """Returns the loss of the module docstring, a scalar.

    Args:
      batch: Transitions, leading shape [B].
      weights: Scalar or float32 [B], multiplies each transition's loss.
    """
    following = tf.stop_gradient(self.learning.state(batch.next_observation))
    _, predicted = self.learning(batch.observation, batch.output)
    squared = tf.reduce_mean(tf.square(predicted - following), axis=-1)
    return tf.reduce_mean(weights * squared)

  def learn(self, batch: protocol.Batch, weights: tf.Tensor | float = 1.0) -> tf.Tensor:
    """Takes a step down the loss, and returns it."""
    variables = self.learning.weights
    with tf.GradientTape(watch_accessed_variables=False) as tape:
      tape.watch(variables)
      loss = self.loss(batch, weights)
    gradients = tape.gradient(loss, variables)
    self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return loss

  def follow(self, tau: float) -> None:
    """Each generation moves by a share τ towards the one before it."""
    common.soft_variables_update(self.in_use.weights, self.of_targets.weights, tau)
    common.soft_variables_update(self.learning.weights, self.in_use.weights, tau)
    own = self.in_use.state.variables
    common.soft_variables_update(own, self._average.variables, tau)
