"""TF-Agents' off-policy agents in the training loop of the layers.

Agents, networks and losses are TF-Agents' own, with the numbers of its examples. What is
ours: random numbers that depend on seed and train step alone, so that a run can be repeated
and resumed, and that an update is compiled together with those after it.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tf_agents.agents import tf_agent
from tf_agents.trajectories import policy_step
from tf_agents.trajectories import time_step as ts
from tf_agents.trajectories import trajectory

from latent_hrl.agents import affine_policy
from latent_hrl.agents import protocol

# TF-Agents 0.19 is written for Keras' optimisers of before 2.11.
Adam = tf.keras.optimizers.legacy.Adam
Optimizer = Any  # Keras comes without types.


class TfAgentsAgent:
  """An agent of TF-Agents as a `protocol.OffPolicyAgent`."""

  def __init__(
    self,
    agent: tf_agent.TFAgent,
    actor_network: affine_policy.AffinePolicy,
    trained: Sequence[tuple[Optimizer, Sequence[tf.Variable]]],
    gamma: float,
    loss_names: Sequence[str],
  ):
    """Wraps an agent.

    Args:
      agent: The agent, not yet initialised.
      actor_network: Its policy.
      trained: Its optimisers, each with the variables that it trains.
      gamma: Its discount.
      loss_names: Names of the parts of its loss.
    """
    agent.initialize()
    self._agent = agent
    self.actor_network = actor_network
    self.gamma = gamma
    self.loss_names = loss_names
    for optimizer, variables in trained:
      make_slots(optimizer, variables)
    # Everything that hangs on the agent: networks, temperature, counters.
    self.state_parts = {'agent': list(agent.variables)} | {
      f'optimizer_{i}': optimizer.variables() for i, (optimizer, _) in enumerate(trained)
    }

  @property
  def averaged_actor_network(self) -> affine_policy.AffinePolicy:
    """The policy itself: TF-Agents' agents keep no average."""
    return self.actor_network

  @property
  def objective(self) -> dict[str, Any]:
    """Its discount."""
    return {'gamma': self.gamma}

  def inherited_parts(self, objective: dict[str, Any]) -> tuple[str, ...]:
    """None: it judges what it puts out."""
    del objective
    return ()

  @property
  def agent(self) -> tf_agent.TFAgent:
    """The agent inside."""
    return self._agent

  def update(self, batch: protocol.Batch) -> tf_agent.LossInfo:
    """One update of TF-Agents' agent. Traceable by XLA.

    Args:
      batch: Transitions, leading shape [B].

    Returns:
      Its LossInfo, the extra a tuple of scalars.
    """
    # Neither kind of step matters to an agent without recurrence.
    middle = tf.fill(tf.shape(batch.reward), ts.StepType.MID)
    ones = tf.ones_like(batch.reward)
    loss_info = self._agent.train(
      trajectory.Transition(
        ts.TimeStep(middle, tf.zeros_like(ones), ones, batch.observation),
        policy_step.PolicyStep(batch.output),
        ts.TimeStep(middle, batch.reward, batch.discount, batch.next_observation),
      )
    )
    extra = [getattr(loss_info.extra, name) for name in self.loss_names]
    return tf_agent.LossInfo(loss_info.loss, extra)


def make_slots(optimizer: Optimizer, variables: Sequence[tf.Variable]) -> None:
  """Makes an optimiser's variables, which Keras leaves to the first gradient.

  A checkpoint needs them from the beginning, and a compiled loop cannot make any.
  """
  optimizer.apply_gradients([(tf.zeros_like(v), v) for v in variables])
  optimizer.iterations.assign(0)


def step_seed(seed: int, train_step: tf.Variable, draw: int) -> tf.Tensor:
  """Returns a seed [2] for one of several draws within a train step."""
  fold_in = tf.random.experimental.stateless_fold_in
  step = tf.cast(train_step, tf.int32)
  return fold_in(fold_in(tf.constant([seed, 0], tf.int32), step), draw)
