"""Tests of the replay ring: pairing of rows, closing rows, uniformity, resuming, size."""

import json

import numpy as np
import pytest

from latent_hrl.training import replay as replay_lib


def _buffer(capacity=8, observation_size=2, output_size=1, seed=0):
  return replay_lib.ReplayBuffer(capacity, observation_size, output_size, seed)


class _Life:
  """Lives episodes of random length; every observation carries a number of its own."""

  def __init__(self, buffer, seed=0, mean_length=5):
    self._buffer = buffer
    self._rng = np.random.default_rng(seed)
    self._mean_length = mean_length
    self._id = 0
    self.transitions = []

  def _observation(self):
    return np.float32([self._id, -self._id])

  def episode(self, length=None, ends=True):
    length = length or int(self._rng.integers(1, 2 * self._mean_length))
    for step in range(length):
      last = ends and step == length - 1
      terminal = last and self._rng.random() < 0.5
      observation = self._observation()
      self._id += 1
      self._buffer.add(
        observation,
        np.float32([self._id - 1 + 0.5]),
        reward=float(self._id - 1) / 2,
        discount=0.0 if terminal else 1.0,
        next_observation=self._observation(),
        episode_ends=last,
      )
      self.transitions.append((self._id - 1, terminal))
    if ends:
      self._id += 1  # The closing observation starts nothing.


def _ids(batch):
  return batch.observation[..., 0].astype(int).ravel()


def _check(batch, life, capacity):
  """Every sampled transition was lived, whole, and not too long ago."""
  terminal = dict(life.transitions)
  ids = _ids(batch)
  np.testing.assert_array_equal(batch.observation[..., 1].ravel(), -ids)
  np.testing.assert_array_equal(batch.next_observation[..., 0].ravel(), ids + 1)
  np.testing.assert_array_equal(batch.next_observation[..., 1].ravel(), -ids - 1)
  np.testing.assert_array_equal(batch.output.ravel(), np.float32(ids + 0.5))
  np.testing.assert_array_equal(batch.reward.ravel(), np.float32(ids / 2))
  expected = [0.0 if terminal[i] else 1.0 for i in ids]
  np.testing.assert_array_equal(batch.discount.ravel(), expected)
  recent = [i for i, _ in life.transitions[-capacity:]]
  assert set(ids) <= set(recent)


def test_next_observation_is_the_following_row():
  buffer = _buffer()
  life = _Life(buffer)
  life.episode(length=3, ends=False)
  _check(buffer.sample(4, 25), life, 8)
  assert len(buffer) == 3


def test_batch_has_leading_shape_and_float32():
  buffer = _buffer(observation_size=2, output_size=1)
  _Life(buffer).episode(length=3)
  batch = buffer.sample(4, 5)
  shapes = {name: part.shape for name, part in batch._asdict().items()}
  assert shapes == {
    'observation': (4, 5, 2),
    'output': (4, 5, 1),
    'reward': (4, 5),
    'discount': (4, 5),
    'next_observation': (4, 5, 2),
  }
  assert {part.dtype for part in batch} == {np.dtype(np.float32)}


def test_closing_rows_are_never_sampled():
  buffer = _buffer(capacity=50)
  life = _Life(buffer)
  for length in (1, 4, 2, 1):
    life.episode(length)
  ids = _ids(buffer.sample(20, 100))
  # Observations 1, 6, 9 and 11 close an episode.
  assert set(ids) == {0, 2, 3, 4, 5, 7, 8, 10}
  assert len(buffer) == 8


@pytest.mark.parametrize('capacity', [2, 3, 7, 64])
def test_ring_stays_consistent_while_wrapping_with_episodes_of_random_length(capacity):
  buffer = _buffer(capacity)
  life = _Life(buffer, seed=capacity, mean_length=4)
  rng = np.random.default_rng(1)
  while life._id < 20 * capacity + 200:
    life.episode(ends=rng.random() < 0.8)
    if len(buffer):
      _check(buffer.sample(2, 50), life, capacity)
    assert len(buffer) <= capacity - 1 or capacity == 2


def test_full_ring_holds_all_recent_transitions():
  buffer = _buffer(capacity=10)
  life = _Life(buffer)
  life.episode(length=25, ends=False)
  # Ten rows: nine transitions and the last next observation.
  assert len(buffer) == 9
  assert set(_ids(buffer.sample(10, 100))) == set(range(16, 25))


