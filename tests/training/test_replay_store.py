"""Rows go to disk once, come back as they were, and damage is told by file."""

import numpy as np
import pytest

from latent_hrl.training import replay as replay_lib
from latent_hrl.training import replay_store


def _replay(capacity=6):
  return replay_lib.ReplayBuffer(capacity, observation_size=1, output_size=1, seed=0)


def _live(replay, start, stop):
  """Adds transitions whose reward is their number."""
  for i in range(start, stop):
    replay.add(np.float32([i]), np.float32([-i]), float(i), 1.0, np.float32([i + 1]), False)


def _rows(chunks):
  return [(chunk.start, chunk.stop) for chunk in chunks]


def test_a_file_holds_what_came_since_the_last_one(tmp_path):
  replay, store = _replay(), replay_store.ReplayStore(tmp_path)
  assert store.write(replay) == []

  _live(replay, 0, 2)
  assert _rows(store.write(replay)) == [(0, 2)]
  _live(replay, 2, 5)
  assert _rows(store.write(replay)) == [(0, 2), (2, 5)]
  assert _rows(store.write(replay)) == [(0, 2), (2, 5)]  # Nothing new, no file.

  with np.load(next(tmp_path.glob('rows_000000000002_*'))) as saved:
    np.testing.assert_array_equal(saved['rewards'], [2, 3, 4])


def test_files_of_overwritten_rows_are_needed_no_longer(tmp_path):
  replay, store = _replay(capacity=6), replay_store.ReplayStore(tmp_path)
  _live(replay, 0, 2)
  store.write(replay)
  _live(replay, 2, 7)
  # Row 1 is still there, row 0 is not.
  assert _rows(store.write(replay)) == [(0, 2), (2, 7)]
  _live(replay, 7, 9)
  chunks = store.write(replay)
  assert _rows(chunks) == [(2, 7), (7, 9)]

  store.prune([chunk.name for chunk in chunks])

  assert len(list(tmp_path.iterdir())) == 2


def test_more_rows_than_fit_between_two_writes(tmp_path):
  replay, store = _replay(capacity=6), replay_store.ReplayStore(tmp_path)
  _live(replay, 0, 20)

  assert _rows(store.write(replay)) == [(14, 20)]


def test_rows_come_back_and_writing_goes_on_behind_them(tmp_path):
  replay, store = _replay(), replay_store.ReplayStore(tmp_path)
  for start, stop in ((0, 3), (3, 8)):
    _live(replay, start, stop)
    chunks = store.write(replay)

  other, other_store = _replay(), replay_store.ReplayStore(tmp_path)
  other_store.restore(other, chunks, replay.scalars)

  for mine, its in zip(replay.sample(2, 50), other.sample(2, 50), strict=True):
    np.testing.assert_array_equal(mine, its)
  _live(other, 8, 10)
  assert _rows(other_store.write(other))[-1] == (8, 10)


@pytest.mark.parametrize(
  ('damage', 'error', 'reason'),
  [
    (lambda path: path.write_bytes(path.read_bytes()[:-1]), ValueError, 'is damaged'),
    (lambda path: path.unlink(), OSError, 'No such file'),
  ],
)
def test_a_file_that_is_not_what_was_written_is_refused(tmp_path, damage, error, reason):
  replay, store = _replay(), replay_store.ReplayStore(tmp_path)
  _live(replay, 0, 4)
  chunks = store.write(replay)
  damage(tmp_path / chunks[0].name)

  with pytest.raises(error, match=reason):
    replay_store.ReplayStore(tmp_path).restore(_replay(), chunks, replay.scalars)
