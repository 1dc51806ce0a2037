"""What TF-Agents' TD3 and DDPG share: deterministic actors that explore by noise."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import attrs
import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.agents.ddpg import actor_network
from tf_agents.agents.ddpg import critic_network
from tf_agents.networks import network
from tf_agents.specs import tensor_spec

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl.agents import affine_policy
from latent_hrl.networks import boxes

EXAMPLE = parameters.Source("TF-Agents' example")
HALF_WIDTHS = parameters.Unit('half-widths of the box')


@parameters.configurable
class NetworksConfig:
  """The networks of TF-Agents' examples for DDPG and TD3.

  Attributes:
    actor_units: Widths of the actor.
    critic_observation_units: Widths of the critic on the observation alone.
    critic_joint_units: Widths of the critic behind that, with the action.
  """

  gin_name: ClassVar[str] = 'deterministic_networks'

  actor_units: Annotated[Sequence[int], checks.several(checks.WIDTH), EXAMPLE] = (400, 300)
  critic_observation_units: Annotated[
    Sequence[int], checks.several(checks.WIDTH), EXAMPLE
  ] = (400,)
  critic_joint_units: Annotated[Sequence[int], checks.several(checks.WIDTH), EXAMPLE] = (
    300,
  )

  def build(
    self,
    observation_spec: tensor_spec.TensorSpec,
    action_spec: tensor_spec.BoundedTensorSpec,
  ) -> tuple[actor_network.ActorNetwork, critic_network.CriticNetwork]:
    """Returns actor and critic for float32 specs [O] and [D], the latter bounded."""
    return (
      actor_network.ActorNetwork(
        observation_spec, action_spec, fc_layer_params=tuple(self.actor_units)
      ),
      critic_network.CriticNetwork(
        (observation_spec, action_spec),
        observation_fc_layer_params=tuple(self.critic_observation_units),
        joint_fc_layer_params=tuple(self.critic_joint_units),
      ),
    )


@parameters.frozen
class Settings:
  """What TD3 and DDPG share.

  Attributes:
    actor_learning_rate: Adam's step size for the actor.
    critic_learning_rate: Adam's step size for the critics.
    gamma: Discount.
    target_update_tau: Share of the weights that enters the targets.
    target_update_period: Updates between two of the targets.
    networks: Shape of the networks; in gin, `deterministic_networks`.
  """

  actor_learning_rate: Annotated[float, checks.POSITIVE, ranges.LEARNING_RATE, EXAMPLE] = (
    1e-4
  )
  critic_learning_rate: Annotated[float, checks.POSITIVE, ranges.LEARNING_RATE, EXAMPLE] = (
    1e-3
  )
  gamma: Annotated[float, checks.FROM_0_TO_1, EXAMPLE] = 0.995
  target_update_tau: Annotated[float, checks.SHARE, ranges.AVERAGE, EXAMPLE] = 0.05
  target_update_period: Annotated[int, checks.POSITIVE_INTEGER, ranges.PERIOD, EXAMPLE] = 5
  networks: NetworksConfig = attrs.field(factory=NetworksConfig)


def policy(
  actor: actor_network.ActorNetwork,
  observation_spec: tensor_spec.TensorSpec,
  action_spec: tensor_spec.BoundedTensorSpec,
  noise: float,
) -> affine_policy.AffinePolicy:
  """Returns the actor's action with noise, in half-widths of the box, and clipped."""
  half_width = boxes.center_and_half_width(action_spec)[1]

  def location_and_scale(
    network_: network.Network, observation: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    action, _ = network_(observation)
    return action, noise * half_width * tf.ones_like(action)

  return affine_policy.AffinePolicy(
    actor, observation_spec, action_spec, location_and_scale, tfp.bijectors.Identity()
  )
