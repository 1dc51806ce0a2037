"""Learning from what was just collected: PPO as TF-Agents' own loop has it."""

import contextlib
from typing import Any

import gymnasium
import numpy as np
import tensorflow as tf
from tf_agents.policies import py_tf_eager_policy
from tf_agents.train import actor as actor_lib
from tf_agents.trajectories import trajectory

from latent_hrl import errors
from latent_hrl import latent_actions
from latent_hrl.agents import ppo
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.training import layer_environment
from latent_hrl.training import training_state


class OnPolicyLearning:
  """TF-Agents' Actor and PPO agent in turns, one sequence at a time.

  The steps are those of TF-Agents' PPOLearner. That one reads ahead and counts on a replay
  server that makes it wait; here the minibatches are drawn without.

  A run takes minutes, and what TF-Agents' policies draw from cannot be kept: there are no
  checkpoints, an interrupted layer starts again.

  Attributes:
    state: The layer as it is now.
  """

  def __init__(self, state: training_state.TrainingState, agent: ppo.PpoAgent):
    """Builds everything; nothing runs yet.

    Args:
      state: The layer on its task, which acts with the agent's policy.
      agent: The agent, on the specs of the layer's plan.
    """
    self.state = state
    self._plan = plan = state.plan
    self._agent = agent
    self._config = agent.config
    env: gymnasium.Env = state.env
    if state.lower is not None:
      bound = latent_actions.LATENT_BOUND  # The box of the agent, which puts out latents.
      env = latent_actions.LatentActionWrapper(env, state.lower, bound)
    self._env = layer_environment.LayerEnvironment(
      env,
      state.own_where,
      plan.time_step_spec,
      agent.agent.action_spec,
      state.seeds.env,
      plan.layer.interval,
      agent.config.gamma,
    )
    self._collected: list[trajectory.Trajectory] = []
    self._actor = actor_lib.Actor(
      self._env,
      py_tf_eager_policy.PyTFEagerPolicy(agent.agent.collect_policy, use_tf_function=True),
      agent.agent.train_step_counter,
      steps_per_run=agent.config.collect_steps,
      observers=[self._collected.append],
    )
    self._rng = np.random.default_rng(state.seeds.replay)
    self._prepare = tf.function(self._with_advantages, autograph=False)
    self._train = tf.function(agent.agent.train, autograph=False)
    self._losses: list[float] = []

  def prepare(self) -> None:
    """Has nothing to start."""

  def advance(self, env_steps: int) -> int:
    """Collects one sequence and learns from it.

    The last one may reach beyond the layer's number of steps.

    Args:
      env_steps: Environment steps so far.

    Returns:
      How many were taken.

    Raises:
      TaskError: If the task breaks its contract.
      LatentHrlError: If the loss is not finite.
    """
    before = self._env.env_steps
    self._agent.progress.assign(min(env_steps / self._plan.layer.env_steps, 1.0))
    self._collected.clear()
    self._actor.run()
    loss = self._learn()
    if not np.isfinite(loss):
      raise errors.LatentHrlError(
        f'training of layer {self._plan.name!r} diverged at step {env_steps:,}: loss is '
        f'{loss}'
      )
    self._losses.append(loss)
    return self._env.env_steps - before

  def _learn(self) -> float:
    """Goes through the sequence several times in shuffled minibatches; the mean loss."""
    steps, size = self._config.collect_steps, self._config.minibatch_size
    # As in TF-Agents' example: the boundary between two episodes takes up a step, what is
    # over at the end is left out.
    sequence = tf.nest.map_structure(
      lambda *parts: tf.constant(np.stack(parts)[np.newaxis]), *self._collected[:steps]
    )
    experience = tf.nest.map_structure(
      lambda part: part[0].numpy(), self._prepare(sequence)
    )
    order = [self._rng.permutation(steps) for _ in range(self._config.num_epochs)]
    losses = []
    for rows in np.reshape(order, [-1, size]):
      minibatch = tf.nest.map_structure(
        lambda part, rows=rows: tf.constant(part[rows, np.newaxis]), experience
      )
      losses.append(self._train(minibatch).loss)
    return float(np.mean(losses))

  def _with_advantages(self, sequence: trajectory.Trajectory) -> trajectory.Trajectory:
    """Takes a sequence [1, T] into the normalisers, then computes its advantages."""
    agent = self._agent.agent
    agent.update_observation_normalizer(sequence.observation)
    agent.update_reward_normalizer(sequence.reward)
    return agent.preprocess_sequence(sequence)

  def evaluated(self) -> contextlib.AbstractContextManager:
    """See `trainer.Learning`: the policy itself."""
    return contextlib.nullcontext()

  def measures(self) -> dict[str, Any]:
    """Returns the mean loss, and the episodes of collection, since the last call."""
    measures: dict[str, Any] = {}
    if self._losses:
      measures['loss'] = float(np.mean(self._losses))
      self._losses.clear()
    collected = self._env.take_episodes()
    if collected:
      measures['collect'] = episodes_lib.summarize(collected)
    return measures

  def save(self, env_steps: int, state: dict[str, Any]) -> bool:
    """Keeps nothing; see the class."""
    return False

  def restore(self) -> dict[str, Any] | None:
    """Finds nothing; see the class."""
    return None

  def close(self) -> None:
    """Has nothing to end."""
