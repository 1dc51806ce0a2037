"""Gives a manifest of format 1 the SHA-256 of itself that later formats have."""

import dataclasses
import pathlib

from latent_hrl import errors
from latent_hrl import files
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib

# The format with a sum and the same graph.
_SEALED_FORMAT = 2


def reseal(path: pathlib.Path) -> tuple[str, str]:
  """Makes a layer of format 1 one of format 2.

  What it computes stays; its digest, by which layers above know it, changes.

  Args:
    path: The layer.

  Returns:
    Its digests before and after.

  Raises:
    LayerLoadError: If it is no intact layer of format 1.
  """
  manifest = load.check(path)
  if manifest.format_version != 1:
    raise errors.LayerLoadError(
      path, f'format {manifest.format_version} has a sum of its manifest already'
    )
  before = files.sha256(path / manifest_lib.PATH)
  sealed = dataclasses.replace(manifest, format_version=_SEALED_FORMAT)
  files.write_text(path / manifest_lib.PATH, sealed.to_json())
  return before, files.sha256(path / manifest_lib.PATH)
