"""Text maps: coordinates, walls, and what makes no sense."""

import numpy as np
import pytest

from latent_hrl.environments import maps


def test_the_cross_has_the_goals_of_the_paper():
  maze = maps.Maze(maps.CROSS, cell=3.0)
  np.testing.assert_array_equal(maze.goals, [[6, 6], [12, 0], [6, -6]])


def test_walls_cover_exactly_the_cells_that_are_walls():
  maze = maps.Maze(maps.CROSS, cell=3.0)
  boxes = maze.walls()
  assert len(boxes) < np.sum(maze.grid == '#') / 2  # Cells in a row are one box.
  for (row, column), kind in np.ndenumerate(maze.grid):
    x, y = maze.center(row, column)
    inside = [
      abs(x - box_x) < half_x and abs(y - box_y) < half_y
      for box_x, box_y, half_x, half_y in boxes
    ]
    assert sum(inside) == (kind == '#')


def _walls_at(maze, x, y):
  return sum(
    abs(x - box_x) < half_x and abs(y - box_y) < half_y
    for box_x, box_y, half_x, half_y in maze.walls()
  )


@pytest.mark.parametrize(('corridor', 'half'), [(None, 1.5), (3.0, 1.5), (4.0, 2.0)])
def test_walls_stand_back_for_wider_corridors(corridor, half):
  maze = maps.Maze(maps.CROSS, cell=3.0, corridor=corridor)
  for sign in (-1, 1):
    for distance, walls in ((half - 0.01, 0), (half + 0.01, 1)):
      for along in (0.0, 2.0, 10.0):  # The corridor from west to east ...
        assert _walls_at(maze, along, sign * distance) == walls
      for along in (-6.0, -4.0, 5.0):  # ... and the one across it.
        assert _walls_at(maze, 6 + sign * distance, along) == walls
  # The start's own wall, and the corner where two of them meet.
  assert _walls_at(maze, -half + 0.01, 0.0) == 0
  assert _walls_at(maze, -half - 0.01, 0.0) == 1
  assert _walls_at(maze, 6 - half - 0.01, half + 0.01) == 1
  assert _walls_at(maze, 6 - half + 0.01, half + 0.01) == 0


@pytest.mark.parametrize('corridor', [2.9, 6.0])
def test_corridors_narrower_than_a_cell_or_without_walls_are_an_error(corridor):
  with pytest.raises(ValueError, match=f'corridor {corridor} must be at least the size'):
    maps.read('cross', 3.0, corridor)


@pytest.mark.parametrize(
  ('rows', 'message'),
  [
    ((), 'same length'),
    (('###', '#S'), 'same length'),
    (('####', '#SG#', '#..#'), 'closed'),
    (('####', '#SX#', '####'), 'knows #, ., S and G, got X'),
    (('####', '#GG#', '####'), 'one S, got 0'),
  ],
)
def test_a_map_that_makes_no_sense_is_an_error(rows, message):
  with pytest.raises(ValueError, match=message):
    maps.Maze(rows, cell=1.0)


def test_a_map_is_read_by_its_name_or_its_rows():
  assert maps.read('cross', 3.0).cell == 3.0
  assert not len(maps.read(('###', '#S#', '###'), 1.0).goals)
  with pytest.raises(ValueError, match="no maze 'x'; the maps are cross, u, pillars"):
    maps.read('x', 3.0)


@pytest.mark.parametrize('corridor', [3.0, 4.0])
def test_the_pillars_look_the_same_after_a_quarter_turn_about_the_start(corridor):
  room = maps.read('pillars', 3.0, corridor)

  def covered(points):
    """Returns which points lie inside a wall."""
    x, y, half_x, half_y = np.array(room.walls()).T
    within = np.abs(points[:, :1] - x) < half_x
    return np.any(within & (np.abs(points[:, 1:] - y) < half_y), axis=1)

  points = np.random.default_rng(0).uniform(-16.5, 16.5, (2000, 2))
  turned = points[:, ::-1] * [-1, 1]
  assert 0.2 < np.mean(covered(points)) < 0.8
  np.testing.assert_array_equal(covered(points), covered(turned))
