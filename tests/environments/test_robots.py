"""Robots in the plane: fields, falls, headings, and the terms of the directions task."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils import env_checker

from latent_hrl import errors
from latent_hrl.environments import tasks

OURS = sorted(name for name in gymnasium.registry if name.startswith('latent_hrl/'))
SIZES = {'Swimmer': 8, 'Ant': 27, 'Humanoid': 45}


def _env(name, **options):
  return tasks.make_task(f'latent_hrl/{name}-v0', options=options).unwrapped


@pytest.mark.filterwarnings('ignore:.*Box observation space m:UserWarning')
@pytest.mark.parametrize('name', OURS)
def test_gymnasium_finds_nothing_to_complain_about(name):
  env_checker.check_env(tasks.make_task(name).unwrapped, skip_render_check=True)


@pytest.mark.parametrize(('robot', 'size'), SIZES.items())
def test_fields_come_in_order_and_mean_what_they_say(robot, size):
  task = tasks.make_task(f'latent_hrl/{robot}Goal-v0')
  assert [(f.name, f.size) for f in task.fields] == [
    ('proprioception', size),
    ('position', 2),
    ('goal', 2),
  ]
  task.reset(seed=0)
  data = task.unwrapped.simulation.data
  data.qpos[:2] = [3.0, -4.0]
  observation = task.split(task.step(np.zeros(task.action_space.shape))[0])
  np.testing.assert_allclose(observation['position'], [3.0, -4.0], atol=0.2)
  expected = np.concatenate([data.qpos[2:], data.qvel])
  np.testing.assert_allclose(observation['proprioception'], expected, rtol=1e-6)


def test_the_same_seed_gives_the_same_episode_and_another_one_another():
  def first(seed):
    observation, _ = _env('AntGoal').reset(seed=seed)
    return np.concatenate([observation['proprioception'], observation['goal']])

  np.testing.assert_array_equal(first(1), first(1))
  assert not np.any(first(1)[:13] == first(2)[:13])


@pytest.mark.parametrize('robot', ['Ant', 'Humanoid'])
def test_a_fall_ends_the_episode_and_the_bonus(robot):
  env = _env(f'{robot}Directions')
  env.reset(seed=0)
  *_, terminated, truncated, info = env.step(np.zeros(env.action_space.shape))
  assert not terminated and info['reward_terms']['alive'] > 0
  env.simulation.data.qpos[2] = 3.0
  *_, terminated, truncated, info = env.step(np.zeros(env.action_space.shape))
  assert terminated and not truncated and info['fallen']
  assert info['reward_terms']['alive'] == 0


@pytest.mark.parametrize(
  ('robot', 'limits'), [('Ant', (0.2, 1.0)), ('Humanoid', (0.8, 2.0))]
)
def test_a_torso_too_low_or_too_high_is_a_fall(robot, limits):
  env = _env(f'{robot}Directions')
  env.reset(seed=0)
  low, high = limits
  heights = (low - 0.001, low, high, high + 0.001)
  found = []
  for height in heights:
    env.simulation.data.qpos[2] = height
    found.append(env._fallen())
  assert found == [True, False, False, True]


@pytest.mark.parametrize(('max_tilt', 'falls'), [(None, False), (50, False), (40, True)])
def test_leaning_over_is_a_fall_where_it_is_said_to_be(max_tilt, falls):
  env = _env('AntDirections', max_tilt=max_tilt)
  env.reset(seed=0)
  half = np.radians(45) / 2
  env.simulation.data.qpos[3:7] = [np.cos(half), np.sin(half), 0, 0]  # 45° about x.
  env.simulation.data.qpos[2] = 0.9
  *_, terminated, _, info = env.step(np.zeros(8))
  assert terminated == info['fallen'] == falls


def test_what_cannot_tilt_is_told():
  with pytest.raises(errors.TaskError, match='max_tilt: the swimmer cannot tilt'):
    _env('SwimmerGoal', max_tilt=90.0)


@pytest.mark.parametrize(
  ('max_height', 'falls'), [(None, False), (0.95, False), (0.8, True)]
)
def test_too_high_is_a_fall_where_it_is_said_to_be(max_height, falls):
  env = _env('AntDirections', max_height=max_height)
  env.reset(seed=0)
  env.simulation.data.qpos[2] = 0.9
  *_, terminated, _, info = env.step(np.zeros(8))
  assert 0.8 < env.simulation.data.qpos[2] < 0.95
  assert terminated == info['fallen'] == falls


def test_heights_without_sense_are_told():
  with pytest.raises(errors.TaskError, match='max_height: the swimmer cannot fall'):
    _env('SwimmerGoal', max_height=1.0)
  with pytest.raises(errors.TaskError, match='max_height 0.1 must be above 0.2 m'):
    _env('AntGoal', max_height=0.1)


def _yaw(env):
  w, x, y, z = env.simulation.data.qpos[3:7]
  return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def test_headings_are_random_if_asked_for():
  fixed, free = _env('AntDirections'), _env('AntDirections', random_heading=True)
  yaws = []
  for seed in range(20):
    fixed.reset(seed=seed)
    free.reset(seed=seed)
    assert abs(_yaw(fixed)) < 0.4
    assert np.linalg.norm(free.simulation.data.qpos[3:7]) == pytest.approx(1.0)
    yaws.append(_yaw(free))
  assert np.ptp(yaws) > np.pi


def test_the_speed_of_the_ant_is_that_of_its_torso():
  env = _env('AntDirections')
  env.reset(seed=0)
  before = env.position
  *_, info = env.step(np.linspace(-1, 1, 8))

  velocity = (env.position - before) / 0.05  # 5 steps of 0.01 s
  assert info['reward_terms']['speed'] == pytest.approx(np.linalg.norm(velocity), rel=0.05)


@pytest.mark.parametrize(
  ('robot', 'alive', 'control', 'contact', 'deviation'),
  [
    ('Swimmer', 0.0, 0.01, None, None),
    ('Ant', 0.05, 0.01, 0.001, None),
    ('Humanoid', 0.2, 0.001, 1e-5, 0.01),
  ],
)
def test_the_terms_are_those_of_the_paper(robot, alive, control, contact, deviation):
  env = _env(f'{robot}Directions')
  env.reset(seed=0)
  action = np.linspace(-0.4, 0.4, env.action_space.shape[0])
  _, reward, _, _, info = env.step(action)

  data = env.simulation.data
  forces = np.clip(data.cfrc_ext, -1, 1)
  expected = {
    'alive': alive,
    'control': -0.5 * control * np.sum(action**2),
    'contact': contact and -0.5 * contact * np.sum(forces**2),
    'deviation': deviation and -0.5 * deviation * data.qvel[2] ** 2,
  }
  terms = dict(info['reward_terms'])
  assert reward == pytest.approx(sum(terms.values()))
  terms.pop('speed')
  assert terms == pytest.approx({k: v for k, v in expected.items() if v is not None})


def test_an_episode_has_a_thousand_steps():
  limits = {gymnasium.spec(id).max_episode_steps for id in OURS if 'MultiGoal' not in id}
  assert limits == {1000, None}  # None: RoboticsAntMaze has its package's.
  assert gymnasium.spec('latent_hrl/MultiGoal-v0').max_episode_steps == 50


@pytest.mark.parametrize('robot', ['Swimmer', 'Ant', 'Humanoid'])
def test_a_sparse_goal_counts_within_a_quarter_of_a_metre(robot):
  env = _env(f'{robot}SparseGoal')
  env.reset(seed=0)
  reached = []
  for distance in (0.249, 0.251):
    env._goal = env.position + np.array([0.0, distance])
    info = {}
    terms, ends = env._terms(np.zeros(1), info)
    reached.append((terms['arrival'], info['success'], ends))
  assert reached == [(0.3, True, False), (0.0, False, False)]


def test_going_to_and_fro_earns_nothing_where_speed_is_averaged():
  env = _env('AntDirections', averaging_time=1.0)
  env.reset(seed=0)
  keep, mean = np.exp(-0.05), np.zeros(2)
  for step in range(6):
    velocity = np.array([(-1.0) ** step, 0.5])
    terms, _ = env._terms(
      np.zeros(8), {'x_velocity': velocity[0], 'y_velocity': velocity[1], 'fallen': False}
    )
    mean = keep * mean + (1 - keep) * velocity
    assert terms['speed'] == pytest.approx(np.linalg.norm(mean))
  env.reset(seed=0)
  assert env.step(np.zeros(8))[4]['reward_terms']['speed'] < 0.1  # Nothing carries over.


def test_the_swimmer_pays_for_swimming_backwards():
  env = _env('SwimmerDirections')
  env.reset(seed=0)
  for velocity, sign in ((2.0, 1), (-2.0, -1)):
    env.simulation.set_state(np.zeros(5), np.array([velocity, 0.5, 0, 0, 0]))
    speed = env.step(np.zeros(2))[4]['reward_terms']['speed']
    assert np.sign(speed) == sign and abs(speed) > 1
