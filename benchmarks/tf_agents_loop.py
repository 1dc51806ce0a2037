"""TF-Agents' SAC with its own actor, learner and replay, as its MuJoCo example wires them.

Numbers and parts are those of its `examples/sac/haarnoja18/sac_train_eval.py`, but for the
replay: its buffer in TensorFlow instead of Reverb, which has no build for Python 3.11.
"""

import latent_hrl  # noqa: F401  prepares TensorFlow  # isort: skip
import numpy as np
import tensorflow as tf
from tf_agents.agents.ddpg import critic_network
from tf_agents.agents.sac import sac_agent
from tf_agents.agents.sac import tanh_normal_projection_network
from tf_agents.networks import actor_distribution_network
from tf_agents.policies import greedy_policy
from tf_agents.policies import py_tf_eager_policy
from tf_agents.policies import random_py_policy
from tf_agents.replay_buffers import tf_uniform_replay_buffer
from tf_agents.specs import tensor_spec
from tf_agents.train import actor as actor_lib
from tf_agents.train import learner as learner_lib
from tf_agents.train.utils import train_utils
from tf_agents.trajectories import time_step as ts
from tf_agents.utils import common
from tf_agents.utils import nest_utils

from latent_hrl.environments import tf_environment

_BATCH_SIZE = 256
_CAPACITY = 1_000_000
_WIDTHS = (256, 256)


def make_agent(env: tf_environment.GymnasiumEnvironment) -> sac_agent.SacAgent:
  """Returns SAC with the numbers of TF-Agents' own MuJoCo example."""
  time_step_spec = tensor_spec.from_spec(env.time_step_spec())
  observation_spec = tensor_spec.from_spec(env.observation_spec())
  action_spec = tensor_spec.from_spec(env.action_spec())
  critic = critic_network.CriticNetwork(
    (observation_spec, action_spec),
    joint_fc_layer_params=_WIDTHS,
    kernel_initializer='glorot_uniform',
    last_kernel_initializer='glorot_uniform',
  )
  actor = actor_distribution_network.ActorDistributionNetwork(
    observation_spec,
    action_spec,
    fc_layer_params=_WIDTHS,
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
  return agent


class Loop:
  """One environment step by an `Actor` and one update by a `Learner`, in turn."""

  def __init__(
    self,
    env: tf_environment.GymnasiumEnvironment,
    root_dir: str,
    initial_steps: int,
    skip_boundaries: bool = False,
  ):
    """Builds everything and takes the first steps, with random actions.

    Args:
      env: The task.
      root_dir: Where the learner writes.
      initial_steps: How many environment steps come before the first update.
      skip_boundaries: Whether to leave out pairs of steps from two episodes, as the example
        does; one in a thousand on HalfCheetah, and it costs time to look for them.
    """
    self._env = env
    self.agent = agent = make_agent(env)
    replay = tf_uniform_replay_buffer.TFUniformReplayBuffer(
      agent.collect_data_spec, batch_size=1, max_length=_CAPACITY
    )

    @common.function
    def add(trajectories) -> None:
      replay.add_batch(trajectories)

    def observe(trajectory) -> None:
      add(nest_utils.batch_nested_array(trajectory))

    actor_lib.Actor(
      env,
      random_py_policy.RandomPyPolicy(env.time_step_spec(), env.action_spec()),
      agent.train_step_counter,
      steps_per_run=initial_steps,
      observers=[observe],
    ).run()

    def experience() -> tf.data.Dataset:
      pairs = replay.as_dataset(
        num_parallel_calls=2, sample_batch_size=_BATCH_SIZE, num_steps=2
      )
      if skip_boundaries:
        pairs = pairs.unbatch().filter(lambda pair, _: ~pair.is_boundary()[0])
        pairs = pairs.batch(_BATCH_SIZE)
      return pairs.prefetch(2)

    self._collect = actor_lib.Actor(
      env,
      py_tf_eager_policy.PyTFEagerPolicy(agent.collect_policy, use_tf_function=True),
      agent.train_step_counter,
      steps_per_run=1,
      observers=[observe],
    )
    self._learner = learner_lib.Learner(
      root_dir,
      agent.train_step_counter,
      agent,
      experience_dataset_fn=experience,
    )
    self._greedy = common.function(greedy_policy.GreedyPolicy(agent.policy).action)

  def step(self) -> int:
    """Takes one environment step and one update, and returns the steps."""
    self._collect.run()
    self._learner.run(iterations=1)
    return 1

  def act(self, observation: np.ndarray) -> np.ndarray:
    """Returns the mode policy's actions, float32 [B, D], for observations [B, O]."""
    time_step = ts.restart(tf.constant(observation, tf.float32), len(observation))
    return self._greedy(time_step).action.numpy()
