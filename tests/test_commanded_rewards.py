"""Rewards that look at a command, against numbers by hand."""

import numpy as np
import pytest

from latent_hrl import commanded_rewards  # noqa: F401
from latent_hrl import rewards
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks


def _reward(name, info, command, **arguments):
  transition = rewards.Transition(
    {}, np.zeros(1), {}, 0.0, False, info, np.float32(command)
  )
  return rewards.REWARDS[name](transition, **arguments)


# |c| = 2 asks for 1 - exp(-2) = 0.8647 of the limit.
@pytest.mark.parametrize(
  ('velocity', 'arguments', 'value'),
  [
    ((0.3, 9.0), {}, 0.3),
    ((-0.3, 0.0), {}, -0.3),
    ((5.0, 0.0), {}, 0.8647),
    ((1.8647, 0.0), {'overshoot': 0.5}, 0.3647),
    ((5.0, 0.0), {'limit': 2.0}, 1.7293),
  ],
)
def test_velocity_counts_along_the_command_up_to_its_limit(velocity, arguments, value):
  info = dict(zip(('x_velocity', 'y_velocity'), velocity, strict=True))
  found = _reward('commanded_velocity', info, [2.0, 0.0], **arguments)
  assert found == pytest.approx(value, abs=1e-4)


def test_speed_counts_either_way():
  assert _reward('commanded_speed', {'x_velocity': -0.2}, [-1.0]) == pytest.approx(0.2)
  # P(|c'| <= 1) = 0.6827.
  found = _reward('commanded_speed', {'x_velocity': -2.0}, [-1.0], limit=2.0)
  assert found == pytest.approx(1.3654, abs=1e-4)


def test_without_a_command_nothing_is_asked_for():
  assert _reward('commanded_speed', {'x_velocity': 0.0}, [0.0]) == 0.0
  info = {'x_velocity': 1.0, 'y_velocity': 1.0}
  assert _reward('commanded_velocity', info, [0.0, 0.0]) == 0.0


@pytest.mark.parametrize(
  ('name', 'size'), [('commanded_velocity', 2), ('commanded_speed', 1)]
)
def test_under_the_prior_every_limit_is_as_likely(name, size):
  command = np.random.default_rng(0).standard_normal((20_000, size))
  unit = command / np.linalg.norm(command, axis=-1, keepdims=True)
  limits = rewards.REWARDS[name].value(100 * unit, command, limit=1.0, overshoot=0.0)
  np.testing.assert_allclose(
    np.quantile(limits, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.02
  )


def test_a_robot_that_turns_is_measured():
  task = tasks.make_task('latent_hrl/AntDirections-v0')
  reward = rewards.BoundReward(
    rewards.REWARDS['commanded_turn_rate'], {'limit': 1.0, 'overshoot': 0.0}
  )
  env = layer_reward.LayerReward(task, reward)
  env.reset(seed=0)
  simulation = task.unwrapped.simulation
  velocity = simulation.data.qvel.copy()
  velocity[5] = 3.0
  simulation.set_state(simulation.data.qpos.copy(), velocity)
  env.command = np.float32([2.0])
  _, value, *_, info = env.step(np.zeros(8, np.float32))

  assert info['turn_rate'] > 1.0
  np.testing.assert_allclose(info['measured'], [info['turn_rate']], rtol=1e-6)
  assert value == pytest.approx(0.9545, abs=1e-4)  # P(|c'| <= 2)
  env.close()
