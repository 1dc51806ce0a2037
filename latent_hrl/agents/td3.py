"""TF-Agents' TD3 as a baseline."""

from typing import Annotated, ClassVar

import tensorflow as tf
from tf_agents.agents.td3 import td3_agent as td3_lib
from tf_agents.networks import network
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types
from tf_agents.utils import common

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl.agents import affine_policy
from latent_hrl.agents import deterministic
from latent_hrl.agents import entropy
from latent_hrl.agents import protocol
from latent_hrl.agents import tf_agents_adapter as adapter
from latent_hrl.networks import boxes

_EXAMPLE = deterministic.EXAMPLE
_HALF_WIDTHS = deterministic.HALF_WIDTHS


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
    seed = adapter.step_seed(self._seed, self._train_step, 0)
    noise = self._noise * tf.random.stateless_normal(tf.shape(action), seed)
    return action + tf.clip_by_value(noise, -self._clip, self._clip), network_state


@parameters.configurable
class Td3Config(deterministic.Settings, protocol.AgentConfig):
  """TF-Agents' TD3 as in its example `td3/examples/v2/train_eval.py`.

  Attributes:
    actor_update_period: Updates between two of the actor.
    exploration_noise_std: Noise on collected actions.
    target_policy_noise: Noise on the target's actions.
    target_policy_noise_clip: Bound on that noise.
  """

  gin_name: ClassVar[str] = 'td3_agent'

  actor_update_period: Annotated[int, checks.POSITIVE_INTEGER, ranges.PERIOD, _EXAMPLE] = 2
  # Exploration noise is the latent of the saved layer: without it there is none.
  exploration_noise_std: Annotated[
    float,
    checks.POSITIVE,
    ranges.EXPLORATION,
    _HALF_WIDTHS,
    _EXAMPLE,
  ] = 0.1
  target_policy_noise: Annotated[
    float,
    checks.NOT_NEGATIVE,
    ranges.NOISE,
    _HALF_WIDTHS,
    _EXAMPLE,
  ] = 0.2
  target_policy_noise_clip: Annotated[
    float,
    checks.NOT_NEGATIVE,
    ranges.NOISE,
    _HALF_WIDTHS,
    _EXAMPLE,
  ] = 0.5

  def build(
    self,
    time_step_spec: ts.TimeStep,
    output_spec: types.TensorSpec,
    seed: int,
    executed_action: entropy.ExecutedAction | None = None,
  ) -> adapter.TfAgentsAgent:
    """See `protocol.AgentConfig`."""
    del executed_action  # Its critic judges what it puts out.
    observation_spec = time_step_spec.observation
    action_spec = affine_policy.bounded(output_spec)
    actor, critic = self.networks.build(observation_spec, action_spec)
    half_width = boxes.center_and_half_width(action_spec)[1]
    train_step = tf.Variable(0, dtype=tf.int64, name='train_step')
    actor_optimizer = adapter.Adam(self.actor_learning_rate)
    critic_optimizer = adapter.Adam(self.critic_learning_rate)
    agent = td3_lib.Td3Agent(
      time_step_spec,
      action_spec,
      actor_network=actor,
      critic_network=critic,
      actor_optimizer=actor_optimizer,
      critic_optimizer=critic_optimizer,
      target_actor_network=NoisyActor(
        actor.copy(name='TargetActorNetwork'),
        self.target_policy_noise * half_width,
        self.target_policy_noise_clip * half_width,
        seed,
        train_step,
      ),
      target_update_tau=self.target_update_tau,
      target_update_period=self.target_update_period,
      actor_update_period=self.actor_update_period,
      td_errors_loss_fn=common.element_wise_huber_loss,
      gamma=self.gamma,
      target_policy_noise=0.0,
      train_step_counter=train_step,
    )
    critics = (agent._critic_network_1, agent._critic_network_2)
    return adapter.TfAgentsAgent(
      agent,
      deterministic.policy(
        actor, observation_spec, action_spec, self.exploration_noise_std
      ),
      [
        (actor_optimizer, actor.trainable_variables),
        (critic_optimizer, [v for c in critics for v in c.trainable_variables]),
      ],
      self.gamma,
      ('critic_loss', 'actor_loss'),
    )
