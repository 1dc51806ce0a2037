"""TF-Agents' DDPG as a baseline."""

from typing import Annotated, ClassVar

import tensorflow as tf
from tf_agents.agents.ddpg import ddpg_agent as ddpg_lib
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

_EXAMPLE = deterministic.EXAMPLE
_HALF_WIDTHS = deterministic.HALF_WIDTHS


@parameters.configurable
class DdpgConfig(deterministic.Settings, protocol.AgentConfig):
  """TF-Agents' DDPG as in its example `ddpg/examples/v2/train_eval.py`.

  Its exploration is an Ornstein-Uhlenbeck process: bind `OffPolicy.noise_damping`.

  Attributes:
    ou_stddev: Noise that enters the process each step.
  """

  gin_name: ClassVar[str] = 'ddpg_agent'

  ou_stddev: Annotated[
    float,
    checks.POSITIVE,
    ranges.EXPLORATION,
    _HALF_WIDTHS,
    _EXAMPLE,
  ] = 0.2

  def build(
    self,
    time_step_spec: ts.TimeStep,
    output_spec: types.TensorSpec,
    seed: int,
    executed_action: entropy.ExecutedAction | None = None,
  ) -> adapter.TfAgentsAgent:
    """See `protocol.AgentConfig`."""
    del seed, executed_action  # Its critic judges what it puts out.
    observation_spec = time_step_spec.observation
    action_spec = affine_policy.bounded(output_spec)
    actor, critic = self.networks.build(observation_spec, action_spec)
    actor_optimizer = adapter.Adam(self.actor_learning_rate)
    critic_optimizer = adapter.Adam(self.critic_learning_rate)
    agent = ddpg_lib.DdpgAgent(
      time_step_spec,
      action_spec,
      actor_network=actor,
      critic_network=critic,
      actor_optimizer=actor_optimizer,
      critic_optimizer=critic_optimizer,
      target_update_tau=self.target_update_tau,
      target_update_period=self.target_update_period,
      td_errors_loss_fn=common.element_wise_huber_loss,
      gamma=self.gamma,
      train_step_counter=tf.Variable(0, dtype=tf.int64, name='train_step'),
    )
    return adapter.TfAgentsAgent(
      agent,
      deterministic.policy(actor, observation_spec, action_spec, self.ou_stddev),
      [
        (actor_optimizer, actor.trainable_variables),
        (critic_optimizer, critic.trainable_variables),
      ],
      self.gamma,
      ('critic_loss', 'actor_loss'),
    )
