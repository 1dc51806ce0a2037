"""The reward of a layer in place of the task's own."""

import gymnasium
import numpy as np
from gymnasium import utils

from latent_hrl import commands
from latent_hrl import errors
from latent_hrl import rewards
from latent_hrl.environments import tasks


class LayerReward(gymnasium.Wrapper, utils.RecordConstructorArgs):
  """Replaces the task's reward by a layer's.

  The task's stays in `info['task_reward']`, the layer's terms are in `info['layer_terms']`.
  What a commanded reward looks at beside the command is in `info['measured']`.

  Attributes:
    task: The task.
    command: What the layer is told to do in the next step, float32 [n]; None for a layer
      without a command.
  """

  def __init__(self, env: tasks.Task, reward: rewards.BoundReward):
    """Wraps a task.

    Args:
      env: The task.
      reward: The layer's reward with its arguments bound.
    """
    utils.RecordConstructorArgs.__init__(self, reward=reward)
    gymnasium.Wrapper.__init__(self, env)
    self.task = env
    self._reward = reward
    self._commanded = commands.part_of(reward)
    self.command: np.ndarray | None = None
    if self._commanded is not None:
      self.command = np.zeros(len(self._commanded.entries), np.float32)

  def reset(self, *, seed: int | None = None, options: dict | None = None):
    """Starts an episode; see `gymnasium.Env.reset`."""
    return self.task.reset(seed=seed, options=options)

  def step(self, action: np.ndarray):
    """Takes a step; see `gymnasium.Env.step`.

    Raises:
      TaskError: If the reward is not finite or needs what the task does not give.
    """
    observation = self.task.last_observation
    next_observation, task_reward, terminated, truncated, info = self.task.step(action)
    transition = rewards.Transition(
      observation=self.task.split(observation),
      action=action,
      next_observation=self.task.split(next_observation),
      task_reward=task_reward,
      terminated=terminated,
      info=info,
      command=self.command,
    )
    try:
      terms = self._reward.terms(transition)
      if self._commanded is not None:
        info['measured'] = self._commanded.measure(transition)
    except rewards.MissingQuantityError as error:
      raise errors.TaskError(
        f'reward {self._reward.name!r} needs {error}, which task {self.task.task_id!r} '
        'does not give'
      ) from error
    reward = sum(terms.values())
    if not np.isfinite(reward):
      raise errors.TaskError(
        f'reward {self._reward.name!r} is {reward} on task {self.task.task_id!r}'
      )
    info['task_reward'] = task_reward
    info['layer_terms'] = terms
    return next_observation, reward, terminated, truncated, info


def probe(task: tasks.Task, reward: rewards.BoundReward) -> None:
  """Takes one step, so that a reward the task cannot feed fails before training.

  Args:
    task: The task.
    reward: The reward.

  Raises:
    TaskError: If the reward needs what the task does not give.
    ConfigError: If the reward does not take its arguments.
  """
  env = LayerReward(task, reward)
  env.reset(seed=0)
  try:
    env.step((env.action_space.low + env.action_space.high) / 2)
  except (ArithmeticError, LookupError, TypeError, ValueError) as error:
    raise errors.ConfigError(
      f'reward {reward.name!r} with {reward.arguments} fails on task {task.task_id!r}: '
      f'{" ".join(str(error).split())}'
    ) from error
