"""Mazes for the Ant, built from a text map."""

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np

from latent_hrl.environments import goals

WALL, START, GOAL, FREE = '#', 'S', 'G', '.'

# Rows from north to south, 3 m a cell: goals at (6, 6), (12, 0) and (6, -6) from the start.
CROSS = (
  '#######',
  '###G###',
  '###.###',
  '#S...G#',
  '###.###',
  '###G###',
  '#######',
)
# There and back: the goal is 6 m away through the wall, 12 m along the corridor.
U = (
  '#####',
  '#S..#',
  '###.#',
  '#G..#',
  '#####',
)
MAPS = {'cross': CROSS, 'u': U}


class Maze:
  """A text map with its coordinates: the start is the origin, x goes east, y north."""

  def __init__(self, rows: Sequence[str], cell: float):
    """Reads a map.

    Args:
      rows: Strings of equal length from north to south: `#` wall, `.` free, `S` start,
        `G` goal.
      cell: Size of a cell in m.

    Raises:
      ValueError: If the map is not rectangular, not closed, has not one start, no goal, or
        another character.
    """
    if not rows or len({len(row) for row in rows}) != 1:
      raise ValueError('The rows of a maze must have the same length.')
    self.grid = np.array([list(row) for row in rows])
    unknown = set(self.grid.ravel()) - {WALL, START, GOAL, FREE}
    if unknown:
      raise ValueError(f'A maze knows #, ., S and G, got {", ".join(sorted(unknown))}.')
    border = (self.grid[0], self.grid[-1], self.grid[:, 0], self.grid[:, -1])
    if any((side != WALL).any() for side in border):
      raise ValueError('A maze must be closed by # all around.')
    starts = np.argwhere(self.grid == START)
    if len(starts) != 1:
      raise ValueError(f'A maze has one S, got {len(starts)}.')
    self.cell = cell
    self._start = starts[0]
    self.goals = np.array([self.center(*where) for where in np.argwhere(self.grid == GOAL)])
    if not len(self.goals):
      raise ValueError('A maze needs a goal, G.')

  def center(self, row: float, column: float) -> tuple[float, float]:
    """Returns x and y of a cell's centre in m."""
    x = self.cell * (column - self._start[1])
    return float(x), float(self.cell * (self._start[0] - row))

  def walls(self) -> list[tuple[float, float, float, float]]:
    """Returns boxes (x, y, half length along x, half width along y) that make the walls.

    Cells side by side in a row become one box: fewer contacts to look for.
    """
    boxes = []
    for row, cells in enumerate(self.grid):
      column = 0
      while column < len(cells):
        if cells[column] != WALL:
          column += 1
          continue
        first = column
        while column < len(cells) and cells[column] == WALL:
          column += 1
        x, y = self.center(row, (first + column - 1) / 2)
        boxes.append((x, y, self.cell * (column - first) / 2, self.cell / 2))
    return boxes


class AntMazeEnv(goals.GoalEnv):
  """The Ant in a maze, rewarded on arrival alone; the episode ends there.

  Source: the cross maze of Haarnoja et al. (2018), section 5.3 (docs/tasks.md).
  """

  def __init__(
    self,
    maze: str | Sequence[str] = 'cross',
    goal: int | None = None,
    cell: float = 3.0,
    wall_height: float = 1.0,
    weight: float = 1000.0,
    radius: float = 2.0,
    **kwargs: Any,
  ):
    """Builds the task.

    Args:
      maze: A name of `MAPS` or the rows of a map.
      goal: Number of the goal, in reading order of the map; None draws one an episode.
      cell: Size of a cell in m.
      wall_height: Height of the walls in m.
      weight: The reward on arrival.
      radius: Distance in m at which the goal counts as reached.
      **kwargs: See `robots.RobotEnv`.

    Raises:
      ValueError: If there is no such map or goal.
    """
    if isinstance(maze, str) and maze not in MAPS:
      raise ValueError(f'there is no maze {maze!r}; the maps are {", ".join(MAPS)}')
    self.maze = Maze(MAPS[maze] if isinstance(maze, str) else maze, cell)
    if goal is not None and not 0 <= goal < len(self.maze.goals):
      raise ValueError(f'goal {goal} of a maze with {len(self.maze.goals)} goals')
    self._fixed_goal = goal
    self._goal_index = 0
    self._weight = weight

    def add_walls(spec: mujoco.MjSpec) -> None:
      for x, y, half_length, half_width in self.maze.walls():
        spec.worldbody.add_geom(
          type=mujoco.mjtGeom.mjGEOM_BOX,
          pos=[x, y, wall_height / 2],
          size=[half_length, half_width, wall_height / 2],
          contype=1,
          conaffinity=1,
          rgba=[0.6, 0.55, 0.5, 1.0],
        )

    middle = self.maze.center(*((np.array(self.maze.grid.shape) - 1) / 2))
    camera = {
      'lookat': np.array([*middle, 0.0]),
      'distance': 1.5 * cell * max(self.maze.grid.shape),
      'elevation': -65.0,
    }
    super().__init__('ant', radius, scenery=add_walls, **{'camera': camera, **kwargs})

  def _draw_goal(self, options: dict[str, Any]) -> np.ndarray:
    if self._fixed_goal is None:
      self._goal_index = int(self.np_random.integers(len(self.maze.goals)))
    else:
      self._goal_index = self._fixed_goal
    self._goal_index = int(options.get('goal', self._goal_index))
    return self.maze.goals[self._goal_index]

  def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
    """Starts an episode; `options={'goal': n}` chooses its goal."""
    observation, info = super().reset(seed=seed, options=options)
    return observation, {**info, 'goal': -1}

  def _terms(
    self, action: np.ndarray, info: dict[str, Any]
  ) -> tuple[dict[str, float], bool]:
    arrived = self._distance() <= self._radius
    info['success'] = arrived
    info['goal'] = self._goal_index if arrived else -1
    return {'arrival': self._weight * arrived}, arrived
