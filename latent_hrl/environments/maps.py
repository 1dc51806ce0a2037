"""Walls from a text map, around a robot."""

import itertools
from collections.abc import Sequence
from typing import Any

import gymnasium
import mujoco
import numpy as np

WALL, START, GOAL, FREE = '#', 'S', 'G', '.'

# Rows from north to south, 3 m from cell to cell: goals at (6, 6), (12, 0) and (6, -6).
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
# Corridors that cross everywhere, and no goal: to learn to move in. The start is the very
# middle, so that quarter turns about it change nothing (AntSymmetry.turns).
PILLARS = (
  '###########',
  '#.........#',
  '#.#.#.#.#.#',
  '#.........#',
  '#.#.#.#.#.#',
  '#....S....#',
  '#.#.#.#.#.#',
  '#.........#',
  '#.#.#.#.#.#',
  '#.........#',
  '###########',
)
MAPS = {'cross': CROSS, 'u': U, 'pillars': PILLARS}


def maze_of(task: gymnasium.Env) -> 'Maze | None':
  """Returns the maze that a task stands in; None in the open, or for others' mazes."""
  maze = getattr(task.unwrapped, 'maze', None)
  return maze if isinstance(maze, Maze) else None


class Maze:
  """A text map with its coordinates: the start is the origin, x goes east, y north."""

  def __init__(self, rows: Sequence[str], cell: float, corridor: float | None = None):
    """Reads a map.

    Args:
      rows: Strings of equal length from north to south: `#` wall, `.` free, `S` start,
        `G` goal.
      cell: Distance in m from the middle of a cell to that of the next.
      corridor: Width of a corridor of one cell in m, for which the walls stand back; None
        is the size of a cell.

    Raises:
      ValueError: If the map is not rectangular, not closed, has not one start, or another
        character, or if corridors are narrower than a cell or leave no wall between them.
    """
    corridor = cell if corridor is None else corridor
    if not cell <= corridor < 2 * cell:
      raise ValueError(
        f'corridor {corridor} must be at least the size of a cell, {cell} m, and less than '
        'twice as much: walls stand between'
      )
    self._set_back = (corridor - cell) / 2
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

  def center(self, row: float, column: float) -> tuple[float, float]:
    """Returns x and y of a cell's centre in m."""
    x = self.cell * (column - self._start[1])
    return float(x), float(self.cell * (self._start[0] - row))

  def walls(self) -> list[tuple[float, float, float, float]]:
    """Returns boxes (x, y, half length along x, half width along y) that make the walls.

    Cells side by side in a row become one box, as far as they stand back from the same
    sides: fewer contacts to look for.
    """
    # From which cells walls stand back; the border is walls all around.
    free = np.pad((self.grid != WALL) & (self._set_back > 0), 1)
    boxes = []
    for row, cells in enumerate(self.grid):
      kinds = [*zip(cells == WALL, free[row, 1:-1], free[row + 2, 1:-1], strict=True)]
      for (wall, *sides), run in itertools.groupby(range(len(cells)), kinds.__getitem__):
        columns = [*run]
        if not wall:
          continue
        north, south = (self.cell / 2 - self._set_back * side for side in sides)
        x, y = self.center(row, (columns[0] + columns[-1]) / 2)
        half = self.cell * len(columns) / 2
        west = half - self._set_back * free[row + 1, columns[0]]
        east = half - self._set_back * free[row + 1, columns[-1] + 2]
        boxes.append(
          (
            float(x + (east - west) / 2),
            float(y + (north - south) / 2),
            float(east + west) / 2,
            float(north + south) / 2,
          )
        )
    return boxes

  def free(self) -> np.ndarray:
    """Returns x and y of the middle of every cell without a wall in m, [N, 2]."""
    return np.array([self.center(*where) for where in np.argwhere(self.grid != WALL)])

  def camera(self) -> dict[str, Any]:
    """Returns a camera that sees all of it, as gymnasium's `default_camera_config`."""
    middle = self.center(*((np.array(self.grid.shape) - 1) / 2))
    return {
      'lookat': np.array([*middle, 0.0]),
      'distance': 1.5 * self.cell * max(self.grid.shape),
      'elevation': -65.0,
    }

  def add_walls(self, spec: mujoco.MjSpec, height: float) -> None:
    """Builds the walls, `height` m high, into a model."""
    for x, y, half_length, half_width in self.walls():
      spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=[x, y, height / 2],
        size=[half_length, half_width, height / 2],
        contype=1,
        conaffinity=1,
        rgba=[0.6, 0.55, 0.5, 1.0],
      )


def read(maze: str | Sequence[str], cell: float, corridor: float | None = None) -> Maze:
  """Reads a map.

  Args:
    maze: A name of `MAPS` or the rows of a map.
    cell: See `Maze`.
    corridor: See `Maze`.

  Raises:
    ValueError: If there is no such map, or it makes no sense.
  """
  if isinstance(maze, str) and maze not in MAPS:
    raise ValueError(f'there is no maze {maze!r}; the maps are {", ".join(MAPS)}')
  return Maze(MAPS[maze] if isinstance(maze, str) else maze, cell, corridor)
