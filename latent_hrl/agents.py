"""The maximum-entropy agent that trains one layer, as a TF-Agents `TFAgent`.

For a layer with output u (the action at the bottom, the latent of the layer below
otherwise) it maximises

  E Σ γᵗ [ r(s_t) + α · H(u_t|s_t) ],    H(u|s) = -log π(u|s) + log μ(u)

with one reference measure μ in all three losses (docs/method.md, "Objective"):

* bounded output: μ is the uniform measure on the box in units of its half-width, so H is
  the entropy of the action rescaled to [-1, 1]ᴰ, and a target of -D means the same for
  every box;
* unbounded output: μ = N(0, I), the prior of the layer below, so -E H is the KL that the
  layer pays for leaving the skills below.

A layer above others may take the entropy of the action that they make of its output
instead, the objective of the bottom layer, over what the stack as a whole can do:

  H(a|s) = -log π(u|s) + log |det da/du| + log μ(a),    μ uniform as above

The three losses, on a batch (s, u, r, d, s') with d = 0 after a termination, else 1
(γᵏ⁻¹ in a layer that acts every k steps):

  critic       Σ_i mean ½ (r + γ d [min_j Q̄_j(s', u') + α H(u'|s')] - Q_i(s, u))²
  actor        mean -( min_j Q_j(s, ũ) + α H(ũ|s) ),   ũ = f(z; s) reparameterised
  temperature  mean log α · ( H(ũ|s) - H_target ),     H held fixed

What is evaluated and saved is not the policy of the last update, but an average of the last
1/ν or so: w̄ ← (1 - ν) w̄ + ν w after each update (Polyak and Juditsky, "Acceleration of
Stochastic Approximation by Averaging", 1992). Collection acts with the last one.

The critic judges the output, Q(s, u), as in the paper; or, above other layers, what they
make of it: Q(s, g(u; s)), with g the frozen layers below, through which the actor's
gradient runs. Such a critic means the same in every layer.

Source: Haarnoja et al., "Latent Space Policies for Hierarchical Reinforcement Learning"
(2018), section 4; the automatic temperature follows Haarnoja et al., "Soft Actor-Critic
Algorithms and Applications" (2018), section 5, on log α.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gin
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

from latent_hrl import agent_protocol
from latent_hrl import networks

# Whose entropy a layer may maximise (module docstring).
ENTROPIES = ('output', 'action')
# Parts of a policy that a layer above may take along, where they have the same shapes.
EMBEDDINGS = ('embedding', 'averaged_embedding')


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


class ExecutedAction(NamedTuple):
  """The action that frozen lower layers make of a layer's output.

  Attributes:
    decode: Maps what the layer sees [B, O] and its output u [B, D] to the action a [B, D]
      and to log |det da/du| [B], differentiably.
    spec: Spec of the action.
  """

  decode: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
  spec: types.TensorSpec


def _policy_parts(
  prefix: str, network: networks.LatentPolicyNetwork
) -> dict[str, list[tf.Variable]]:
  """Returns the variables of a policy, those of its embedding apart."""
  embedding = network.embedding_variables
  apart = {id(variable) for variable in embedding}
  others = [variable for variable in network.variables if id(variable) not in apart]
  return {f'{prefix}embedding': embedding, f'{prefix}actor': others}


def _loss_info(
  losses: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
  temperature: tf.Tensor,
  entropy: tf.Tensor,
  values: tf.Tensor,
  target: tf.Tensor,
) -> tf_agent.LossInfo:
  """Gathers critic, actor and temperature loss with the means worth watching."""
  means = (tf.reduce_mean(part) for part in (entropy, values, target))
  return tf_agent.LossInfo(sum(losses), LossExtra(*losses, temperature, *means))


class LatentSpaceAgent(tf_agent.TFAgent):
  """Trains a latent space layer: a flow policy with twin critics."""

  def __init__(
    self,
    time_step_spec: ts.TimeStep,
    action_spec: types.TensorSpec,
    actor_network: networks.LatentPolicyNetwork,
    critic_network: networks.TwinCriticNetwork,
    actor_optimizer: tf.keras.optimizers.Optimizer,
    critic_optimizer: tf.keras.optimizers.Optimizer,
    temperature_optimizer: tf.keras.optimizers.Optimizer,
    gamma: float = 0.99,
    target_update_tau: float = 0.005,
    policy_average_tau: float = 0.005,
    temperature: float | None = None,
    initial_temperature: float = 0.1,
    target_entropy: float | None = None,
    target_kl: float = 1.5,
    entropy_of: str = 'output',
    executed_action: ExecutedAction | None = None,
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
      actor_optimizer: A Keras optimizer of its own.
      critic_optimizer: A Keras optimizer of its own.
      temperature_optimizer: A Keras optimizer of its own; idle if the temperature is fixed.
      gamma: Discount per environment step.
      target_update_tau: Share of the critic that enters its target each update.
      policy_average_tau: ν, the share of the policy that enters its average each update; 1
        keeps no average.
      temperature: Fixed α = 1 / reward scale; None adapts α to the target entropy.
      initial_temperature: α at the start when it is adapted.
      target_entropy: Target of H in nats; None means -D for the entropy of actions and
        -target_kl for that of a latent.
      target_kl: Target KL to the prior of the layer below, in nats, for the above.
      entropy_of: Whose entropy is maximised, one of `ENTROPIES`: the layer's `output`, or
        the executed `action` (module docstring).
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
      ValueError: If the temperature is not positive, both networks disagree with the
        specs, or the entropy is to be that of an action which is not there.
    """
    tf.Module.__init__(self, name=name)
    action_spec = tensor_spec.from_spec(action_spec)
    if temperature is not None and temperature <= 0:
      raise ValueError(f'temperature must be positive, got {temperature}.')
    if actor_network.output_tensor_spec.shape != action_spec.shape:
      raise ValueError(
        f'The actor puts out {actor_network.output_tensor_spec.shape}, but the action '
        f'spec is {action_spec.shape}.'
      )
    if train_step_counter is None:
      train_step_counter = tf.Variable(0, dtype=tf.int64, name='train_step')

    if entropy_of not in ENTROPIES:
      raise ValueError(f'entropy_of must be one of {ENTROPIES}, got {entropy_of!r}')
    self._bounded = networks.is_bounded(action_spec)
    self._entropy_of_action = entropy_of == 'action' and not self._bounded
    if self._entropy_of_action and executed_action is None:
      raise ValueError(
        "entropy_of = 'action' needs what the layers below make of an output: bind "
        "Layer.critic = 'action'"
      )
    box_spec = executed_action.spec if executed_action else action_spec
    self._log_box_volume = 0.0
    if networks.is_bounded(box_spec):
      half_width = networks.box_center_and_half_width(box_spec)[1]
      self._log_box_volume = float(np.sum(np.log(half_width)))
    if target_entropy is None:
      of_action = self._bounded or self._entropy_of_action
      target_entropy = -float(action_spec.shape[0]) if of_action else -target_kl
    self._target_entropy = target_entropy
    self._gamma = gamma
    self._tau = target_update_tau
    self._average_tau = policy_average_tau
    self._seed = seed

    self._actor_network = actor_network
    self._critic_network = critic_network
    self._executed_action = executed_action
    judged_spec = action_spec if executed_action is None else executed_action.spec
    critic_input_spec = (time_step_spec.observation, judged_spec)
    actor_network.create_variables()
    critic_network.create_variables(critic_input_spec)
    self._averaged_actor_network = actor_network.copy(name='AveragedActorNetwork')
    self._averaged_actor_network.create_variables()
    self._target_critic_network = critic_network.copy(name='TargetCriticNetwork')
    self._target_critic_network.create_variables(critic_input_spec)

    self._adaptive_temperature = temperature is None
    start = initial_temperature if temperature is None else temperature
    self._log_temperature = tf.Variable(
      np.log(start), dtype=tf.float32, name='log_temperature'
    )
    self._actor_optimizer = actor_optimizer
    self._critic_optimizer = critic_optimizer
    self._temperature_optimizer = temperature_optimizer
    actor_optimizer.build(actor_network.trainable_variables)
    critic_optimizer.build(critic_network.trainable_variables)
    temperature_optimizer.build([self._log_temperature])

    policy, collect_policy = (
      actor_policy.ActorPolicy(
        time_step_spec, action_spec, network, clip=self._bounded, training=False
      )
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
    self._compiled_update = tf.function(
      self.update, jit_compile=jit_compile, autograph=False
    )
    self._initialize()

  @property
  def actor_network(self) -> networks.LatentPolicyNetwork:
    """The flow policy that learns and collects."""
    return self._actor_network

  @property
  def averaged_actor_network(self) -> networks.LatentPolicyNetwork:
    """The average of it over the last updates, to evaluate and save."""
    return self._averaged_actor_network

  @property
  def actor_optimizer(self) -> tf.keras.optimizers.Optimizer:
    """What takes the steps of the policy that learns."""
    return self._actor_optimizer

  @property
  def critic_network(self) -> networks.TwinCriticNetwork:
    """The twin critics."""
    return self._critic_network

  @property
  def target_critic_network(self) -> networks.TwinCriticNetwork:
    """The slow copy of the critics that the regression target uses."""
    return self._target_critic_network

  @property
  def temperature(self) -> tf.Tensor:
    """α, scalar float32."""
    return tf.exp(self._log_temperature)

  @property
  def target_entropy(self) -> float:
    """Target of H in nats, for the adapted temperature."""
    return self._target_entropy

  @property
  def gamma(self) -> float:
    """Discount per environment step."""
    return self._gamma

  @property
  def loss_names(self) -> Sequence[str]:
    """Names of the parts of `LossExtra`."""
    return LossExtra._fields

  @property
  def state_variables(self) -> list[tf.Variable]:
    """All variables that a resumed run needs, in a fixed order."""
    return [variable for part in self.state_parts.values() for variable in part]

  @property
  def state_parts(self) -> dict[str, list[tf.Variable]]:
    """The same by what they belong to."""
    return {
      **_policy_parts('', self._actor_network),
      **_policy_parts('averaged_', self._averaged_actor_network),
      'critic': list(self._critic_network.variables),
      'target_critic': list(self._target_critic_network.variables),
      # A fixed one is what a run is told, not what it has learned.
      'log_temperature': [self._log_temperature] if self._adaptive_temperature else [],
      'actor_optimizer': list(self._actor_optimizer.variables),
      'critic_optimizer': list(self._critic_optimizer.variables),
      'temperature_optimizer': list(self._temperature_optimizer.variables),
      'train_step': [self.train_step_counter],
    }

  @property
  def objective(self) -> dict[str, Any]:
    """What its values mean, JSON types.

    The discount, whether α weighs the entropy of the action, and the target that α adapts
    to, None if it is fixed.
    """
    return {
      'gamma': self._gamma,
      'entropy_of_action': self._bounded or self._entropy_of_action,
      'target_entropy': self._target_entropy if self._adaptive_temperature else None,
    }

  def inherited_parts(self, objective: dict[str, Any]) -> list[str]:
    """What means the same in the layer below, where the critic judges the action.

    What the policy below sees in a state is worth seeing for this one; what it does with it
    is not inherited, so that the layer starts as the identity. The temperature means the
    same if it weighs the same entropy and adapts to the same target. Adam's moments come
    along: from none its first steps would be as large as any.

    Args:
      objective: The `objective` of the layer below.

    Raises:
      ValueError: If its values are discounted otherwise.
    """
    own = self.objective
    if objective['gamma'] != own['gamma']:
      raise ValueError(f'its gamma is {objective["gamma"]}, here it is {own["gamma"]}')
    parts = [*EMBEDDINGS, 'critic', 'target_critic', 'critic_optimizer']
    adapts = own['target_entropy'] is not None
    if adapts and own['entropy_of_action'] and own == objective:
      parts += ['log_temperature', 'temperature_optimizer']
    return parts

  def entropy_term(self, output: tf.Tensor, log_prob: tf.Tensor) -> tf.Tensor:
    """H of the output, -log π(u|s) + log μ(u) (module docstring).

    Args:
      output: u, float32 [B, D].
      log_prob: log π(u|s), float32 [B].

    Returns:
      float32 [B], in nats.
    """
    if self._bounded:
      return -log_prob - self._log_box_volume
    dimension = output.shape[-1]
    log_prior = -0.5 * (
      tf.reduce_sum(tf.square(output), axis=-1) + dimension * np.log(2 * np.pi)
    )
    return -log_prob + log_prior

  def _judged(
    self, observation: tf.Tensor, output: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what the critic judges of an output, with log |det| of its derivative.

    That is the output itself, or the executed action.
    """
    if self._executed_action is None:
      return output, tf.zeros(tf.shape(output)[:-1])
    return self._executed_action.decode(observation, output)

  def _sample(self, observation: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Samples u ~ π(·|s); returns what the critic judges of it [B, D], and its H [B]."""
    distribution, _ = self._actor_network(observation)
    output, log_prob = distribution.experimental_sample_and_log_prob(seed=seed)
    judged, log_det = self._judged(observation, output)
    if self._entropy_of_action:
      return judged, log_det - log_prob - self._log_box_volume
    return judged, self.entropy_term(output, log_prob)

  def critic_target(self, batch: agent_protocol.Batch, seed: tf.Tensor) -> tf.Tensor:
    """The critics' regression target, float32 [B], no gradient (module docstring)."""
    judged, entropy = self._sample(batch.next_observation, seed)
    values, _ = self._target_critic_network((batch.next_observation, judged))
    soft_value = tf.reduce_min(values, axis=-1) + self.temperature * entropy
    return tf.stop_gradient(batch.reward + self._gamma * batch.discount * soft_value)

  def critic_loss(
    self, batch: agent_protocol.Batch, target: tf.Tensor, weights: tf.Tensor | float = 1.0
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the critic loss, a scalar, and the values [B, 2] (module docstring)."""
    values, _ = self._critic_network((batch.observation, batch.output))
    squared = tf.reduce_sum(tf.square(values - target[:, tf.newaxis]), axis=-1)
    return tf.reduce_mean(weights * 0.5 * squared), values

  def actor_loss(
    self, observation: tf.Tensor, seed: tf.Tensor, weights: tf.Tensor | float = 1.0
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the actor loss, a scalar, and H(ũ|s) [B] (module docstring)."""
    judged, entropy = self._sample(observation, seed)
    values, _ = self._critic_network((observation, judged))
    objective = tf.reduce_min(values, axis=-1) + self.temperature * entropy
    return -tf.reduce_mean(weights * objective), entropy

  def temperature_loss(
    self, entropy: tf.Tensor, weights: tf.Tensor | float = 1.0
  ) -> tf.Tensor:
    """Returns the temperature loss, a scalar, for H [B] (module docstring)."""
    excess = tf.stop_gradient(entropy - self._target_entropy)
    return tf.reduce_mean(weights * self._log_temperature * excess)

  def _seeds(self) -> tf.Tensor:
    """Seeds [2, 2] of this update's noise, a function of seed and train step alone."""
    base = tf.constant([self._seed, 0], dtype=tf.int32)
    step = tf.cast(self.train_step_counter, tf.int32)
    folded = tf.random.experimental.stateless_fold_in(base, step)
    return tf.random.experimental.stateless_split(folded, 2)

  def update(
    self, batch: agent_protocol.Batch, weights: tf.Tensor | float = 1.0
  ) -> tf_agent.LossInfo:
    """One full update of critic, actor, temperature and target. Traceable by XLA.

    All gradients are taken at the weights from before the update.

    Args:
      batch: Transitions, leading shape [B].
      weights: Scalar or float32 [B], multiplies each transition's loss.

    Returns:
      LossInfo with the sum of the losses and a `LossExtra`.
    """
    target_seed, actor_seed = tf.unstack(self._seeds())
    temperature = self.temperature

    target = self.critic_target(batch, target_seed)
    critic_variables = self._critic_network.trainable_variables
    with tf.GradientTape(watch_accessed_variables=False) as tape:
      tape.watch(critic_variables)
      critic_loss, values = self.critic_loss(batch, target, weights)
    critic_gradients = tape.gradient(critic_loss, critic_variables)

    # At the critics from before their step: the two gradients do not wait for each other,
    # which XLA uses on several cores (benchmarks/README.md).
    actor_variables = self._actor_network.trainable_variables
    with tf.GradientTape(watch_accessed_variables=False) as tape:
      tape.watch(actor_variables)
      actor_loss, entropy = self.actor_loss(batch.observation, actor_seed, weights)
    actor_gradients = tape.gradient(actor_loss, actor_variables)

    for optimizer, gradients, variables in (
      (self._critic_optimizer, critic_gradients, critic_variables),
      (self._actor_optimizer, actor_gradients, actor_variables),
    ):
      optimizer.apply_gradients(zip(gradients, variables, strict=True))

    temperature_loss = tf.constant(0.0)
    if self._adaptive_temperature:
      with tf.GradientTape() as tape:
        temperature_loss = self.temperature_loss(entropy, weights)
      gradient = tape.gradient(temperature_loss, self._log_temperature)
      self._temperature_optimizer.apply_gradients([(gradient, self._log_temperature)])

    self._update_target(self._tau)
    self._update_average(self._average_tau)
    self.train_step_counter.assign_add(1)
    losses = (critic_loss, actor_loss, temperature_loss)
    return _loss_info(losses, temperature, entropy, values, target)

  def _update_target(self, tau: float) -> None:
    common.soft_variables_update(
      self._critic_network.variables, self._target_critic_network.variables, tau
    )

  def _update_average(self, tau: float) -> None:
    common.soft_variables_update(
      self._actor_network.variables, self._averaged_actor_network.variables, tau
    )

  def _initialize(self) -> None:
    self._update_target(tau=1.0)
    self._update_average(tau=1.0)

  def _to_batch(self, experience: types.NestedTensor) -> agent_protocol.Batch:
    time_step, policy_step, next_time_step = self._as_transition(experience)
    return agent_protocol.Batch(
      observation=time_step.observation,
      output=self._judged(time_step.observation, policy_step.action)[0],
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
    target = self.critic_target(batch, target_seed)
    critic_loss, values = self.critic_loss(batch, target, weights)
    actor_loss, entropy = self.actor_loss(batch.observation, actor_seed, weights)
    temperature_loss = tf.constant(0.0)
    if self._adaptive_temperature:
      temperature_loss = self.temperature_loss(entropy, weights)
    losses = (critic_loss, actor_loss, temperature_loss)
    return _loss_info(losses, self.temperature, entropy, values, target)


@agent_protocol.made_of(critic='TwinCriticNetwork', policy='LatentPolicyNetwork')
@gin.configurable(denylist=['time_step_spec', 'action_spec', 'seed', 'executed_action'])
def create_agent(
  time_step_spec: ts.TimeStep,
  action_spec: types.TensorSpec,
  seed: int = 0,
  executed_action: ExecutedAction | None = None,
  learning_rate: float = 1e-3,
  gamma: float = 0.99,
  target_update_tau: float = 0.005,
  policy_average_tau: float = 0.005,
  temperature: float | None = None,
  initial_temperature: float = 0.1,
  target_entropy: float | None = None,
  target_kl: float = 1.5,
  entropy_of: str = 'output',
) -> LatentSpaceAgent:
  """Builds networks, optimisers and agent from the gin configuration in scope.

  Without one, its numbers are those of gin/defaults.gin.

  Args:
    time_step_spec: See `LatentSpaceAgent`.
    action_spec: See `LatentSpaceAgent`.
    seed: See `LatentSpaceAgent`; the initial weights follow TensorFlow's global seed.
    executed_action: See `LatentSpaceAgent`.
    learning_rate: Adam's step size for actor, critic and temperature (docs/method.md).
    gamma: See `LatentSpaceAgent`.
    target_update_tau: See `LatentSpaceAgent`.
    policy_average_tau: See `LatentSpaceAgent`.
    temperature: See `LatentSpaceAgent`.
    initial_temperature: See `LatentSpaceAgent`.
    target_entropy: See `LatentSpaceAgent`.
    target_kl: See `LatentSpaceAgent`.
    entropy_of: See `LatentSpaceAgent`.
  """
  judged_spec = action_spec if executed_action is None else executed_action.spec
  observation_spec = time_step_spec.observation
  return LatentSpaceAgent(
    time_step_spec,
    action_spec,
    actor_network=networks.LatentPolicyNetwork(observation_spec, action_spec),
    critic_network=networks.TwinCriticNetwork((observation_spec, judged_spec)),
    actor_optimizer=tf.keras.optimizers.Adam(learning_rate),
    critic_optimizer=tf.keras.optimizers.Adam(learning_rate),
    temperature_optimizer=tf.keras.optimizers.Adam(learning_rate),
    gamma=gamma,
    target_update_tau=target_update_tau,
    policy_average_tau=policy_average_tau,
    temperature=temperature,
    initial_temperature=initial_temperature,
    target_entropy=target_entropy,
    target_kl=target_kl,
    entropy_of=entropy_of,
    executed_action=executed_action,
    seed=seed,
  )
