"""gymnasium-robotics' AntMaze: the fields are those of this package's Ant, in its order."""

import numpy as np
import pytest

from latent_hrl import errors
from latent_hrl.environments import maps
from latent_hrl.environments import tasks

ID = 'latent_hrl/RoboticsAntMaze-v0'


def test_fields_are_those_of_our_ant_in_the_same_order():
  pytest.importorskip('gymnasium_robotics')
  task, ours = tasks.make_task(ID), tasks.make_task('latent_hrl/AntUMaze-v0')
  assert task.fields == ours.fields
  task.reset(seed=0)
  ours.reset(seed=0)
  for env in (task, ours):
    data = env.unwrapped.data if env is task else env.unwrapped.simulation.data
    observation, *_ = env.step(np.full(8, 0.3, np.float32))
    parts = env.split(observation)
    expected = np.concatenate([data.qpos[2:], data.qvel])
    np.testing.assert_allclose(parts['proprioception'], expected, atol=1e-5)
    np.testing.assert_allclose(parts['position'], data.qpos[:2], atol=1e-5)
  # Another kind of maze, which no picture draws.
  assert (maps.maze_of(task), maps.maze_of(ours)) == (None, ours.unwrapped.maze)
  task.close()
  ours.close()


def test_it_is_rewarded_on_arrival_and_ends_there():
  pytest.importorskip('gymnasium_robotics')
  task = tasks.make_task(ID)
  observation, _ = task.reset(seed=1)
  data = task.unwrapped.data
  data.qpos[:2] = task.split(observation)['goal']
  observation, reward, terminated, _, info = task.step(np.zeros(8, np.float32))

  assert (reward, terminated, info['success']) == (1.0, True, True)
  parts = task.split(observation)
  assert np.linalg.norm(parts['position'] - parts['goal']) < 0.45
  task.close()


def test_without_the_package_it_says_what_to_install(monkeypatch):
  monkeypatch.setitem(__import__('sys').modules, 'gymnasium_robotics', None)
  with pytest.raises(errors.TaskError, match='pip install gymnasium-robotics'):
    tasks.make_task(ID)
