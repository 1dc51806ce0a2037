"""TF-Agents' SAC, TD3 and DDPG as its own MuJoCo examples build them.

Nothing here comes from `latent_hrl.agents`: these agents are what the baselines are laid
beside. Numbers and parts are those of `examples/sac/haarnoja18/sac_train_eval.py`,
`agents/td3/examples/v2/train_eval.py` and `agents/ddpg/examples/v2/train_eval.py`.
"""

from collections.abc import Callable
from typing import NamedTuple

import latent_hrl  # noqa: F401  prepares TensorFlow  # isort: skip
import tensorflow as tf
from tf_agents.agents import tf_agent
from tf_agents.agents.ddpg import actor_network
from tf_agents.agents.ddpg import critic_network
from tf_agents.agents.ddpg import ddpg_agent
from tf_agents.agents.sac import sac_agent
from tf_agents.agents.sac import tanh_normal_projection_network
from tf_agents.agents.td3 import td3_agent
from tf_agents.networks import actor_distribution_network
from tf_agents.specs import tensor_spec
from tf_agents.train.utils import train_utils
from tf_agents.utils import common

from latent_hrl.environments import tf_environment


class Example(NamedTuple):
  """An agent and the numbers of the loop around it.

  Attributes:
    name: What TF-Agents calls it.
    agent: The agent, initialised.
    batch_size: Transitions of an update.
    replay_capacity: Transitions.
    initial_steps: Environment steps before the first update.
    random_start: Whether these are uniform actions, not the collect policy's.
  """

  name: str
  agent: tf_agent.TFAgent
  batch_size: int
  replay_capacity: int
  initial_steps: int
  random_start: bool


def _specs(env: tf_environment.GymnasiumEnvironment) -> tuple:
  specs = (env.time_step_spec(), env.observation_spec(), env.action_spec())
  return tuple(tensor_spec.from_spec(spec) for spec in specs)


def sac(env: tf_environment.GymnasiumEnvironment) -> Example:
  """Returns SAC."""
  time_step_spec, observation_spec, action_spec = _specs(env)
  critic = critic_network.CriticNetwork(
    (observation_spec, action_spec),
    joint_fc_layer_params=(256, 256),
    kernel_initializer='glorot_uniform',
    last_kernel_initializer='glorot_uniform',
  )
  actor = actor_distribution_network.ActorDistributionNetwork(
    observation_spec,
    action_spec,
    fc_layer_params=(256, 256),
    continuous_projection_net=tanh_normal_projection_network.TanhNormalProjectionNetwork,
  )
  agent = sac_agent.SacAgent(
    time_step_spec,
    action_spec,
    critic_network=critic,
    actor_network=actor,
    actor_optimizer=tf.keras.optimizers.Adam(3e-4),
    critic_optimizer=tf.keras.optimizers.Adam(3e-4),
    alpha_optimizer=tf.keras.optimizers.Adam(3e-4),
    target_update_tau=0.005,
    target_update_period=1,
    td_errors_loss_fn=tf.math.squared_difference,
    gamma=0.99,
    reward_scale_factor=0.1,
    train_step_counter=train_utils.create_train_step(),
  )
  agent.initialize()
  return Example('SAC', agent, 256, 1_000_000, initial_steps=10_000, random_start=True)


def _deterministic(env: tf_environment.GymnasiumEnvironment) -> dict:
  """Returns what TD3 and DDPG share: networks, optimisers and numbers."""
  time_step_spec, observation_spec, action_spec = _specs(env)
  return {
    'time_step_spec': time_step_spec,
    'action_spec': action_spec,
    'actor_network': actor_network.ActorNetwork(
      observation_spec, action_spec, fc_layer_params=(400, 300)
    ),
    'critic_network': critic_network.CriticNetwork(
      (observation_spec, action_spec),
      observation_fc_layer_params=(400,),
      joint_fc_layer_params=(300,),
    ),
    'actor_optimizer': tf.keras.optimizers.Adam(1e-4),
    'critic_optimizer': tf.keras.optimizers.Adam(1e-3),
    'target_update_tau': 0.05,
    'target_update_period': 5,
    'td_errors_loss_fn': common.element_wise_huber_loss,
    'gamma': 0.995,
    'train_step_counter': train_utils.create_train_step(),
  }


def td3(env: tf_environment.GymnasiumEnvironment) -> Example:
  """Returns TD3."""
  agent = td3_agent.Td3Agent(
    **_deterministic(env), exploration_noise_std=0.1, actor_update_period=2
  )
  agent.initialize()
  return Example('TD3', agent, 64, 100_000, initial_steps=1000, random_start=False)


def ddpg(env: tf_environment.GymnasiumEnvironment) -> Example:
  """Returns DDPG."""
  agent = ddpg_agent.DdpgAgent(**_deterministic(env), ou_stddev=0.2, ou_damping=0.15)
  agent.initialize()
  return Example('DDPG', agent, 64, 100_000, initial_steps=1000, random_start=False)


EXAMPLES: dict[str, Callable[[tf_environment.GymnasiumEnvironment], Example]] = {
  'sac': sac,
  'td3': td3,
  'ddpg': ddpg,
}
