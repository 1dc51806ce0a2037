"""Symmetries: seen from another side, MuJoCo's Ant moves as it does."""

import gymnasium
import numpy as np
import pytest

from latent_hrl import environments  # noqa: F401  (registers the tasks)
from latent_hrl import observations
from latent_hrl.environments import symmetries

FIELDS = (
  observations.ObservationField('proprioception', 27),
  observations.ObservationField('position', 2),
  observations.ObservationField('goal', 2),
)


def _state_of(row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns qpos and qvel of an observation."""
  return np.concatenate([row[27:29], row[:13]]), row[13:27]


@pytest.fixture(scope='module')
def walk():
  """Transitions of a wild Ant that tumbles about, with contacts: o, a, o'."""
  env = gymnasium.make('latent_hrl/AntGoal-v0', random_heading=True).unwrapped
  rng = np.random.default_rng(0)
  rows = []
  for episode in range(4):
    observation, _ = env.reset(seed=episode)
    for _ in range(25):
      action = rng.uniform(-1, 1, 8)
      following, *_ = env.step(action)
      rows.append((_flat(observation), action, _flat(following)))
      observation = following
  yield env, [np.array(part) for part in zip(*rows, strict=True)]
  env.close()


def _flat(observation) -> np.ndarray:
  return np.concatenate([observation[field.name] for field in FIELDS])


@pytest.mark.parametrize('turns', symmetries.TURNS)
def test_the_simulation_agrees_with_every_view(walk, turns):
  env, (before, actions, after) = walk
  symmetry = symmetries.AntSymmetry(FIELDS, turns)
  view = symmetry.draw(len(before), np.random.default_rng(1))
  seen, done = symmetry.observation(before, view), symmetry.action(actions, view)
  expected = symmetry.observation(after, view)
  for start, action, end in zip(seen, done, expected, strict=True):
    simulation = env.simulation
    simulation.reset(seed=0)
    simulation.set_state(*_state_of(start))
    simulation.step(action)
    found = np.concatenate([simulation._get_obs(), env.position, start[29:]])
    np.testing.assert_allclose(found, end, atol=2e-3)


def test_a_quarter_turn_of_the_frame_by_hand():
  symmetry = symmetries.AntSymmetry(FIELDS[:1], 'none')
  view = symmetries.View(np.array([1]), np.array([0.0]))
  # Motors: hip and ankle of legs 4, 1, 2, 3. Leg 2's values come to leg 1's place.
  action = np.arange(1.0, 9.0)[None]
  np.testing.assert_array_equal(
    symmetry.action(action, view)[0], [3, 4, 5, -6, 7, 8, 1, -2]
  )
  upright = np.zeros((1, 27), np.float32)
  upright[0, 1] = 1.0
  upright[0, 16:19] = [1, 0, 3]
  seen = symmetry.observation(upright, view)[0]
  half = np.sqrt(0.5)
  np.testing.assert_allclose(seen[1:5], [half, 0, 0, half], atol=1e-6)
  np.testing.assert_allclose(seen[16:19], [0, -1, 3], atol=1e-6)


def test_a_turn_of_the_world_by_hand():
  symmetry = symmetries.AntSymmetry(FIELDS, 'quarter')
  view = symmetries.View(np.array([0]), np.array([np.pi / 2]))
  row = np.zeros((1, 31), np.float32)
  row[0, 1], row[0, 13:16], row[0, 27:] = 1.0, [2, 0, 5], [1, 0, 3, 4]
  seen = symmetry.observation(row, view)[0]
  np.testing.assert_allclose(seen[13:16], [0, 2, 5], atol=1e-6)
  np.testing.assert_allclose(seen[27:], [0, 1, -4, 3], atol=1e-6)
  np.testing.assert_array_equal(symmetry.action(np.eye(8), _still(8)), np.eye(8))


def _still(count: int) -> symmetries.View:
  return symmetries.View(np.zeros(count, int), np.zeros(count))


def test_views_are_drawn_from_all_there_are():
  rng = np.random.default_rng(0)
  quarter = symmetries.AntSymmetry(FIELDS, 'quarter').draw(1000, rng)
  assert set(quarter.quarters) == {0, 1, 2, 3}
  assert len(set(quarter.turn)) == 8  # Two full turns: both signs of a quaternion.
  free = symmetries.AntSymmetry(FIELDS, 'any').draw(1000, rng)
  np.testing.assert_allclose(
    np.quantile(free.turn, [0.25, 0.75]) / np.pi, [-1, 1], atol=0.2
  )
  assert not symmetries.AntSymmetry(FIELDS, 'none').draw(10, rng).turn.any()


def test_what_is_no_ant_is_told():
  other = (observations.ObservationField('observation', 17),)
  with pytest.raises(ValueError, match=r'the layer reads observation \[17\]'):
    symmetries.AntSymmetry(other)
  with pytest.raises(ValueError, match="'quarters'.*did you mean 'quarter'"):
    symmetries.AntSymmetry(FIELDS, 'quarters')


def test_a_planar_command_turns_with_the_world_and_another_stays():
  own = (FIELDS[0],)
  planar = (*own, observations.ObservationField('turning_command', 2))
  rate = (*own, observations.ObservationField('command', 1))
  view = symmetries.View(np.array([3]), np.array([np.pi / 2]))
  standing = np.float32([[0.5, 1, 0, 0, 0, *np.zeros(22)]])

  def seen(fields, command):
    row = np.concatenate([standing, np.float32([command])], axis=-1)
    return symmetries.AntSymmetry(fields).observation(row, view)[0, 27:]

  np.testing.assert_allclose(seen(planar, [1.0, 0.0]), [0.0, 1.0], atol=1e-6)
  np.testing.assert_array_equal(seen(rate, [0.7]), np.float32([0.7]))


def test_a_command_that_keeps_to_an_axis_of_the_world_has_no_such_symmetry():
  fields = (FIELDS[0], observations.ObservationField('fixed_command', 1))
  with pytest.raises(ValueError, match=r'the layer reads .*fixed_command \[1\]'):
    symmetries.AntSymmetry(fields)
