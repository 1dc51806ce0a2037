"""Files and directories that appear whole or not at all."""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from latent_hrl import errors

LOCK = '.lock'
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def write_text(path: pathlib.Path, text: str) -> None:
  """Writes a text file atomically: readers see the old or the new content."""
  path.parent.mkdir(parents=True, exist_ok=True)
  descriptor, temporary = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
  try:
    with os.fdopen(descriptor, 'w', encoding='utf-8') as file:
      file.write(text)
    move_into_place(pathlib.Path(temporary), path)
  except BaseException:
    pathlib.Path(temporary).unlink(missing_ok=True)
    raise


def sha256(path: pathlib.Path) -> str:
  """Returns the SHA-256 of a file, in hexadecimal digits."""
  with path.open('rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


@contextlib.contextmanager
def temporary_in(directory: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields the path of a new file for `move_into_place`; removes it if still there."""
  directory.mkdir(parents=True, exist_ok=True)
  descriptor, name = tempfile.mkstemp(prefix='.', suffix='.npz', dir=directory)
  os.close(descriptor)
  try:
    yield pathlib.Path(name)
  finally:
    pathlib.Path(name).unlink(missing_ok=True)


def move_into_place(temporary: pathlib.Path, path: pathlib.Path) -> None:
  """Gives a written file its name, on disk before anything that comes later."""
  os.chmod(temporary, 0o644)
  sync(temporary)
  os.replace(temporary, path)
  sync(path.parent)


def sweep(directory: pathlib.Path) -> None:
  """Removes what a killed process left half written: hidden files and directories."""
  for path in directory.glob('.*'):
    if path.name == LOCK:
      continue
    if path.is_dir():
      shutil.rmtree(path, ignore_errors=True)
    else:
      path.unlink(missing_ok=True)


@contextlib.contextmanager
def lock(directory: pathlib.Path) -> Iterator[None]:
  """Keeps a directory to this process; a killed one frees it.

  Raises:
    ConfigError: If another process has it.
  """
  with (directory / LOCK).open('a+', encoding='utf-8') as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      file.seek(0)
      raise errors.ConfigError(
        f'{directory} is in use by process {file.read() or "?"}; wait for it, or use '
        'another --root_dir'
      ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    yield


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
  """
  path.parent.mkdir(parents=True, exist_ok=True)
  temporary = pathlib.Path(tempfile.mkdtemp(prefix=f'.{path.name}.', dir=path.parent))
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
