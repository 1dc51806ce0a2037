"""Files and directories that appear whole or not at all."""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import pathlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from typing import IO

from latent_hrl import errors

LOCK = '.lock'
# Names what is being written, and nothing else: `sweep` removes all that is called so.
_UNFINISHED = '.latent_hrl_unfinished.'
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def told(path: pathlib.Path) -> Iterator[None]:
  """Turns what the system refuses, a full disk above all, into an error about a path.

  Raises:
    LatentHrlError: If the body raises an OSError.
  """
  try:
    yield
  except OSError as error:
    raise errors.LatentHrlError(
      f'cannot write {path}: {error.strerror or error}; what was there before is intact'
    ) from error


def check_output(path: pathlib.Path) -> None:
  """Checks that a file can be written, before the work that it is to keep.

  Directories that are missing are made when it is written.

  Raises:
    ConfigError: If a directory is in its place, or the system would refuse it.
  """
  if path.is_dir():
    raise errors.ConfigError(f'cannot write {path}: it is a directory; name a file in it')
  parent = path.absolute().parent
  while not os.path.lexists(parent):
    parent = parent.parent
  if not parent.is_dir():
    raise errors.ConfigError(f'cannot write {path}: {parent} is no directory')
  if not os.access(parent, os.W_OK | os.X_OK):
    raise errors.ConfigError(f'cannot write {path}: no permission to write in {parent}')


def write_text(path: pathlib.Path, text: str) -> None:
  """Writes a text file atomically: readers see the old or the new content."""
  write_bytes(path, text.encode())


def write_bytes(path: pathlib.Path, content: bytes) -> None:
  """Writes a file atomically, on disk before anything that comes later.

  Raises:
    LatentHrlError: If the system refuses.
  """
  with told(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    try:
      with os.fdopen(descriptor, 'wb') as file:
        file.write(content)
      os.chmod(temporary, 0o644)
      sync(pathlib.Path(temporary))
      os.replace(temporary, path)
      sync(path.parent)
    except BaseException:
      pathlib.Path(temporary).unlink(missing_ok=True)
      raise


def append_line(path: pathlib.Path, line: str) -> None:
  """Adds a line to a text file, on disk before anything that comes later.

  Raises:
    LatentHrlError: If the system refuses; part of the line may be there.
  """
  with told(path), path.open('a', encoding='utf-8') as file:
    file.write(line + '\n')
    file.flush()
    os.fsync(file.fileno())


def sha256(path: pathlib.Path) -> str:
  """Returns the SHA-256 of a file, in hexadecimal digits."""
  with path.open('rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


def sweep(directory: pathlib.Path) -> None:
  """Removes what a killed process left half written, and nothing that others put there."""
  for path in directory.glob(f'{_UNFINISHED}*'):
    if path.is_dir():
      shutil.rmtree(path, ignore_errors=True)
    else:
      path.unlink(missing_ok=True)


@contextlib.contextmanager
def lock(directory: pathlib.Path, patience: float = 0.0) -> Iterator[IO[str]]:
  """Keeps a directory to this process; a killed one frees it.

  Give the file to children (`pass_fds`): then nobody else can go on there while one of them
  lives, should this process die before them.

  Args:
    directory: The directory.
    patience: Seconds to wait for another process to end.

  Yields:
    The locked file.

  Raises:
    ConfigError: If another process has it.
  """
  with (directory / LOCK).open('a+', encoding='utf-8') as file:
    deadline = time.monotonic() + patience
    while not _flock(file):
      if time.monotonic() > deadline:
        file.seek(0)
        raise errors.ConfigError(
          f'{directory} is in use by process {file.read() or "?"}; wait for it, or use '
          'another --root_dir'
        )
      time.sleep(0.05)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    yield file


def _flock(file: IO[str]) -> bool:
  try:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except BlockingIOError:
    return False
  return True


def sync(path: pathlib.Path) -> None:
  """Waits until a file, or the entries of a directory, are on disk."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)


@contextlib.contextmanager
def replacing_directory(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields an empty directory that takes the place of `path` if the body succeeds.

  Where the kernel can exchange two names (Linux), there is no moment without a directory
  at `path`.

  Args:
    path: The directory to create or replace.

  Raises:
    LatentHrlError: If the system refuses.
  """
  with told(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = pathlib.Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=path.parent))
    try:
      temporary.chmod(0o755)
      yield temporary
      for entry in (*temporary.rglob('*'), temporary):
        sync(entry)
      if path.exists():
        _exchange(temporary, path)
      else:
        temporary.rename(path)
      sync(path.parent)
    finally:
      shutil.rmtree(temporary, ignore_errors=True)


def _exchange(first: pathlib.Path, second: pathlib.Path) -> None:
  """Swaps two directories, atomically where the platform can."""
  renameat2 = getattr(ctypes.CDLL(None), 'renameat2', None)
  if renameat2 is not None:
    arguments = (_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second))
    if renameat2(*arguments, _RENAME_EXCHANGE) == 0:
      return
  aside = first.with_name(first.name + '.old')
  second.rename(aside)
  first.rename(second)
  aside.rename(first)
