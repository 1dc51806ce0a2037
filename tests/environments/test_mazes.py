"""Mazes: walls that stop a robot, goals that end the episode."""

import mujoco
import numpy as np
import pytest

from latent_hrl.environments import maps
from latent_hrl.environments import mazes
from latent_hrl.environments import tasks


def _env(name, **options):
  return tasks.make_task(f'latent_hrl/{name}-v0', options=options).unwrapped


@pytest.mark.parametrize(
  ('name', 'options'),
  [('AntUMaze', {}), ('AntDirections', {'maze': ('####', '#S.#', '####')})],
)
def test_a_wall_stops_the_ant(name, options):
  reached = {}
  for towards, push in (('wall', -8.0), ('corridor', 8.0)):
    env = _env(name, **options)
    env.reset(seed=0)
    for _ in range(30):
      env.simulation.data.xfrc_applied[1, :3] = [push, 0.0, 0.0]  # N, on the torso
      env.step(np.zeros(8))
    reached[towards] = env.position[0]
  # West of the start the wall begins at -1.5 m; the corridor to the east is open to 4.5 m.
  assert -1.5 < reached['wall'] < 0
  assert reached['corridor'] > 2.0


def test_arrival_is_worth_1000_and_ends_the_episode():
  env = _env('AntCrossMaze', goal=1)
  observation, info = env.reset(seed=0)
  np.testing.assert_array_equal(observation['goal'], [12, 0])
  assert info == {'success': False, 'goal': -1}
  for x, arrived in ((9.5, False), (10.5, True)):
    env.simulation.data.qpos[0] = x
    _, reward, terminated, _, info = env.step(np.zeros(8))
    assert (reward, terminated) == (1000.0 * arrived, arrived)
    assert (info['success'], info['goal']) == (arrived, 1 if arrived else -1)


def test_the_cross_has_the_corridors_and_walls_of_the_paper():
  env = _env('AntCrossMaze')
  np.testing.assert_array_equal(env.maze.walls(), maps.read('cross', 3.0, 4.0).walls())
  walls = [geom for geom in range(env.simulation.model.ngeom) if _is_box(env, geom)]
  assert len(walls) == len(env.maze.walls())
  for geom in walls:
    top = env.simulation.model.geom_pos[geom, 2] + env.simulation.model.geom_size[geom, 2]
    assert top == pytest.approx(1.5)


def _is_box(env, geom):
  return env.simulation.model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_BOX


def test_goals_are_drawn_or_fixed():
  env = _env('AntCrossMaze')
  drawn = {tuple(env.reset(seed=seed)[0]['goal']) for seed in range(20)}
  assert drawn == {(6, 6), (12, 0), (6, -6)}
  fixed = _env('AntCrossMaze', goal=2)
  assert {tuple(fixed.reset(seed=seed)[0]['goal']) for seed in range(5)} == {(6, -6)}


def test_the_goal_of_the_u_maze_is_behind_its_wall():
  env = _env('AntUMaze')
  np.testing.assert_allclose(env.reset(seed=0)[0]['goal'], [0, -6])
  np.testing.assert_allclose(env.position, 0, atol=0.2)
  halfway = [
    abs(x) < length and abs(y + 3) < width for x, y, length, width in env.maze.walls()
  ]
  assert any(halfway)


def test_a_name_or_goal_that_is_not_there_is_an_error():
  with pytest.raises(ValueError, match="no maze 'crss'; the maps are cross, u"):
    mazes.AntMazeEnv('crss')
  with pytest.raises(ValueError, match='goal 3 of a maze with 3 goals'):
    mazes.AntMazeEnv('cross', goal=3)
  with pytest.raises(ValueError, match='A maze needs a goal'):
    mazes.AntMazeEnv('pillars')
