"""Tests of the multi-goal point mass."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils import env_checker

from latent_hrl import environments
from latent_hrl.environments import multi_goal

# Towards goals 0 to 3, which lie on the diagonals.
DIRECTIONS = np.float32([[1, 1], [-1, 1], [-1, -1], [1, -1]])


@pytest.mark.filterwarnings('error:.*:UserWarning:gymnasium')
def test_it_keeps_the_contract_of_gymnasium():
  env = multi_goal.MultiGoalEnv(render_mode='rgb_array')
  env_checker.check_env(env, skip_render_check=True)


def _walk(direction):
  env = gymnasium.make(environments.MULTI_GOAL)
  env.reset(seed=0)
  rewards = []
  for _ in range(60):
    _, reward, terminated, truncated, info = env.step(direction)
    rewards.append(reward)
    if terminated or truncated:
      break
  return rewards, terminated, truncated, info


@pytest.mark.parametrize('goal', range(4))
def test_walking_towards_a_goal_reaches_it(goal):
  rewards, terminated, truncated, info = _walk(DIRECTIONS[goal])
  # After six steps the point is 1 off along each axis, after seven 0.5: within the radius.
  assert len(rewards) == 7
  assert terminated and not truncated
  assert info['goal'] == goal and info['success'] is True


def test_rewards_are_the_same_towards_every_goal():
  walks = [_walk(direction)[0] for direction in DIRECTIONS]
  for walk in walks[1:]:
    np.testing.assert_allclose(walk, walks[0], rtol=1e-12)


def test_reward_is_distance_minus_cost_plus_goal_reward():
  rewards = _walk(DIRECTIONS[0])[0]
  # Distance in units of the goal's, minus 0.05 · |a|².
  assert rewards[0] == pytest.approx(-3.5 / 4 - 0.1)
  assert rewards[-1] == pytest.approx(-0.5 / 4 - 0.1 + 10.0)


def test_standing_still_runs_into_the_time_limit_without_success():
  rewards, terminated, truncated, info = _walk(np.zeros(2, np.float32))
  assert len(rewards) == 50
  assert truncated and not terminated
  assert info['goal'] == -1 and info['success'] is False
  assert rewards == [-1.0] * 50


def test_actions_beyond_the_box_count_as_its_boundary():
  env = multi_goal.MultiGoalEnv()
  env.reset(seed=0)
  observation, reward, *_ = env.step(np.array([100.0, -100.0]))
  np.testing.assert_allclose(observation['position'], [0.5, -0.5])
  assert reward == pytest.approx(-3.5 / 4 - 0.1)


def test_the_point_stays_in_the_observation_space():
  env = multi_goal.MultiGoalEnv()
  env.reset(seed=0)
  for _ in range(40):
    observation, *_ = env.step(np.ones(2))
  assert env.observation_space.contains(observation)
  np.testing.assert_array_equal(observation['position'], [4.75, 4.75])


def test_picture_shows_the_path_from_the_start():
  env = multi_goal.MultiGoalEnv(render_mode='rgb_array')
  env.reset(seed=0)
  before = env.render()
  env.step(np.float32([1.0, 0.0]))
  after = env.render()
  assert after.shape == (320, 320, 3) and after.dtype == np.uint8
  changed = np.argwhere(np.any(before != after, axis=-1))
  # Half a unit east of the centre at 20 pixels a unit; nothing moves north or south.
  assert changed[:, 1].max() > 160 + 10
  assert np.abs(changed[:, 0] - 160).max() <= 6
  assert multi_goal.MultiGoalEnv().render() is None
