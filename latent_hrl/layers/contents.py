"""The files of a saved layer: exactly those of a layer, and as the manifest lists them."""

import pathlib
import stat

from latent_hrl import errors
from latent_hrl import files
from latent_hrl.layers import manifest as manifest_lib

GRAPH = 'saved_model.pb'
# What a layer is made of. TensorFlow would also take a graph from `saved_model.cpb` or
# `saved_model.pbtxt`, and a gin file is code.
FILES = frozenset(
  {
    manifest_lib.PATH,
    'README.md',
    'fingerprint.pb',
    GRAPH,
    'variables/variables.data-00000-of-00001',
    'variables/variables.index',
  }
)
_FOLDERS = ('assets', 'variables')
# Thousands of times a layer; the sum of a file without end would never be done.
_MAX_BYTES = 2**30


def check(directory: pathlib.Path, manifest: manifest_lib.Manifest) -> None:
  """Checks which files there are, and the SHA-256 of each.

  Args:
    directory: The saved layer.
    manifest: Its manifest.

  Raises:
    LayerLoadError: If a file is missing, extra, changed, or no regular file.
  """
  found = _regular_files(directory) - {manifest_lib.PATH}
  for name in sorted(manifest.files.keys() | found):
    if name not in found:
      raise errors.LayerLoadError(directory, f'{name} is missing')
    if name not in manifest.files:
      raise errors.LayerLoadError(directory, f'{name} is not listed in {manifest_lib.PATH}')
    if name not in FILES:
      raise errors.LayerLoadError(directory, f'{name} is no file of a layer')
    if manifest.files[name] != files.sha256(directory / name):
      raise errors.LayerLoadError(
        directory, f'{name} is damaged: its SHA-256 does not match'
      )
  for name in sorted(FILES - found - {manifest_lib.PATH}):
    raise errors.LayerLoadError(directory, f'{name} is missing')


def _regular_files(directory: pathlib.Path) -> set[str]:
  """Returns the relative paths of all files; opens none and follows no link."""
  found = set()
  for folder in (directory, *(directory / name for name in _FOLDERS)):
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
      name = path.relative_to(directory).as_posix()
      status = path.lstat()
      if stat.S_ISLNK(status.st_mode):
        raise errors.LayerLoadError(directory, f'{name} is a link')
      if stat.S_ISDIR(status.st_mode) and name in _FOLDERS:
        continue
      if not stat.S_ISREG(status.st_mode):
        raise errors.LayerLoadError(directory, f'{name} is no regular file')
      if status.st_size > _MAX_BYTES:
        raise errors.LayerLoadError(directory, f'{name} is too large for a layer')
      found.add(name)
  return found
