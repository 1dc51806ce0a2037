"""The files of a saved layer, read once: those of a layer alone, as its manifest tells.

What is checked and what TensorFlow loads have to be the same bytes, and of one layer:
training replaces layers while others read them, and a directory may change at any time. So
all files are read from one opened directory, each once; nothing looks at the disk again.
"""

import contextlib
import fnmatch
import hashlib
import os
import pathlib
import stat
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import tensorflow as tf

from latent_hrl import errors
from latent_hrl.layers import manifest as manifest_lib

GRAPH = 'saved_model.pb'
WEIGHTS = 'variables/variables'
# What a layer is made of. TensorFlow would also take a graph from `saved_model.cpb` or
# `saved_model.pbtxt`, and a gin file is code.
FILES = frozenset(
  {
    manifest_lib.PATH,
    'README.md',
    'fingerprint.pb',
    GRAPH,
    f'{WEIGHTS}.data-00000-of-00001',
    f'{WEIGHTS}.index',
  }
)
_FOLDERS = ('assets', 'variables')
# Thousands of times a layer; a file without end would never be read.
_MAX_BYTES = 2**30
# A replaced directory loses its files; then the one in its place is read.
_ATTEMPTS = 20
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Neither waits for the other end of a pipe nor follows a link.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# What desktops, network file systems and killed writers leave in a directory.
_LITTER = (
  '.DS_Store', '._*', '.directory', '.latent_hrl_unfinished.*', '.nfs*', 'Thumbs.db',
  'desktop.ini',
)  # fmt: skip


class Contents(NamedTuple):
  """What lies in the directory of a layer.

  Attributes:
    files: Content by relative path of those `FILES` that are there.
    others: Relative paths of what else is there.
  """

  files: dict[str, bytes]
  others: tuple[str, ...]

  @property
  def digest(self) -> str:
    """SHA-256 of the manifest, which covers every other file."""
    return hashlib.sha256(self.files[manifest_lib.PATH]).hexdigest()

  @contextlib.contextmanager
  def in_memory(self) -> Iterator[str]:
    """Yields the address of a directory in memory that TensorFlow reads these files from.

    TensorFlow takes `[`, `]`, `*` and `?` in a path for a pattern; there are none in this.
    """
    root = f'ram://{uuid.uuid4().hex}'
    try:
      for name, content in self.files.items():
        tf.io.gfile.makedirs(os.path.dirname(f'{root}/{name}'))
        with tf.io.gfile.GFile(f'{root}/{name}', 'wb') as file:
          file.write(content)
      yield root
    finally:
      tf.io.gfile.rmtree(root)


