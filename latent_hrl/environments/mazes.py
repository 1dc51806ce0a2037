"""Mazes for the Ant with goals to reach."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from latent_hrl.environments import goals


class AntMazeEnv(goals.GoalEnv):
  """The Ant in a maze, rewarded on arrival alone; the episode ends there.

  Source: the cross maze of Haarnoja et al. (2018), section 5.3 (docs/tasks.md).
  """

  def __init__(
    self,
    maze: str | Sequence[str] = 'cross',
    goal: int | None = None,
    weight: float = 1000.0,
    radius: float = 2.0,
    **kwargs: Any,
  ):
    """Builds the task.

    Args:
      maze: A name of `maps.MAPS` or the rows of a map.
      goal: Number of the goal, in reading order of the map; None draws one an episode.
      weight: The reward on arrival.
      radius: Distance in m at which the goal counts as reached.
      **kwargs: See `robots.RobotEnv`.

    Raises:
      ValueError: If there is no such map or goal.
    """
    super().__init__('ant', radius, maze=maze, **kwargs)
    self._goals = np.zeros((0, 2)) if self.maze is None else self.maze.goals
    if not len(self._goals):
      raise ValueError('A maze needs a goal, G.')
    if goal is not None and not 0 <= goal < len(self._goals):
      raise ValueError(f'goal {goal} of a maze with {len(self._goals)} goals')
    self._fixed_goal = goal
    self._goal_index = 0
    self._weight = weight

  def _draw_goal(self) -> np.ndarray:
    if self._fixed_goal is None:
      self._goal_index = int(self.np_random.integers(len(self._goals)))
    else:
      self._goal_index = self._fixed_goal
    return self._goals[self._goal_index]

  def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
    """Starts an episode with a goal; see `gymnasium.Env.reset`."""
    observation, info = super().reset(seed=seed, options=options)
    return observation, {**info, 'goal': -1}

  def _terms(
    self, action: np.ndarray, info: dict[str, Any]
  ) -> tuple[dict[str, float], bool]:
    arrived = self._distance() <= self._radius
    info['success'] = arrived
    info['goal'] = self._goal_index if arrived else -1
    return {'arrival': self._weight * arrived}, arrived
