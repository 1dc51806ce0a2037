"""Replay that stores each observation once, in preallocated arrays.

Rows follow each other as they were lived: the next observation of row i is the observation
of row i + 1. Where an episode ends, one closing row holds its final observation; it starts
no transition and is never sampled. Full, the buffer overwrites its oldest rows.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from latent_hrl.agents import protocol


class ReplayBuffer:
  """A ring of transitions of one layer, sampled uniformly without Python loops."""

  def __init__(
    self,
    capacity: int,
    observation_size: int,
    output_size: int,
    seed: int,
    measured_size: int = 0,
  ):
    """Allocates the rows.

    Args:
      capacity: Number of rows; transitions plus one closing row an episode.
      observation_size: O, entries of an observation.
      output_size: D, entries of the layer's output.
      seed: Seed of the sampling.
      measured_size: m, entries of what a commanded reward looks at.

    Raises:
      ValueError: If the capacity is below 2.
    """
    if capacity < 2:
      raise ValueError(f'capacity must be at least 2, got {capacity}.')
    self._observations = np.zeros((capacity, observation_size), np.float32)
    self._outputs = np.zeros((capacity, output_size), np.float32)
    self._rewards = np.zeros(capacity, np.float32)
    self._discounts = np.zeros(capacity, np.float32)
    self._measured = np.zeros((capacity, measured_size), np.float32)
    # Whether a row starts a transition whose next row is in place.
    self._starts = np.zeros(capacity, np.bool_)
    self._capacity = capacity
    self._rows_written = 0
    self._episode_open = False
    self._rng = np.random.default_rng(seed)

  def __len__(self) -> int:
    """Number of transitions that can be sampled."""
    return int(np.count_nonzero(self._starts[: self._filled]))

  @property
  def _filled(self) -> int:
    return min(self._rows_written, self._capacity)

  @property
  def nbytes(self) -> int:
    """Bytes of all rows."""
    return sum(array.nbytes for array in self._arrays().values())

  def add(
    self,
    observation: np.ndarray,
    output: np.ndarray,
    reward: float,
    discount: float,
    next_observation: np.ndarray,
    episode_ends: bool,
    measured: np.ndarray | None = None,
  ) -> None:
    """Appends one transition.

    Args:
      observation: float32 [O]; the `next_observation` of the last call unless that ended
        the episode.
      output: float32 [D].
      reward: The layer's reward.
      discount: 0 after a termination; otherwise 1, or γᵏ⁻¹ in a layer that acts every k
        steps.
      next_observation: float32 [O].
      episode_ends: Whether the next call starts another episode.
      measured: float32 [m]; None if m is 0.
    """
    row = self._rows_written % self._capacity
    self._observations[row] = observation
    self._outputs[row] = output
    self._rewards[row] = reward
    self._discounts[row] = discount
    if measured is not None:
      self._measured[row] = measured
    self._starts[row] = True
    following = (row + 1) % self._capacity
    # The next call writes the same observation there, unless the episode ends.
    self._observations[following] = next_observation
    self._starts[following] = False
    self._rows_written += 2 if episode_ends else 1
    self._episode_open = not episode_ends

  def end_episode(self) -> None:
    """Closes the running episode, if any, as a time limit would: for a resumed run."""
    if self._episode_open:
      self._rows_written += 1
      self._episode_open = False

  def sample(self, batches: int, batch_size: int) -> protocol.Batch:
    """Draws transitions uniformly, with replacement.

    Args:
      batches: K, number of batches.
      batch_size: B, transitions in each.

    Returns:
      A Batch of float32 arrays with leading shape [K, B].

    Raises:
      ValueError: If there is no transition yet.
    """
    return self.batch(self.draw(batches, batch_size))

  def draw(self, batches: int, batch_size: int) -> np.ndarray:
    """Draws rows that start a transition, int64 [K, B]; see `sample`."""
    # The row behind the newest transition holds its next observation: not a start, but
    # part of the filled rows once the ring is closed.
    rows = self._rng.integers(self._filled, size=batches * batch_size)
    rejected = np.flatnonzero(~self._starts[rows])
    if rejected.size and not self._starts[: self._filled].any():
      raise ValueError('There is no transition to sample yet.')
    while rejected.size:
      rows[rejected] = self._rng.integers(self._filled, size=rejected.size)
      rejected = rejected[~self._starts[rows[rejected]]]
    return rows.reshape(batches, batch_size)

  def batch(self, rows: np.ndarray) -> protocol.Batch:
    """Returns copies of the transitions that start at rows [K, B]."""
    following = rows + 1
    following[following == self._capacity] = 0
    return protocol.Batch(
      observation=self._observations[rows],
      output=self._outputs[rows],
      reward=self._rewards[rows],
      discount=self._discounts[rows],
      next_observation=self._observations[following],
    )

  def measured(self, rows: np.ndarray) -> np.ndarray:
    """Returns what was measured in the transitions that start at rows [K, B], [K, B, m]."""
    return self._measured[rows]

  def _arrays(self) -> dict[str, np.ndarray]:
    measured = {'measured': self._measured} if self._measured.shape[1] else {}
    return {
      **measured,
      'observations': self._observations,
      'outputs': self._outputs,
      'rewards': self._rewards,
      'discounts': self._discounts,
      'starts': self._starts,
    }

  @property
  def rows_kept(self) -> tuple[int, int]:
    """Numbers of the oldest row and of the one behind the newest, from the start on."""
    return max(0, self._rows_written - self._capacity), self._rows_written

  def read(self, start: int, stop: int) -> dict[str, np.ndarray]:
    """Returns copies of rows that are kept, by name; numbers as in `rows_kept`."""
    rows = np.arange(start, stop) % self._capacity
    return {name: array[rows] for name, array in self._arrays().items()}

  @property
  def scalars(self) -> dict[str, Any]:
    """All of the state but the rows, as JSON types."""
    following = self._observations[self._rows_written % self._capacity]
    return {
      'capacity': self._capacity,
      'rows_written': self._rows_written,
      # The next observation of the newest transition, as long as no row is its own.
      'open_observation': following.tolist() if self._episode_open else None,
      'rng': self._rng.bit_generator.state,
    }

  def restore(
    self,
    parts: Iterable[tuple[int, Mapping[str, np.ndarray]]],
    scalars: Mapping[str, Any],
  ) -> None:
    """Takes back what `read` and `scalars` returned.

    Args:
      parts: Number of the first row, and the rows, in order.
      scalars: The rest.

    Raises:
      ValueError: If the rows do not fit this buffer.
    """
    if scalars['capacity'] != self._capacity:
      # Rows are numbered modulo the capacity.
      raise ValueError(f'a capacity of {scalars["capacity"]}, not {self._capacity}')
    count = 0
    for start, rows in parts:
      for name, array in self._arrays().items():
        if rows[name].shape[1:] != array.shape[1:]:
          raise ValueError(f'{name} of shape {rows[name].shape} do not fit {array.shape}.')
        where = np.arange(start, start + len(rows[name])) % self._capacity
        array[where] = rows[name]
      count = start + len(rows['starts'])
    self._rows_written = int(scalars['rows_written'])
    if count != self._rows_written:
      raise ValueError(f'rows up to {count:,} instead of {self._rows_written:,}')
    self._episode_open = scalars['open_observation'] is not None
    if self._episode_open:
      following = self._rows_written % self._capacity
      self._observations[following] = scalars['open_observation']
      self._starts[following] = False
    self._rng.bit_generator.state = scalars['rng']
