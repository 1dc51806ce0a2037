"""Commands drawn anew: the reward is what the new command would have brought."""

import numpy as np
import pytest

from latent_hrl import commanded_rewards
from latent_hrl import commands
from latent_hrl.agents import protocol
from latent_hrl.training import relabeling

ARGUMENTS = {'limit': 1.0, 'overshoot': 0.0}
PART = commands.Part(commanded_rewards.commanded_speed, ARGUMENTS, 2.0)


def _batch(count=2000):
  """Observation 5, command 1 before and -3 behind; 0.25 m/s and another reward of 10."""
  shape = (1, count)
  return protocol.Batch(
    observation=np.tile(np.float32([5.0, 1.0]), (*shape, 1)),
    output=np.full((*shape, 1), 0.5, np.float32),
    reward=np.full(shape, 10.0 + 2 * 0.25, np.float32),
    discount=np.ones(shape, np.float32),
    next_observation=np.tile(np.float32([6.0, -3.0]), (*shape, 1)),
  ), np.full((*shape, 1), 0.25, np.float32)


def _relabeled(share):
  batch, measured = _batch()
  return relabeling.relabeled(batch, measured, PART, share, np.random.default_rng(0))


def test_a_command_holds_on_in_the_next_observation():
  found = _relabeled(0.0)

  np.testing.assert_array_equal(found.next_observation[0, 0], [6.0, 1.0])
  np.testing.assert_array_equal(found.observation, _batch()[0].observation)
  np.testing.assert_array_equal(found.reward, _batch()[0].reward)


def test_some_commands_are_drawn_anew_with_what_they_bring():
  found = _relabeled(0.5)
  command = found.observation[0, :, 1]
  anew = command != 1.0

  assert np.mean(anew) == pytest.approx(0.5, abs=0.05)
  np.testing.assert_array_equal(found.next_observation[0, :, 1], command)
  np.testing.assert_array_equal(found.next_observation[0, :, 0], 6.0)
  assert np.mean(command[anew]) == pytest.approx(0.0, abs=0.1)
  assert np.std(command[anew]) == pytest.approx(1.0, abs=0.1)
  expected = 10 + PART.value(np.full((len(command), 1), 0.25), command[:, np.newaxis])
  np.testing.assert_allclose(found.reward[0], expected, rtol=1e-6)
  assert np.any(found.reward[0] < 10.0)  # Against some commands it moves backwards.
