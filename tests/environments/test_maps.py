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
