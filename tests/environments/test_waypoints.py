"""Waypoints: where the goals lie, what the way to them earns, what follows arrival."""

import numpy as np
import pytest

from latent_hrl import errors
from latent_hrl.environments import maps
from latent_hrl.environments import tasks


def _env(**options):
  return tasks.make_task('latent_hrl/AntWaypoints-v0', options=options).unwrapped


def test_goals_fill_the_disc():
  env = _env(disc_radius=5.0)
  goals = np.array([env.reset(seed=seed)[0]['goal'] for seed in range(200)])
  distance = np.linalg.norm(goals, axis=1)
  assert distance.min() > 1.0 and distance.max() < 5.0
  # Uniform in area: half of a disc lies beyond 0.71 of its radius.
  assert 0.4 < np.mean(distance > 5.0 * np.sqrt(0.5)) < 0.65
  assert np.ptp(np.arctan2(goals[:, 1], goals[:, 0])) > 6.0


def test_goals_among_walls_are_in_free_cells():
  env = _env(maze='pillars', disc_radius=9.0)
  goals = {tuple(env.reset(seed=seed)[0]['goal']) for seed in range(150)}
  room = maps.read('pillars', 3.0)
  reachable = {tuple(cell) for cell in room.free() if 1.0 < np.linalg.norm(cell) <= 9.0}
  assert goals == reachable
  assert env.simulation.model.ngeom == _env().simulation.model.ngeom + len(room.walls())


def test_the_reward_is_the_speed_towards_the_goal():
  env = _env(control_weight=0.5)
  observation, info = env.reset(seed=0)
  assert info == {'success': False, 'arrivals': 0}
  away = np.linalg.norm(observation['goal'] - observation['position'])
  action = np.full(8, 0.5)
  following, reward, terminated, _, info = env.step(action)
  left = np.linalg.norm(observation['goal'] - following['position'])
  terms = info['reward_terms']
  assert terms['progress'] == pytest.approx((away - left) / 0.05)
  assert terms['alive'] == 1.0 and terms['control'] == -0.5 * 0.5 * 8 * 0.25
  assert reward == sum(terms.values()) and not terminated


def test_no_more_is_earned_beyond_the_limit_of_speed():
  env = _env(max_speed=0.75)
  goal = env.reset(seed=0)[0]['goal']
  toward = goal / np.linalg.norm(goal)
  earned = []
  for speed in (0.3, 2.0, -2.0):
    env.reset(seed=0)
    env.simulation.data.qvel[:2] = speed * toward
    earned.append(env.step(np.zeros(8))[4]['reward_terms']['progress'])
  # A step without torques all but keeps the speed; walking away costs without a limit.
  assert 0.1 < earned[0] < 0.5 and earned[1] == 0.75 and earned[2] < -1.0


def test_arrival_brings_the_next_goal_and_no_jump_of_the_reward():
  env = _env()
  first, _ = env.reset(seed=0)
  env.simulation.data.qpos[:2] = first['goal']
  second, _, terminated, _, info = env.step(np.zeros(8))
  assert not terminated and info['success'] and info['arrivals'] == 1
  assert np.linalg.norm(second['goal'] - first['goal']) > 1.0
  model, data = env.simulation.model, env.simulation.data
  mark = data.mocap_pos[model.body('goal').mocapid[0], :2]
  np.testing.assert_allclose(mark, second['goal'])
  *_, info = env.step(np.zeros(8))
  assert abs(info['reward_terms']['progress']) < 3.0 and info['arrivals'] == 1


@pytest.mark.parametrize('speed', [0.0, -1.0])
def test_a_limit_that_rewards_no_speed_is_refused(speed):
  with pytest.raises(errors.TaskError, match='max_speed .* must be positive'):
    _env(max_speed=speed)


@pytest.mark.parametrize('options', [{'disc_radius': 1.0}, {'maze': 'u', 'disc_radius': 2}])
def test_goals_that_are_all_reached_at_once_are_refused(options):
  with pytest.raises(errors.TaskError, match='disc_radius .* is too small'):
    _env(**options)
