"""TF-Agents' TD3 and DDPG as baselines: deterministic actors that explore by noise."""

from collections.abc import Sequence
from typing import NamedTuple

import gin
import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.agents.ddpg import actor_network
from tf_agents.agents.ddpg import critic_network
from tf_agents.agents.ddpg import ddpg_agent as ddpg_lib
from tf_agents.agents.td3 import td3_agent as td3_lib
from tf_agents.networks import network
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types
from tf_agents.utils import common

from latent_hrl import networks
from latent_hrl.baselines import off_policy
from latent_hrl.baselines import policies


class Networks(NamedTuple):
  """Actor and critic of a deterministic agent."""

  actor: actor_network.ActorNetwork
  critic: critic_network.CriticNetwork


@gin.configurable(denylist=['observation_spec', 'action_spec'])
def deterministic_networks(
  observation_spec: tensor_spec.TensorSpec,
  action_spec: tensor_spec.BoundedTensorSpec,
  actor_units: Sequence[int] = (400, 300),
  critic_observation_units: Sequence[int] = (400,),
  critic_joint_units: Sequence[int] = (300,),
) -> Networks:
  """Builds the networks of TF-Agents' examples for DDPG and TD3.

  Args:
    observation_spec: float32 [O].
    action_spec: float32 [D], bounded.
    actor_units: Widths of the actor.
    critic_observation_units: Widths of the critic on the observation alone.
    critic_joint_units: Widths of the critic behind that, with the action.
  """
  return Networks(
    actor_network.ActorNetwork(
      observation_spec, action_spec, fc_layer_params=tuple(actor_units)
    ),
    critic_network.CriticNetwork(
      (observation_spec, action_spec),
      observation_fc_layer_params=tuple(critic_observation_units),
      joint_fc_layer_params=tuple(critic_joint_units),
    ),
  )


