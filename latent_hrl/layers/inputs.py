"""What the methods of a saved layer are given: what is clear is taken, the rest is told.

Lists, tensors and numbers of any width become float32; one observation may stand for a
batch. Whatever else comes in ends in one line, before TensorFlow sees it.
"""

import numbers
from typing import Any

import numpy as np

from latent_hrl import errors
from latent_hrl import observations

_INT32 = np.iinfo(np.int32)


def observation(value: Any, fields: observations.Fields, one: bool = False) -> np.ndarray:
  """Returns observations as an array.

  Args:
    value: Numbers of shape [B, O], or [O] for one observation.
    fields: The observation fields of the layer.
    one: Whether only [O] will do.

  Returns:
    float32, of the shape that was given.

  Raises:
    InputError: If it is no such thing, or an entry is not finite.
  """
  array = _numbers('observation', value)
  size = observations.total_size(fields)
  if array.shape[-1:] != (size,) or array.ndim > 2 - one:
    wanted = f'[{size}]' if one else f'[B, {size}], or [{size}] for one'
    hint = '; `mode` and `decode` take a batch' if one and array.ndim == 2 else ''
    raise errors.InputError(
      f'observation must have the shape {wanted}, made of {observations.describe(fields)}; '
      f'got {list(array.shape)}{hint}'
    )
  observations.check_finite(array, fields)
  return array


def latent(value: Any, dimension: int, given: np.ndarray) -> np.ndarray:
  """Returns latents as an array, float32 [B, D] or [D].

  Args:
    value: Numbers, as many rows as there are observations.
    dimension: D.
    given: The observations, [B, O] or [O].

  Raises:
    InputError: If it is no such thing, or an entry is not finite.
  """
  array = _vectors('latent', value, dimension, given)
  if not np.isfinite(array).all():
    raise errors.InputError(f'latent is not finite: {_first(array, np.isfinite)}')
  return array


def action(value: Any, dimension: int, given: np.ndarray) -> np.ndarray:
  """Returns actions as an array, float32 [B, D] or [D].

  Args:
    value: Numbers, as many rows as there are observations. Infinity is beyond the box.
    dimension: D.
    given: The observations, [B, O] or [O].

  Raises:
    InputError: If it is no such thing, or an entry is NaN.
  """
  array = _vectors('action', value, dimension, given)
  if np.isnan(array).any():
    raise errors.InputError(
      f'action is not a number: {_first(array, lambda entries: ~np.isnan(entries))}'
    )
  return array


def seed(value: Any) -> np.ndarray:
  """Returns a seed as an array, int32 [2].

  Args:
    value: Two integers of 32 bits, or one, n, which stands for (n, 0).

  Raises:
    InputError: If it is neither.
  """
  pair = [value, 0] if isinstance(value, numbers.Integral) else value
  try:
    array = np.asarray(pair)
  except Exception:  # Whatever an object may raise that is asked for its numbers.
    array = np.zeros(0)
  whole = array.dtype.kind in 'iu' and not isinstance(value, bool)
  # Compared as Python's integers: no width of NumPy's holds all that may come.
  within = whole and all(_INT32.min <= int(entry) <= _INT32.max for entry in array.flat)
  if array.shape != (2,) or not within:
    raise errors.InputError(
      f'seed must be an integer or a pair of integers, of 32 bits, got {_short(value)}'
    )
  return array.astype(np.int32)


def _vectors(name: str, value: Any, dimension: int, given: np.ndarray) -> np.ndarray:
  array = _numbers(name, value)
  wanted = (*given.shape[:-1], dimension)
  if array.shape != wanted:
    raise errors.InputError(
      f'{name} must have the shape {list(wanted)}, as the observation has '
      f'{list(given.shape)}; got {list(array.shape)}'
    )
  return array


def _numbers(name: str, value: Any) -> np.ndarray:
  try:
    array = np.asarray(value)
  except Exception:  # Uneven lists, tensors of a graph, whatever an object may raise.
    array = np.asarray(None)
  if array.dtype.kind not in 'fiu':
    raise errors.InputError(f'{name} must be an array of numbers, got {_short(value)}')
  with np.errstate(over='ignore'):  # What float32 cannot hold is infinite, and told so.
    return array.astype(np.float32, copy=False)


def _first(array: np.ndarray, holds: Any) -> str:
  where = tuple(np.argwhere(~holds(array))[0].tolist())
  return f'entry {list(where)} is {array[where]}'


def _short(value: Any) -> str:
  text = ' '.join(repr(value).split())
  return text if len(text) <= 60 else f'{text[:60]}…'
