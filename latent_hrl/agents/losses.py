"""The losses of a maximum-entropy layer.

On a batch (s, u, r, d, s') with d = 0 after a termination, else 1 (γᵏ⁻¹ in a layer that
acts every k steps), with H as in `entropy`:

  critic       Σ_i mean ½ (r + γ d [min_j Q̄_j(s', u') + α H(u'|s')] - Q_i(s, u))²
  actor        mean -( min_j Q_j(s, ũ) + α H(ũ|s) ),   ũ = f(z; s) reparameterised
  temperature  mean log α · ( H(ũ|s) - H_target ),     H held fixed

With embeddings a fourth is theirs (`embeddings`), and none of these three moves them; what
Q and Q̄ see, and the range of Q̄, is in `critics`.

The critic judges the output, Q(s, u), as in the paper; or, above other layers, what they
make of it: Q(s, g(u; s)), with g the frozen layers below, through which the actor's
gradient runs. Such a critic means the same in every layer.

Where a layer has a command (`commands`), s in Q(s, u) holds it, and the policy sees it as
the first entries of its latent.

Source: Haarnoja et al., "Latent Space Policies for Hierarchical Reinforcement Learning"
(2018), section 4; the automatic temperature follows Haarnoja et al., "Soft Actor-Critic
Algorithms and Applications" (2018), section 5, on log α.
"""

from typing import NamedTuple

import tensorflow as tf
from tf_agents.agents import tf_agent

from latent_hrl.agents import critics as critics_lib
from latent_hrl.agents import entropy as entropy_lib
from latent_hrl.agents import protocol
from latent_hrl.networks import policy as policy_lib


class LossExtra(NamedTuple):
  """What is worth watching during training; scalars, means over the batch.

  Attributes:
    critic_loss: See the module docstring.
    actor_loss: See the module docstring.
    temperature_loss: See the module docstring; 0 for a fixed temperature.
    temperature: α, in units of reward per nat, before the update.
    entropy: H in nats; minus the KL to the prior for the output of a layer on a latent.
    q_value: mean of Q over both critics.
    target_value: mean of the critics' regression target.
  """

  critic_loss: tf.Tensor
  actor_loss: tf.Tensor
  temperature_loss: tf.Tensor
  temperature: tf.Tensor
  entropy: tf.Tensor
  q_value: tf.Tensor
  target_value: tf.Tensor


class EmbeddingLossExtra(NamedTuple):
  """The same of an agent with embeddings.

  Attributes:
    encoder_loss: See `embeddings`.
  """

  critic_loss: tf.Tensor
  actor_loss: tf.Tensor
  temperature_loss: tf.Tensor
  temperature: tf.Tensor
  entropy: tf.Tensor
  q_value: tf.Tensor
  target_value: tf.Tensor
  encoder_loss: tf.Tensor


def loss_info(
  losses: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
  temperature: tf.Tensor,
  entropy: tf.Tensor,
  values: tf.Tensor,
  target: tf.Tensor,
  encoder_loss: tf.Tensor | None = None,
) -> tf_agent.LossInfo:
  """Gathers critic, actor, temperature and encoder loss with the means worth watching."""
  means = [tf.reduce_mean(part) for part in (entropy, values, target)]
  extra = LossExtra(*losses, temperature, *means)
  if encoder_loss is None:
    return tf_agent.LossInfo(sum(losses), extra)
  return tf_agent.LossInfo(
    sum(losses) + encoder_loss, EmbeddingLossExtra(*extra, encoder_loss)
  )


class Losses:
  """The losses on some networks; they own none of the variables.

  Attributes:
    entropy: H.
  """

  def __init__(
    self,
    actor_network: policy_lib.LatentPolicyNetwork,
    critics: critics_lib.Critics,
    target_critics: critics_lib.TargetCritics,
    log_temperature: tf.Variable,
    entropy: entropy_lib.Entropy,
    target_entropy: float,
    gamma: float,
  ):
    """Binds the networks.

    Args:
      actor_network: π.
      critics: Q, which learn.
      target_critics: Q̄, their slow copy.
      log_temperature: log α.
      entropy: H.
      target_entropy: H_target, in nats.
      gamma: γ, per environment step.
    """
    self._actor_network = actor_network
    self._critics = critics
    self._target_critics = target_critics
    self._log_temperature = log_temperature
    self.entropy = entropy
    self._target_entropy = target_entropy
    self._gamma = gamma

  @property
  def temperature(self) -> tf.Tensor:
    """α, scalar float32."""
    return tf.exp(self._log_temperature)

  def _sample(self, observation: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Samples u ~ π(·|s); returns what the critic judges of it [B, D], and its H [B]."""
    own, command = self._split(observation)
    distribution, _ = self._actor_network(own)
    output, log_prob = distribution.sample_and_log_prob(seed, command)
    return self.entropy.sampled(observation, output, log_prob)

  def _split(self, observation: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Returns what the policy sees [B, O], and the command behind it, if there is one."""
    size = self._actor_network.input_tensor_spec.shape[0]
    if observation.shape[-1] == size:
      return observation, None
    return observation[..., :size], observation[..., size:]

  def critic_target(self, batch: protocol.Batch, seed: tf.Tensor) -> tf.Tensor:
    """Returns the critics' regression target, float32 [B], without a gradient."""
    judged, entropy = self._sample(batch.next_observation, seed)
    values = self._target_critics.values(batch.next_observation, judged)
    soft_value = tf.reduce_min(values, axis=-1) + self.temperature * entropy
    return tf.stop_gradient(batch.reward + self._gamma * batch.discount * soft_value)

  def critic_loss(
    self, batch: protocol.Batch, target: tf.Tensor, weights: tf.Tensor | float = 1.0
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the critic loss, a scalar, and the values [B, 2]."""
    values = self._critics.values(batch.observation, batch.output)
    squared = tf.reduce_sum(tf.square(values - target[:, tf.newaxis]), axis=-1)
    return tf.reduce_mean(weights * 0.5 * squared), values

  def actor_loss(
    self, observation: tf.Tensor, seed: tf.Tensor, weights: tf.Tensor | float = 1.0
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the actor loss, a scalar, and H(ũ|s) [B]."""
    judged, entropy = self._sample(observation, seed)
    values = self._critics.values(observation, judged)
    objective = tf.reduce_min(values, axis=-1) + self.temperature * entropy
    return -tf.reduce_mean(weights * objective), entropy

  def temperature_loss(
    self, entropy: tf.Tensor, weights: tf.Tensor | float = 1.0
  ) -> tf.Tensor:
    """Returns the temperature loss, a scalar, for H [B]."""
    excess = tf.stop_gradient(entropy - self._target_entropy)
    return tf.reduce_mean(weights * self._log_temperature * excess)