def _policy(
  actor: actor_network.ActorNetwork,
  observation_spec: tensor_spec.TensorSpec,
  action_spec: tensor_spec.BoundedTensorSpec,
  noise: float,
) -> policies.AffinePolicy:
  """Returns the actor's action with noise, in half-widths of the box, and clipped."""
  half_width = networks.box_center_and_half_width(action_spec)[1]

  def location_and_scale(
    network_: network.Network, observation: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    action, _ = network_(observation)
    return action, noise * half_width * tf.ones_like(action)

  return policies.AffinePolicy(
    actor, observation_spec, action_spec, location_and_scale, tfp.bijectors.Identity()
  )


class NoisyActor(network.Network):
  """An actor with clipped noise on its action, for TD3's target.

  TF-Agents' agent adds such noise itself, from a stream that no checkpoint could keep; with
  this network as its target actor, its own is switched off.
  """

  def __init__(
    self,
    actor: network.Network,
    noise: tf.Tensor,
    clip: tf.Tensor,
    seed: int,
    train_step: tf.Variable,
  ):
    super().__init__(actor.input_tensor_spec, state_spec=(), name='NoisyActor')
    self._actor = actor
    self._noise, self._clip = noise, clip
    self._seed, self._train_step = seed, train_step

  @property
  def variables(self):
    return self._actor.variables

  @property
  def trainable_variables(self):
    return self._actor.trainable_variables

  def call(self, observation, step_type=None, network_state=(), training=False):
    action, network_state = self._actor(observation, step_type, network_state, training)
    seed = off_policy.step_seed(self._seed, self._train_step, 0)
    noise = self._noise * tf.random.stateless_normal(tf.shape(action), seed)
    return action + tf.clip_by_value(noise, -self._clip, self._clip), network_state


@gin.configurable(denylist=['time_step_spec', 'action_spec', 'seed'])
def td3_agent(
  time_step_spec: ts.TimeStep,
  action_spec: types.TensorSpec,
  seed: int = 0,
  actor_learning_rate: float = 1e-4,
  critic_learning_rate: float = 1e-3,
  gamma: float = 0.995,
  target_update_tau: float = 0.05,
  target_update_period: int = 5,
  actor_update_period: int = 2,
  exploration_noise_std: float = 0.1,
  target_policy_noise: float = 0.2,
  target_policy_noise_clip: float = 0.5,
) -> off_policy.OffPolicyBaseline:
  """Builds TF-Agents' TD3 as in its example `td3/examples/v2/train_eval.py`.

  Args:
    time_step_spec: TimeStep spec; the observation is one float32 vector [O].
    action_spec: Spec of the output, float32 [D].
    seed: Seed of the noise in the updates.
    actor_learning_rate: Adam's step size for the actor.
    critic_learning_rate: Adam's step size for the critics.
    gamma: Discount.
    target_update_tau: Share of the weights that enters the targets.
    target_update_period: Updates between two of the targets.
    actor_update_period: Updates between two of the actor.
    exploration_noise_std: Noise on collected actions, in half-widths of the box.
    target_policy_noise: Noise on the target's actions, in half-widths of the box.
    target_policy_noise_clip: Bound on that noise, in half-widths of the box.
  """
  observation_spec = time_step_spec.observation
  action_spec = policies.bounded(action_spec)
  actor, critic = deterministic_networks(observation_spec, action_spec)
  half_width = networks.box_center_and_half_width(action_spec)[1]
  train_step = tf.Variable(0, dtype=tf.int64, name='train_step')
  actor_optimizer = off_policy.Adam(actor_learning_rate)
  critic_optimizer = off_policy.Adam(critic_learning_rate)
  agent = td3_lib.Td3Agent(
    time_step_spec,
    action_spec,
    actor_network=actor,
    critic_network=critic,
    actor_optimizer=actor_optimizer,
    critic_optimizer=critic_optimizer,
    target_actor_network=NoisyActor(
      actor.copy(name='TargetActorNetwork'),
      target_policy_noise * half_width,
      target_policy_noise_clip * half_width,
      seed,
      train_step,
    ),
    target_update_tau=target_update_tau,
    target_update_period=target_update_period,
    actor_update_period=actor_update_period,
    td_errors_loss_fn=common.element_wise_huber_loss,
    gamma=gamma,
    target_policy_noise=0.0,
    train_step_counter=train_step,
  )
  critics = (agent._critic_network_1, agent._critic_network_2)
  return off_policy.OffPolicyBaseline(
    agent,
    _policy(actor, observation_spec, action_spec, exploration_noise_std),
    [
      (actor_optimizer, actor.trainable_variables),
      (critic_optimizer, [v for c in critics for v in c.trainable_variables]),
    ],
    gamma,
    ('critic_loss', 'actor_loss'),
  )


@gin.configurable(denylist=['time_step_spec', 'action_spec', 'seed'])
def ddpg_agent(
  time_step_spec: ts.TimeStep,
  action_spec: types.TensorSpec,
  seed: int = 0,
  actor_learning_rate: float = 1e-4,
  critic_learning_rate: float = 1e-3,
  gamma: float = 0.995,
  target_update_tau: float = 0.05,
  target_update_period: int = 5,
  ou_stddev: float = 0.2,
) -> off_policy.OffPolicyBaseline:
  """Builds TF-Agents' DDPG as in its example `ddpg/examples/v2/train_eval.py`.

  Its exploration is an Ornstein-Uhlenbeck process: bind `Trainer.noise_damping`.

  Args:
    time_step_spec: TimeStep spec; the observation is one float32 vector [O].
    action_spec: Spec of the output, float32 [D].
    seed: Unused: nothing in the updates is random.
    actor_learning_rate: Adam's step size for the actor.
    critic_learning_rate: Adam's step size for the critic.
    gamma: Discount.
    target_update_tau: Share of the weights that enters the targets.
    target_update_period: Updates between two of the targets.
    ou_stddev: Noise that enters the process each step, in half-widths of the box.
  """
  del seed
  observation_spec = time_step_spec.observation
  action_spec = policies.bounded(action_spec)
  actor, critic = deterministic_networks(observation_spec, action_spec)
  actor_optimizer = off_policy.Adam(actor_learning_rate)
  critic_optimizer = off_policy.Adam(critic_learning_rate)
  agent = ddpg_lib.DdpgAgent(
    time_step_spec,
    action_spec,
    actor_network=actor,
    critic_network=critic,
    actor_optimizer=actor_optimizer,
    critic_optimizer=critic_optimizer,
    target_update_tau=target_update_tau,
    target_update_period=target_update_period,
    td_errors_loss_fn=common.element_wise_huber_loss,
    gamma=gamma,
    train_step_counter=tf.Variable(0, dtype=tf.int64, name='train_step'),
  )
  return off_policy.OffPolicyBaseline(
    agent,
    _policy(actor, observation_spec, action_spec, ou_stddev),
    [
      (actor_optimizer, actor.trainable_variables),
      (critic_optimizer, critic.trainable_variables),
    ],
    gamma,
    ('critic_loss', 'actor_loss'),
  )
