"""One update of a latent space layer: which of its parts step, when, and in which order.

  encoder         every update, if there are embeddings
  critics         every update
  actor, average,
  temperature     every n-th, before the critics step or after it
  target critics,
  embeddings      every m-th, at the end

By default n = m = 1, and all gradients are taken at the weights from before the update. An
actor that steps after the critics, every second update, is that of Fujimoto et al.,
"Addressing Function Approximation Error in Actor-Critic Methods" (2018).
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf
from tf_agents.agents import tf_agent
from tf_agents.utils import common

from latent_hrl.agents import critics as critics_lib
from latent_hrl.agents import embeddings as embeddings_lib
from latent_hrl.agents import latent_space_settings as settings_lib
from latent_hrl.agents import losses as losses_lib
from latent_hrl.agents import protocol
from latent_hrl.networks import policy as policy_lib


class Optimizers(NamedTuple):
  """A Keras optimizer for each of the losses.

  Attributes:
    actor: That of the policy.
    critic: That of the critics.
    temperature: That of α; idle if it is fixed.
    encoder: That of the embeddings; idle without.
  """

  actor: tf.keras.optimizers.Optimizer
  critic: tf.keras.optimizers.Optimizer
  temperature: tf.keras.optimizers.Optimizer
  encoder: tf.keras.optimizers.Optimizer


class Learned(NamedTuple):
  """What an update moves.

  Attributes:
    actor: The policy.
    average: Its average.
    critics: The critics.
    target_critics: Their slow copy.
    log_temperature: log α; None if it is fixed.
    embeddings: What policy and critics see beside state and action; None for nothing.
  """

  actor: policy_lib.LatentPolicyNetwork
  average: policy_lib.LatentPolicyNetwork
  critics: critics_lib.Critics
  target_critics: critics_lib.TargetCritics
  log_temperature: tf.Variable | None
  embeddings: embeddings_lib.Embeddings | None


class Update:
  """The update; it owns none of the variables."""

  def __init__(
    self,
    learned: Learned,
    losses: losses_lib.Losses,
    optimizers: Optimizers,
    settings: settings_lib.Settings,
    train_step: tf.Variable,
  ):
    """Binds what it moves.

    Args:
      learned: What it moves.
      losses: The losses on that.
      optimizers: What takes the steps, built already.
      settings: Periods, shares and the order.
      train_step: int64, counted up once an update.
    """
    self._learned = learned
    self._losses = losses
    self._optimizers = optimizers
    self._settings = settings
    self._train_step = train_step

  def __call__(
    self,
    batch: protocol.Batch,
    seeds: tf.Tensor,
    weights: tf.Tensor | float,
  ) -> tf_agent.LossInfo:
    """Runs it; see `latent_space_agent.LatentSpaceAgent.update`.

    Args:
      batch: Transitions, leading shape [B].
      seeds: Of the policy's noise at the next states and at the states, [2, 2] int32.
      weights: Scalar or float32 [B], multiplies each transition's loss.
    """
    learned, settings = self._learned, self._settings
    target_seed, actor_seed = tf.unstack(seeds)
    temperature = self._losses.temperature
    encoder_loss = None
    if learned.embeddings is not None:
      encoder_loss = learned.embeddings.learn(batch, weights)

    target = self._losses.critic_target(batch, target_seed)
    variables = learned.critics.network.trainable_variables
    with tf.GradientTape(watch_accessed_variables=False) as tape:
      tape.watch(variables)
      critic_loss, values = self._losses.critic_loss(batch, target, weights)
    gradients = zip(tape.gradient(critic_loss, variables), variables, strict=True)

    if settings.critics_first:
      self._optimizers.critic.apply_gradients(gradients)
    actor_loss, entropy, temperature_loss = self._every(
      settings.actor_update_period,
      lambda: self._step_actor(batch.observation, actor_seed, weights),
    )
    # At the critics from before their step the two gradients do not wait for each other,
    # which XLA uses on several cores (benchmarks/README.md).
    if not settings.critics_first:
      self._optimizers.critic.apply_gradients(gradients)

    learned.target_critics.note(target)
    self._train_step.assign_add(1)
    self._every(settings.target_update_period, self._follow)
    losses = (critic_loss, actor_loss, temperature_loss)
    return losses_lib.loss_info(losses, temperature, entropy, values, target, encoder_loss)

  def _every(
    self, period: int, run: Callable[[], tuple[tf.Tensor, ...]]
  ) -> tuple[tf.Tensor, ...]:
    """Runs something, which returns three scalars, at every multiple of a period.

    What it returns then counts for the updates between, in which it is 0: so means over
    updates stay what they are.
    """
    if period == 1:
      return run()
    due = tf.equal(self._train_step % period, 0)
    parts = tf.cond(due, run, lambda: (tf.constant(0.0),) * 3)
    return tuple(period * part for part in parts)

  def _step_actor(
    self, observation: tf.Tensor, seed: tf.Tensor, weights: tf.Tensor | float
  ) -> tuple[tf.Tensor, ...]:
    """Moves actor, temperature and average; returns loss, mean H, temperature loss."""
    learned = self._learned
    variables = learned.actor.trainable_variables
    with tf.GradientTape(watch_accessed_variables=False) as tape:
      tape.watch(variables)
      loss, entropy = self._losses.actor_loss(observation, seed, weights)
    gradients = tape.gradient(loss, variables)
    self._optimizers.actor.apply_gradients(zip(gradients, variables, strict=True))

    temperature_loss = tf.constant(0.0)
    if learned.log_temperature is not None:
      with tf.GradientTape() as tape:
        temperature_loss = self._losses.temperature_loss(entropy, weights)
      gradient = tape.gradient(temperature_loss, learned.log_temperature)
      self._optimizers.temperature.apply_gradients([(gradient, learned.log_temperature)])

    # What makes the embeddings follows at once, with them.
    common.soft_variables_update(
      variables, learned.average.trainable_variables, self._settings.policy_average_tau
    )
    return loss, tf.reduce_mean(entropy), temperature_loss

  def _follow(self) -> tuple[tf.Tensor, ...]:
    """What is held still for learning takes up what has been learned."""
    learned, tau = self._learned, self._settings.target_update_tau
    learned.target_critics.follow(learned.critics, tau)
    if learned.embeddings is not None:
      learned.embeddings.follow(tau)
    return (tf.constant(0.0),) * 3
