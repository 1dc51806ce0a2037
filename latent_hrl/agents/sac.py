"""TF-Agents' SAC as a baseline."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import tensorflow as tf
from tf_agents.agents.ddpg import critic_network
from tf_agents.agents.sac import sac_agent as sac_lib
from tf_agents.agents.sac import tanh_normal_projection_network
from tf_agents.networks import actor_distribution_network
from tf_agents.networks import network
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types
from tf_agents.utils import common

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl.agents import affine_policy
from latent_hrl.agents import entropy
from latent_hrl.agents import protocol
from latent_hrl.agents import tf_agents_adapter as adapter
from latent_hrl.networks import boxes

_EXAMPLE = parameters.Source("TF-Agents' example")


class SeededSacAgent(sac_lib.SacAgent):
  """TF-Agents' SAC, its noise a function of seed and train step alone."""

  def __init__(self, *args, seed: int, **kwargs):
    super().__init__(*args, **kwargs)
    self._noise_seed = seed
    self._draws = 0

  def _train(self, experience, weights):
    self._draws = 0
    return super()._train(experience, weights)

  def _actions_and_log_probs(self, time_steps, training=False):
    # Critic, actor and temperature draw in this order.
    seed = adapter.step_seed(self._noise_seed, self.train_step_counter, self._draws)
    self._draws += 1
    distribution = self._train_policy.distribution(time_steps, policy_state=()).action
    actions = distribution.sample(seed=seed)
    return actions, common.log_probability(distribution, actions, self.action_spec)


@parameters.configurable
class SacConfig(protocol.AgentConfig):
  """TF-Agents' SAC as in its example `haarnoja18/sac_train_eval.py`.

  Attributes:
    hidden_units: Widths of actor and critics.
    learning_rate: Adam's step size for actor, critics and temperature.
    gamma: Discount.
    target_update_tau: Share of the critics that enters their targets each update.
    reward_scale_factor: What rewards are multiplied with in the updates.
  """

  gin_name: ClassVar[str] = 'sac_agent'

  hidden_units: Annotated[Sequence[int], checks.several(checks.WIDTH), _EXAMPLE] = (
    256,
    256,
  )
  learning_rate: Annotated[float, checks.POSITIVE, ranges.LEARNING_RATE, _EXAMPLE] = 3e-4
  gamma: Annotated[float, checks.FROM_0_TO_1, _EXAMPLE] = 0.99
  target_update_tau: Annotated[float, checks.SHARE, ranges.AVERAGE, _EXAMPLE] = 0.005
  reward_scale_factor: Annotated[float, checks.POSITIVE, ranges.REWARD_SCALE, _EXAMPLE] = (
    0.1
  )

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
    actor = actor_distribution_network.ActorDistributionNetwork(
      observation_spec,
      action_spec,
      fc_layer_params=tuple(self.hidden_units),
      continuous_projection_net=tanh_normal_projection_network.TanhNormalProjectionNetwork,
      kernel_initializer='glorot_uniform',
    )
    critic = critic_network.CriticNetwork(
      (observation_spec, action_spec),
      joint_fc_layer_params=tuple(self.hidden_units),
      kernel_initializer='glorot_uniform',
      last_kernel_initializer='glorot_uniform',
    )
    optimizers = [adapter.Adam(self.learning_rate) for _ in range(3)]
    agent = SeededSacAgent(
      time_step_spec,
      action_spec,
      seed=seed,
      critic_network=critic,
      actor_network=actor,
      actor_optimizer=optimizers[0],
      critic_optimizer=optimizers[1],
      alpha_optimizer=optimizers[2],
      target_update_tau=self.target_update_tau,
      td_errors_loss_fn=tf.math.squared_difference,
      gamma=self.gamma,
      reward_scale_factor=self.reward_scale_factor,
      train_step_counter=tf.Variable(0, dtype=tf.int64, name='train_step'),
    )

    def location_and_scale(
      network_: network.Network, observation: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
      distribution, _ = network_(observation, step_type=(), network_state=())
      gaussian = distribution.input_distribution
      return gaussian.mean(), gaussian.stddev()

    policy = affine_policy.AffinePolicy(
      actor,
      observation_spec,
      action_spec,
      location_and_scale,
      boxes.tanh_squash(action_spec),
    )
    critics = (agent._critic_network_1, agent._critic_network_2)
    trained = (
      actor.trainable_variables,
      [v for c in critics for v in c.trainable_variables],
      [agent._log_alpha],
    )
    return adapter.TfAgentsAgent(
      agent,
      policy,
      list(zip(optimizers, trained, strict=True)),
      self.gamma,
      ('critic_loss', 'actor_loss', 'alpha_loss'),
    )
