"""Compares the action box that a manifest tells with the one that a layer works in."""

import pathlib
from typing import Any

import numpy as np

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.layers import manifest as manifest_lib

# In half-widths, how far from a bound an action has to be for `encode` not to move it.
_MARGIN = 1e-4


def check(directory: pathlib.Path, manifest: manifest_lib.Manifest, module: Any) -> None:
  """Encodes actions on both sides of each bound: those on it are clipped, no others are.

  Args:
    directory: The saved layer, for the message.
    manifest: Its manifest.
    module: The loaded layer.

  Raises:
    LayerLoadError: If the layer has another action box.
  """
  low = np.array(manifest.action_low, np.float32)
  high = np.array(manifest.action_high, np.float32)
  half_width = (high - low) / 2
  inwards = np.maximum(
    _MARGIN * half_width, 8 * np.spacing(np.maximum(abs(low), abs(high)))
  )
  size = observations.total_size(manifest.fields)
  # Row 2i and 2i + 1 are at the bounds of dimension i, in the middle of the others.
  rows = np.arange(2 * manifest.dimension)
  for bounds, clipped in (((low, high), True), ((low + inwards, high - inwards), False)):
    actions = np.tile(low + half_width, (len(rows), 1))
    actions[rows, rows // 2] = np.stack(bounds, axis=-1).reshape(-1)
    observation = np.zeros((len(rows), size), np.float32)
    found = module.encode(observation, actions)['clipped'].numpy()
    if not np.all(found == clipped):
      dimension = int(np.argmax(found != clipped)) // 2
      raise errors.LayerLoadError(
        directory,
        f'its manifest tells another action box than its graph has (dimension {dimension})',
      )