def test_sampling_is_uniform_over_transitions():
  buffer = _buffer(capacity=40, seed=5)
  life = _Life(buffer)
  while life._id < 130:
    life.episode()
  transitions = len(buffer)
  draws = 20_000
  _, counts = np.unique(_ids(buffer.sample(20, draws // 20)), return_counts=True)
  assert len(counts) == transitions
  expected = draws / transitions
  chi_square = np.sum((counts - expected) ** 2 / expected)
  # Mean k, standard deviation sqrt(2 k) for k degrees of freedom.
  freedom = transitions - 1
  assert abs(chi_square - freedom) < 4 * np.sqrt(2 * freedom)


def test_same_seed_draws_the_same():
  samples = []
  for seed in (1, 1, 2):
    buffer = _buffer(capacity=100, seed=seed)
    _Life(buffer).episode(length=60)
    samples.append(_ids(buffer.sample(2, 30)))
  np.testing.assert_array_equal(samples[0], samples[1])
  assert np.any(samples[0] != samples[2])


@pytest.mark.parametrize('steps', [5, 15, 16, 17, 40])
def test_restored_buffer_goes_on_exactly_as_the_saved_one(steps):
  capacity = 16
  buffer = _buffer(capacity, seed=3)
  life = _Life(buffer)
  life.episode(length=steps, ends=False)
  buffer.sample(1, 7)  # The generator is somewhere in its stream.
  start, stop = buffer.rows_kept
  middle = (start + stop) // 2
  parts = [(start, buffer.read(start, middle)), (middle, buffer.read(middle, stop))]
  restored = _buffer(capacity, seed=99)
  restored.restore(parts, json.loads(json.dumps(buffer.scalars)))
  assert len(restored) == len(buffer)

  for mine, other in zip(buffer.sample(3, 50), restored.sample(3, 50), strict=True):
    np.testing.assert_array_equal(mine, other)
  for one in (buffer, restored):
    one.end_episode()
    for i in range(5):
      row = np.float32([1000 + i, -1000 - i])
      one.add(row, np.float32([0]), 0.0, 1.0, row + np.float32([1, -1]), i == 4)
  for mine, other in zip(buffer.sample(3, 50), restored.sample(3, 50), strict=True):
    np.testing.assert_array_equal(mine, other)


def test_a_full_ring_keeps_its_newest_rows():
  buffer = _buffer(capacity=10)
  assert buffer.rows_kept == (0, 0)
  _Life(buffer).episode(length=9, ends=False)
  assert buffer.rows_kept == (0, 9)
  _Life(buffer).episode(length=4)
  assert buffer.rows_kept == (4, 14)


def _state(buffer):
  return [(0, buffer.read(*buffer.rows_kept))], buffer.scalars


def test_state_does_not_fit_a_buffer_of_other_sizes():
  buffer = _buffer(capacity=16)
  _Life(buffer).episode(length=12)
  state = _state(buffer)
  with pytest.raises(ValueError, match='a capacity of 16, not 8'):
    _buffer(capacity=8).restore(*state)
  for other in (_buffer(16, observation_size=3), _buffer(16, output_size=4)):
    with pytest.raises(ValueError, match='do not fit'):
      other.restore(*state)


def test_full_ring_does_not_fit_a_larger_buffer():
  buffer = _buffer(capacity=10)
  _Life(buffer).episode(length=25, ends=False)
  with pytest.raises(ValueError, match='capacity'):
    _buffer(capacity=20).restore(*_state(buffer))


def test_rows_that_are_missing_are_told():
  buffer = _buffer(capacity=16)
  _Life(buffer).episode(length=12)
  with pytest.raises(ValueError, match='rows up to 5 instead of 13'):
    _buffer(capacity=16).restore([(0, buffer.read(0, 5))], buffer.scalars)


def test_cut_episode_ends_without_a_transition_into_the_next():
  buffer = _buffer(capacity=32)
  life = _Life(buffer)
  life.episode(length=3, ends=False)
  buffer.end_episode()
  buffer.end_episode()  # Nothing is open any more.
  life._id += 1
  life.episode(length=2)
  _check(buffer.sample(4, 50), life, 32)
  assert set(_ids(buffer.sample(10, 50))) == {0, 1, 2, 4, 5}


def test_empty_buffer_says_so():
  with pytest.raises(ValueError):
    _buffer().sample(1, 1)
  with pytest.raises(ValueError, match='capacity must be at least 2, got 1'):
    _buffer(capacity=1)


def test_a_million_rows_of_half_cheetah_take_little_more_than_their_numbers():
  rows = 1000
  buffer = replay_lib.ReplayBuffer(rows, observation_size=17, output_size=6, seed=0)
  per_million = buffer.nbytes / rows * 1e6
  assert per_million <= 1.25 * (17 + 6 + 1 + 1) * 4 * 1e6
