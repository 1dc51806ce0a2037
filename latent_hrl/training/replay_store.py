"""The replay on disk, each row written once.

A checkpoint adds what came since the last one as a file of its own; a million rows are not
written again each time. Files are named by the rows that they hold and by their content, so
one never takes the place of another that an older checkpoint still needs.
"""

import hashlib
import io
import pathlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from latent_hrl import files
from latent_hrl.training import replay as replay_lib


class Chunk(NamedTuple):
  """A file of consecutive rows.

  Attributes:
    start: Number of the first row, counted since the beginning of the run.
    stop: Number behind the last row.
    name: Name of the file.
    sha256: Of the file.
  """

  start: int
  stop: int
  name: str
  sha256: str


class ReplayStore:
  """Files of rows in one directory."""

  def __init__(self, directory: pathlib.Path):
    """Binds the directory, which appears with the first file."""
    self._directory = directory
    self._chunks: list[Chunk] = []

  def write(self, replay: replay_lib.ReplayBuffer) -> list[Chunk]:
    """Writes the rows that came since the last call.

    Returns:
      The files that together hold every row the replay still has.
    """
    oldest, stop = replay.rows_kept
    start = max(oldest, self._chunks[-1].stop if self._chunks else 0)
    if start < stop:
      buffer = io.BytesIO()
      np.savez(buffer, **replay.read(start, stop))  # type: ignore[arg-type]
      content = buffer.getvalue()
      digest = hashlib.sha256(content).hexdigest()
      name = f'rows_{start:012d}_{stop:012d}_{digest[:8]}.npz'
      files.write_bytes(self._directory / name, content)
      self._chunks.append(Chunk(start, stop, name, digest))
    self._chunks = [chunk for chunk in self._chunks if chunk.stop > oldest]
    return self._chunks

  def restore(
    self, replay: replay_lib.ReplayBuffer, chunks: Iterable[Chunk], scalars: dict[str, Any]
  ) -> None:
    """Reads rows back, and goes on writing behind them.

    Args:
      replay: Where to.
      chunks: What `write` returned.
      scalars: What `replay.scalars` was then.

    Raises:
      ValueError: If a file is damaged or does not fit the replay.
      OSError: If a file is missing.
    """
    self._chunks = list(chunks)
    replay.restore(((c.start, self._read(c)) for c in self._chunks), scalars)

  def _read(self, chunk: Chunk) -> dict[str, np.ndarray]:
    path = self._directory / chunk.name
    if files.sha256(path) != chunk.sha256:
      raise ValueError(f'{chunk.name} is damaged: its SHA-256 does not match')
    with np.load(path, allow_pickle=False) as rows:
      return dict(rows)

  def prune(self, needed: Iterable[str]) -> None:
    """Removes all files but those with these names."""
    needed = set(needed)
    for path in self._directory.glob('*'):
      if path.name not in needed:
        path.unlink()