def read(directory: pathlib.Path) -> Contents:
  """Reads the files of one layer, also while it is being replaced.

  Args:
    directory: The saved layer.

  Raises:
    LayerLoadError: If there is none, or something is no regular file.
  """
  for attempt in range(_ATTEMPTS):
    try:
      descriptor = os.open(directory, _DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
      raise errors.LayerLoadError(
        directory, f'there is no such directory{_nearest(directory)}'
      ) from None
    except (OSError, ValueError) as error:
      raise errors.LayerLoadError(directory, f'it is unreadable: {error}') from None
    try:
      found = _read(descriptor)
      if found.files.keys() == FILES or not _replaced(directory, descriptor):
        break
    except (OSError, _UnfitError) as error:
      if attempt + 1 < _ATTEMPTS and _replaced(directory, descriptor):
        continue
      told = error if isinstance(error, _UnfitError) else f'a file is unreadable: {error}'
      raise errors.LayerLoadError(directory, str(told)) from None
    finally:
      os.close(descriptor)
  if manifest_lib.PATH not in found.files:
    raise errors.LayerLoadError(
      directory, f'it is no saved layer: no {manifest_lib.PATH}{_names_inside(directory)}'
    )
  return found


class _UnfitError(Exception):
  """What is in a directory is not to be read."""


def _replaced(directory: pathlib.Path, descriptor: int) -> bool:
  """Returns whether the path names another directory than the opened one by now."""
  try:
    return not os.path.samestat(os.stat(directory), os.fstat(descriptor))
  except OSError:
    return True


def _read(directory: int) -> Contents:
  """Reads from an opened directory; follows no link."""
  content: dict[str, bytes] = {}
  others: list[str] = []
  left = _MAX_BYTES
  with contextlib.ExitStack() as closing:
    folders = {'': directory}
    for name in _FOLDERS:
      with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        folders[name] = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
        closing.callback(os.close, folders[name])
    names = {
      os.path.join(prefix, name): (name, folder)
      for prefix, folder in folders.items()
      for name in os.listdir(folder)
    }
    if manifest_lib.PATH not in names:
      return Contents({}, ())  # Whatever this is, it is not to be read.
    for path in sorted(names.keys() - folders.keys()):
      name, folder = names[path]
      size = _regular_size(path, os.stat(name, dir_fd=folder, follow_symlinks=False))
      left -= size
      if left < 0:
        raise _UnfitError(f'{path} is too large for a layer')
      if path in FILES:
        content[path] = _read_file(path, name, folder, size)
      else:
        others.append(path)
  return Contents(content, tuple(others))


def _regular_size(path: str, status: os.stat_result) -> int:
  if stat.S_ISLNK(status.st_mode):
    raise _UnfitError(f'{path} is a link')
  if not stat.S_ISREG(status.st_mode):
    raise _UnfitError(f'{path} is no regular file')
  return status.st_size


def _read_file(path: str, name: str, folder: int, size: int) -> bytes:
  with open(os.open(name, _FILE, dir_fd=folder), 'rb') as file:
    _regular_size(path, os.fstat(file.fileno()))  # It may be another one by now.
    # Not to its end, which some never have.
    return file.read(size)


def check(
  directory: pathlib.Path, found: Contents, manifest: manifest_lib.Manifest
) -> None:
  """Checks which files there are, and the SHA-256 of each.

  Args:
    directory: The saved layer, for the message.
    found: What is in it.
    manifest: Its manifest.

  Raises:
    LayerLoadError: If a file is missing, extra or changed.
  """
  names = (found.files.keys() | set(found.others)) - {manifest_lib.PATH}
  for name in sorted(manifest.files.keys() | names):
    if name not in names:
      raise errors.LayerLoadError(directory, f'{name} is missing')
    if name not in manifest.files:
      raise errors.LayerLoadError(
        directory, f'{name} is not listed in {manifest_lib.PATH}{_may_go(name)}'
      )
    if name not in FILES:
      raise errors.LayerLoadError(directory, f'{name} is no file of a layer')
    if manifest.files[name] != hashlib.sha256(found.files[name]).hexdigest():
      raise errors.LayerLoadError(
        directory, f'{name} is damaged: its SHA-256 does not match'
      )
  for name in sorted(FILES - found.files.keys()):
    raise errors.LayerLoadError(directory, f'{name} is missing')


def _may_go(name: str) -> str:
  base = os.path.basename(name)
  if any(fnmatch.fnmatchcase(base, pattern) for pattern in _LITTER):
    return '; it is no part of the layer: remove it'
  return ''


def _layers_in(directory: pathlib.Path) -> list[pathlib.Path]:
  """Returns the layers in a directory: versions, as TensorFlow Serving has, or a run's."""
  return sorted(
    manifest.parent.parent
    for pattern in ('[!.]*', 'layers/[!.]*')
    for manifest in directory.glob(f'{pattern}/{manifest_lib.PATH}')
  )


def _names_inside(directory: pathlib.Path) -> str:
  layers = [str(layer) for layer in _layers_in(directory)]
  return f'; name a layer in it: {", ".join(layers[:5])}' if layers else ''


def _nearest(directory: pathlib.Path) -> str:
  beside = [layer.name for layer in _layers_in(directory.parent)]
  return errors.nearest(directory.name, beside)
