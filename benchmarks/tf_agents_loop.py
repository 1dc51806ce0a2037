"""An agent in TF-Agents' own actor, learner and replay, as its examples wire them.

But for the replay of SAC: its buffer in TensorFlow instead of Reverb, which has no build
for Python 3.11.
"""

import latent_hrl  # noqa: F401  prepares TensorFlow  # isort: skip
import numpy as np
import tensorflow as tf
from tf_agents.policies import greedy_policy
from tf_agents.policies import py_tf_eager_policy
from tf_agents.policies import random_py_policy
from tf_agents.replay_buffers import tf_uniform_replay_buffer
from tf_agents.train import actor as actor_lib
from tf_agents.train import learner as learner_lib
from tf_agents.trajectories import time_step as ts
from tf_agents.utils import common
from tf_agents.utils import nest_utils

from benchmarks import tf_agents_examples
from latent_hrl.environments import tf_environment


class Loop:
  """One environment step by an `Actor` and one update by a `Learner`, in turn."""

  def __init__(
    self,
    env: tf_environment.GymnasiumEnvironment,
    example: tf_agents_examples.Example,
    root_dir: str,
    skip_boundaries: bool = False,
  ):
    """Builds everything and takes the first steps.

    Args:
      env: The task.
      example: The agent and its numbers.
      root_dir: Where the learner writes.
      skip_boundaries: Whether to leave out pairs of steps from two episodes, as the example
        of SAC does; one in a thousand on HalfCheetah, and it costs time to look for them.
    """
    agent = example.agent
    replay = tf_uniform_replay_buffer.TFUniformReplayBuffer(
      agent.collect_data_spec, batch_size=1, max_length=example.replay_capacity
    )

    @common.function
    def add(trajectories) -> None:
      replay.add_batch(trajectories)

    def observe(trajectory) -> None:
      add(nest_utils.batch_nested_array(trajectory))

    collect_policy = py_tf_eager_policy.PyTFEagerPolicy(
      agent.collect_policy, use_tf_function=True
    )
    first_policy = collect_policy
    if example.random_start:
      first_policy = random_py_policy.RandomPyPolicy(
        env.time_step_spec(), env.action_spec()
      )
    actor_lib.Actor(
      env,
      first_policy,
      agent.train_step_counter,
      steps_per_run=example.initial_steps,
      observers=[observe],
    ).run()

    def experience() -> tf.data.Dataset:
      pairs = replay.as_dataset(
        num_parallel_calls=2, sample_batch_size=example.batch_size, num_steps=2
      )
      if skip_boundaries:
        pairs = pairs.unbatch().filter(lambda pair, _: ~pair.is_boundary()[0])
        pairs = pairs.batch(example.batch_size)
      return pairs.prefetch(2)

    self._collect = actor_lib.Actor(
      env,
      collect_policy,
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
