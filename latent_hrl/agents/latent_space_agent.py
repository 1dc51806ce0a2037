"""The maximum-entropy agent that trains one layer, as a TF-Agents `TFAgent`.

For a layer with output u (the action at the bottom, the latent of the layer below
otherwise) it maximises

  E Σ γᵗ [ r(s_t) + α · H(u_t|s_t) ]

with H as in `entropy`, by the losses of `losses` and the steps of `latent_space_update`.

What is evaluated and saved is not the policy of the last update, but an average of the last
1/ν or so: w̄ ← (1 - ν) w̄ + ν w after each update (Polyak and Juditsky, "Acceleration of
Stochastic Approximation by Averaging", 1992). Collection acts with the last one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tf_agents.agents import data_converter
from tf_agents.agents import tf_agent
from tf_agents.policies import actor_policy
from tf_agents.policies import greedy_policy
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types
from tf_agents.utils import common

from latent_hrl.agents import critics as critics_lib
from latent_hrl.agents import embeddings as embeddings_lib
from latent_hrl.agents import entropy as entropy_lib
from latent_hrl.agents import latent_space_settings as settings_lib
from latent_hrl.agents import latent_space_state as state_lib
from latent_hrl.agents import latent_space_update as update_lib
from latent_hrl.agents import losses as losses_lib
from latent_hrl.agents import protocol
from latent_hrl.networks import critic as critic_lib
from latent_hrl.networks import policy as policy_lib

# A Keras optimizer for each of the losses.
Optimizers = update_lib.Optimizers


class LatentSpaceAgent(tf_agent.TFAgent):
  """Trains a latent space layer: a flow policy with twin critics."""

  def __init__(
    self,
    time_step_spec: ts.TimeStep,
    action_spec: types.TensorSpec,
    actor_network: policy_lib.LatentPolicyNetwork,
    critic_network: critic_lib.TwinCriticNetwork,
    settings: settings_lib.Settings | None = None,
    optimizers: Optimizers | None = None,
    executed_action: entropy_lib.ExecutedAction | None = None,
    seed: int = 0,
    jit_compile: bool = True,
    enable_summaries: bool = True,
    train_step_counter: tf.Variable | None = None,
    name: str = 'LatentSpaceAgent',
  ):
    """Creates the agent and all of its variables.

    Args:
      time_step_spec: TimeStep spec; the observation is one float32 vector [O].
      action_spec: Spec of the layer's output, float32 [D]; bounded for actions, unbounded
        for the latent of the layer below.
      actor_network: The flow policy on these specs.
      critic_network: Twin critics on (observation, output).
      settings: Numbers of the objective and of the updates; the defaults if None.
      optimizers: Adam with `settings.learning_rate` for each if None.
      executed_action: What the critic judges instead of the layer's output; the critic
        network takes its spec.
      seed: Seed of the policy noise in the updates, which depends on nothing else than
        this and the train step.
      jit_compile: Whether `train` runs compiled by XLA. The fused trainer always does;
        both draw the same noise only if this is on.
      enable_summaries: Whether `train` writes TensorBoard summaries.
      train_step_counter: int64 variable, incremented once an update.
      name: Name of the agent.

    Raises:
      ValueError: If both networks disagree with the specs or on the embeddings, or the
        entropy is to be that of an action which is not there.
    """
    tf.Module.__init__(self, name=name)
    settings = settings_lib.Settings() if settings is None else settings
    action_spec = tensor_spec.from_spec(action_spec)
    if actor_network.output_tensor_spec.shape != action_spec.shape:
      raise ValueError(
        f'The actor puts out {actor_network.output_tensor_spec.shape}, but the action '
        f'spec is {action_spec.shape}.'
      )
    if actor_network.embeddings != critic_network.embeddings:
      raise ValueError(
        f'The actor sees embeddings of {actor_network.embeddings}, the critics of '
        f'{critic_network.embeddings}.'
      )
    if train_step_counter is None:
      train_step_counter = tf.Variable(0, dtype=tf.int64, name='train_step')
    if optimizers is None:
      optimizers = Optimizers(
        *(tf.keras.optimizers.Adam(settings.learning_rate) for _ in Optimizers._fields)
      )

    self._settings = settings
    self._seed = seed
    self._entropy = entropy_lib.Entropy(action_spec, executed_action, settings.entropy_of)
    target_entropy = settings.target_entropy
    if target_entropy is None:
      target_entropy = self._entropy.default_target(settings.target_kl)
    self._target_entropy = target_entropy

    self._actor_network = actor_network
    self._critic_network = critic_network
    judged_spec = action_spec if executed_action is None else executed_action.spec
    critic_input_spec: tuple[types.TensorSpec, ...] = (
      time_step_spec.observation,
      judged_spec,
    )
    if critic_network.embeddings is not None:
      critic_input_spec += critic_network.embeddings.specs
    actor_network.create_variables()
    critic_network.create_variables(critic_input_spec)
    self._averaged_actor_network = actor_network.copy(name='AveragedActorNetwork')
    self._averaged_actor_network.create_variables()
    target_critic_network = critic_network.copy(name='TargetCriticNetwork')
    target_critic_network.create_variables(critic_input_spec)
    policies = (actor_network, self._averaged_actor_network)
    self._embeddings, in_use, of_targets = None, None, None
    if actor_network.embeddings is not None:
      self._embeddings = embeddings_lib.Embeddings(
        policies, judged_spec, optimizers.encoder
      )
      in_use, of_targets = self._embeddings.in_use, self._embeddings.of_targets
    critics = critics_lib.Critics(critic_network, in_use)
    self._target_critics = critics_lib.TargetCritics(
      target_critic_network, of_targets, settings.clip_target_values
    )

    self._adaptive_temperature = settings.temperature is None
    start = settings.initial_temperature
    if settings.temperature is not None:
      start = settings.temperature
    self._log_temperature = tf.Variable(
      np.log(start), dtype=tf.float32, name='log_temperature'
    )
    self._optimizers = optimizers
    optimizers.actor.build(actor_network.trainable_variables)
    optimizers.critic.build(critic_network.trainable_variables)
    optimizers.temperature.build([self._log_temperature])
    self.losses = losses_lib.Losses(
      actor_network,
      critics,
      self._target_critics,
      self._log_temperature,
      self._entropy,
      target_entropy,
      settings.gamma,
    )

    bounded = actor_network.squash is not None
    # Commands come to the policy through its latent, not as something that it sees.
    own_spec = ts.time_step_spec(actor_network.input_tensor_spec)
    policy, collect_policy = (
      actor_policy.ActorPolicy(own_spec, action_spec, network, clip=bounded, training=False)
      for network in (self._averaged_actor_network, actor_network)
    )
    super().__init__(
      time_step_spec,
      action_spec,
      policy=greedy_policy.GreedyPolicy(policy),
      collect_policy=collect_policy,
      train_sequence_length=2,
      enable_summaries=enable_summaries,
      train_step_counter=train_step_counter,
    )
    self._as_transition = data_converter.AsTransition(
      self.data_context, squeeze_time_dim=True
    )
    self._learned = update_lib.Learned(
      actor_network,
      self._averaged_actor_network,
      critics,
      self._target_critics,
      self._log_temperature if self._adaptive_temperature else None,
      self._embeddings,
    )
    self._update = update_lib.Update(
      self._learned, self.losses, optimizers, settings, self.train_step_counter
    )
    self._compiled_update = tf.function(
      self.update, jit_compile=jit_compile, autograph=False
    )
    self._initialize()

  def _initialize(self) -> None:
    """Starts target critics and average as what they follow."""
    for variables, followers in (
      (self._critic_network.variables, self.target_critic_network.variables),
      (self._actor_network.variables, self._averaged_actor_network.variables),
    ):
      common.soft_variables_update(variables, followers, tau=1.0)

  @property
  def actor_network(self) -> policy_lib.LatentPolicyNetwork:
    """The flow policy that learns and collects."""
    return self._actor_network

  @property
  def averaged_actor_network(self) -> policy_lib.LatentPolicyNetwork:
    """The average of it over the last updates, to evaluate and save."""
    return self._averaged_actor_network

  @property
  def actor_optimizer(self) -> tf.keras.optimizers.Optimizer:
    """What takes the steps of the policy that learns."""
    return self._optimizers.actor

  @property
  def critic_network(self) -> critic_lib.TwinCriticNetwork:
    """The twin critics."""
    return self._critic_network

  @property
  def target_critic_network(self) -> critic_lib.TwinCriticNetwork:
    """The slow copy of the critics that the regression target uses."""
    return self._target_critics.network

  @property
  def temperature(self) -> tf.Tensor:
    """α, scalar float32."""
    return self.losses.temperature

  @property
  def target_entropy(self) -> float:
    """Target of H in nats, for the adapted temperature."""
    return self._target_entropy

  @property
  def gamma(self) -> float:
    """Discount per environment step."""
    return self._settings.gamma

  @property
  def loss_names(self) -> Sequence[str]:
    """Names of the parts of `losses.LossExtra`."""
    if self._embeddings is not None:
      return losses_lib.EmbeddingLossExtra._fields
    return losses_lib.LossExtra._fields

  @property
  def state_variables(self) -> list[tf.Variable]:
    """All variables that a resumed run needs, in a fixed order."""
    return [variable for part in self.state_parts.values() for variable in part]

  @property
  def state_parts(self) -> dict[str, list[tf.Variable]]:
    """The same by what they belong to."""
    return state_lib.state_parts(self._learned, self._optimizers, self.train_step_counter)

  @property
  def objective(self) -> dict[str, Any]:
    """What its values mean, JSON types.

    The discount, whether α weighs the entropy of the action, and the target that α adapts
    to, None if it is fixed.
    """
    return {
      'gamma': self._settings.gamma,
      'entropy_of_action': self._entropy.of_action,
      'target_entropy': self._target_entropy if self._adaptive_temperature else None,
    }

  def inherited_parts(self, objective: dict[str, Any]) -> list[str]:
    """See `latent_space_state.inherited_parts`; `objective` is that of the layer below."""
    return state_lib.inherited_parts(self._learned, self.objective, objective)

  def _seeds(self) -> tf.Tensor:
    """Seeds [2, 2] of this update's noise, a function of seed and train step alone."""
    base = tf.constant([self._seed, 0], dtype=tf.int32)
    step = tf.cast(self.train_step_counter, tf.int32)
    folded = tf.random.experimental.stateless_fold_in(base, step)
    return tf.random.experimental.stateless_split(folded, 2)

  def update(
    self, batch: protocol.Batch, weights: tf.Tensor | float = 1.0
  ) -> tf_agent.LossInfo:
    """One full update of all that learns. Traceable by XLA.

    Args:
      batch: Transitions, leading shape [B].
      weights: Scalar or float32 [B], multiplies each transition's loss.

    Returns:
      LossInfo with the sum of the losses and a `losses.LossExtra`.
    """
    return self._update(batch, self._seeds(), weights)

  def _to_batch(self, experience: types.NestedTensor) -> protocol.Batch:
    time_step, policy_step, next_time_step = self._as_transition(experience)
    return protocol.Batch(
      observation=time_step.observation,
      output=self._entropy.judged(time_step.observation, policy_step.action)[0],
      reward=next_time_step.reward,
      discount=next_time_step.discount,
      next_observation=next_time_step.observation,
    )

  def _train(
    self, experience: types.NestedTensor, weights: types.Tensor | None = None
  ) -> tf_agent.LossInfo:
    weights = tf.constant(1.0) if weights is None else weights
    loss_info = self._compiled_update(self._to_batch(experience), weights)
    if self.summaries_enabled:
      common.summarize_scalar_dict(
        loss_info.extra._asdict(), step=self.train_step_counter, name_scope='Losses/'
      )
    return loss_info

  def _loss(
    self,
    experience: types.NestedTensor,
    weights: types.Tensor | None = None,
    training: bool = False,
  ) -> tf_agent.LossInfo:
    del training
    batch = self._to_batch(experience)
    weights = 1.0 if weights is None else weights
    target_seed, actor_seed = tf.unstack(self._seeds())
    target = self.losses.critic_target(batch, target_seed)
    critic_loss, values = self.losses.critic_loss(batch, target, weights)
    actor_loss, entropy = self.losses.actor_loss(batch.observation, actor_seed, weights)
    temperature_loss = tf.constant(0.0)
    if self._adaptive_temperature:
      temperature_loss = self.losses.temperature_loss(entropy, weights)
    losses = (critic_loss, actor_loss, temperature_loss)
    encoder_loss = None
    if self._embeddings is not None:
      encoder_loss = self._embeddings.loss(batch, weights)
    return losses_lib.loss_info(
      losses, self.temperature, entropy, values, target, encoder_loss
    )
