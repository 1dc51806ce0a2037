"""The weights of a saved layer, read as data before anything is made of them."""

import pathlib

import numpy as np
import tensorflow as tf

from latent_hrl import errors
from latent_hrl.layers import contents


def check(directory: pathlib.Path, found: contents.Contents, address: str) -> None:
  """Checks that all weights are there, and numbers.

  Args:
    directory: The saved layer, for the message.
    found: Its files.
    address: Where TensorFlow reads them from.

  Raises:
    LayerLoadError: If the weights are unreadable, larger than their file, NaN or infinite.
  """
  try:
    reader = tf.compat.v1.train.NewCheckpointReader(f'{address}/{contents.WEIGHTS}')
    types = reader.get_variable_to_dtype_map()
    shapes = reader.get_variable_to_shape_map()
    # Read only if it is there: a shape is a promise of whoever wrote the index.
    claimed = sum(types[name].size * _count(shape) for name, shape in shapes.items())
    if claimed > len(found.files[f'{contents.WEIGHTS}.data-00000-of-00001']):
      raise ValueError('they are smaller than their shapes tell')
    for name in sorted(name for name in shapes if types[name].is_floating):
      if not np.isfinite(reader.get_tensor(name)).all():
        raise errors.LayerLoadError(directory, f'the weights {name!r} are no numbers')
  except (tf.errors.OpError, RuntimeError, ValueError) as error:
    reason = f'{type(error).__name__}: {error}'.split('\n')[0]
    raise errors.LayerLoadError(
      directory, f'TensorFlow cannot load its weights ({reason})'
    ) from None


def _count(shape: list[int]) -> int:
  if min(shape, default=0) < 0:
    raise ValueError(f'a shape of {shape}')
  return int(np.prod(shape, dtype=object))
