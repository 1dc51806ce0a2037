"""An episode and its measures, in collection as in evaluation."""

import collections
import dataclasses
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np

from latent_hrl import rewards

_NUMBER = (int, float, np.bool_, np.number)


@dataclasses.dataclass
class Episode:
  """One episode.

  Attributes:
    task_return: Undiscounted sum of the task's own reward.
    layer_return: Undiscounted sum of the layer's reward; None if that is not known here.
    terms: Undiscounted sum of each term of the layer's reward and, after `task/`, of the
      task's, where it has several.
    length: Environment steps.
    latent: The first top latent, [D].
    success: The task's last `info['success']`, or `is_success`; None if it has no goals.
    goal: The task's last `info['goal']`, the index of the goal reached (-1 for none); None
      if it has none.
    start_seed: Seed of the task's reset.
    actions: Actions [length, D], if recorded.
    positions: x and y in m, [length + 1, 2], if recorded and the task tells them.
    measured: What a commanded reward looked at in each step, [length, m], if recorded.
  """

  task_return: float = 0.0
  layer_return: float | None = 0.0
  terms: collections.Counter = dataclasses.field(default_factory=collections.Counter)
  length: int = 0
  latent: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
  success: bool | None = None
  goal: int | None = None
  start_seed: int = 0
  actions: list[np.ndarray] = dataclasses.field(default_factory=list)
  positions: list[np.ndarray] = dataclasses.field(default_factory=list)
  measured: list[np.ndarray] = dataclasses.field(default_factory=list)

  def add_step(self, reward: float, info: dict[str, Any]) -> None:
    """Counts a step with its layer reward."""
    if self.layer_return is not None:
      self.layer_return += reward
    self.task_return += info.get('task_reward', reward)
    self.terms.update(_terms(info, reward))
    self.length += 1

  def end(self, info: dict[str, Any]) -> None:
    """Takes what the last step tells of the whole episode."""
    goal = info.get('goal')
    # Tasks of others may call something else so, such as the goal's coordinates.
    told = [info.get(name) for name in ('success', 'is_success')]
    numbers = [value for value in told if isinstance(value, _NUMBER)]
    self.success = bool(numbers[0]) if numbers else None
    self.goal = int(goal) if isinstance(goal, int | np.integer) else None

  def measures(self) -> dict[str, Any]:
    """Returns what `summarize` needs, as JSON types; arguments of another `Episode`."""
    names = ('task_return', 'layer_return', 'length', 'success', 'goal')
    return {**{name: getattr(self, name) for name in names}, 'terms': dict(self.terms)}

  def record(self, env: gymnasium.Env, observation: np.ndarray, info: dict) -> None:
    """Keeps where the episode is."""
    position = env.get_wrapper_attr('position')(observation, info)
    if position is not None:
      self.positions.append(position)
    if 'measured' in info:
      self.measured.append(info['measured'])


def _terms(info: dict[str, Any], reward: float) -> dict[str, float]:
  """Returns the terms of a step's rewards; nothing for a reward that has but one."""
  layer = info.get('layer_terms', {})
  task = rewards.task_terms(info, info.get('task_reward', reward))
  terms = dict(layer) if len(layer) > 1 else {}
  if len(task) > 1:
    terms |= {f'task/{name}': value for name, value in task.items()}
  return terms


def summarize(episodes: Sequence[Episode]) -> dict[str, Any]:
  """Returns the measures of some episodes as JSON types.

  `return_mean` and `return_std` are of the task's own reward, `layer_return_*` of the
  layer's, None where that is not known; `terms` has the mean of each term of rewards with
  several. `success_rate` and `goal_rates` (goal index to share of episodes) are there where
  the task has goals.
  """
  returns = [episode.task_return for episode in episodes]
  known = [e.layer_return for e in episodes if e.layer_return is not None]
  layer_returns = known if len(known) == len(episodes) else None
  summary: dict[str, Any] = {
    'return_mean': float(np.mean(returns)),
    'return_std': float(np.std(returns)),
    'layer_return_mean': None if layer_returns is None else float(np.mean(layer_returns)),
    'layer_return_std': None if layer_returns is None else float(np.std(layer_returns)),
    'length_mean': float(np.mean([episode.length for episode in episodes])),
    'episodes': len(episodes),
  }
  names = dict.fromkeys(name for episode in episodes for name in episode.terms)
  if names:
    summary['terms'] = {
      name: float(np.mean([episode.terms[name] for episode in episodes])) for name in names
    }
  successes = [e.success for e in episodes if e.success is not None]
  if len(successes) == len(episodes):
    summary['success_rate'] = float(np.mean(successes))
  goals = [episode.goal for episode in episodes if episode.goal is not None]
  if len(goals) == len(episodes):
    summary['goal_rates'] = {
      str(goal): goals.count(goal) / len(goals) for goal in sorted(set(goals)) if goal >= 0
    }
  return summary
