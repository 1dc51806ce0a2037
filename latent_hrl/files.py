"""Files and directories that appear whole or not at all."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def write_text(path: pathlib.Path, text: str) -> None:
  """Writes a text file atomically: readers see the old or the new content."""
  path.parent.mkdir(parents=True, exist_ok=True)
  descriptor, temporary = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
  try:
    with os.fdopen(descriptor, 'w', encoding='utf-8') as file:
      file.write(text)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)
  except BaseException:
    pathlib.Path(temporary).unlink(missing_ok=True)
    raise


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
    if path.exists():
      _exchange(temporary, path)
    else:
      temporary.rename(path)
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
