"""Goals on a circle: where they are, what is rewarded."""

import numpy as np
import pytest

from latent_hrl.environments import tasks


def _env(name, **options):
  return tasks.make_task(f'latent_hrl/{name}-v0', options=options).unwrapped


def _goals(name, episodes=40):
  env = _env(name)
  return np.array([env.reset(seed=seed)[0]['goal'] for seed in range(episodes)])


@pytest.mark.parametrize(
  ('robot', 'radius'), [('Swimmer', 5), ('Ant', 25), ('Humanoid', 5)]
)
def test_goals_lie_on_the_circle(robot, radius):
  goals = _goals(f'{robot}Goal')
  np.testing.assert_allclose(np.linalg.norm(goals, axis=1), radius)
  angles = np.degrees(np.arctan2(goals[:, 1], goals[:, 0]))
  if robot == 'Swimmer':
    assert 30 < np.abs(angles).max() <= 45
  else:
    assert angles.min() < -120 and angles.max() > 120


@pytest.mark.parametrize(
  ('name', 'at_goal', 'at_start'),
  [('AntGoal', 0.3 * 25, 0.0), ('AntSparseGoal', 0.3, 0.0)],
)
def test_the_reward_at_the_goal_and_at_the_start(name, at_goal, at_start):
  env = _env(name)
  observation, info = env.reset(seed=0)
  assert info['success'] is False
  _, reward, _, _, info = env.step(np.zeros(8))
  assert reward == pytest.approx(at_start, abs=0.1) and not info['success']
  env.simulation.data.qpos[:2] = observation['goal']
  _, reward, terminated, _, info = env.step(np.zeros(8))
  assert reward == pytest.approx(at_goal, abs=0.1) and info['success']
  assert not terminated  # It stays there for more.
  assert sum(info['reward_terms'].values()) == reward


def test_the_mark_stands_on_the_goal_and_touches_nothing():
  env = _env('AntGoal')
  observation, _ = env.reset(seed=3)
  model, data = env.simulation.model, env.simulation.data
  mark = model.body('goal')
  np.testing.assert_allclose(data.mocap_pos[mark.mocapid[0], :2], observation['goal'])
  # Where a picture taken before the first step shows it.
  np.testing.assert_allclose(data.site('goal').xpos[:2], observation['goal'])
  np.testing.assert_allclose(data.body('goal').xpos[:2], observation['goal'])
  assert mark.geomnum[0] == 0
