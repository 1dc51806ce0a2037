"""Boxes of others' tasks as this library has them: flat, float32, of named fields."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from latent_hrl import errors
from latent_hrl import observations

# The field of an observation that has no names.
UNNAMED = 'observation'


def action_box(space: gymnasium.Space, task_id: str) -> spaces.Box:
  """Returns the float32 box of a task's actions; no number of it is outside the task's.

  Args:
    space: The task's action space.
    task_id: Name of the task, for messages.

  Raises:
    TaskError: If it is no bounded Box vector of real numbers, or an empty one.
  """
  if not isinstance(space, spaces.Box) or len(space.shape) != 1:
    raise errors.TaskError(
      f'task {task_id!r} has the action space {space}; a layer needs a Box with one '
      'dimension (continuous actions)'
    )
  if not np.issubdtype(space.dtype, np.floating):
    raise errors.TaskError(
      f'task {task_id!r} has the action space {space} of {space.dtype}; a layer needs a '
      'Box of floats (continuous actions)'
    )
  # Formats that know no unbounded box write the largest float.
  limit = min(np.finfo(np.float32).max, np.finfo(space.dtype).max)
  if not np.all(np.maximum(-space.low, space.high) < limit):
    raise errors.TaskError(
      f'task {task_id!r} has an unbounded action space; give it a bounded Box with '
      'gymnasium.wrappers.TransformAction'
    )
  low, high = _inside(space.low, np.inf), _inside(space.high, -np.inf)
  if np.any(low >= high):
    raise errors.TaskError(f'task {task_id!r} has an empty action box {space}')
  return spaces.Box(low, high, dtype=np.float32)


def _inside(bound: np.ndarray, direction: float) -> np.ndarray:
  """Returns a bound in float32, rounded towards `direction`, which is into the box."""
  near = bound.astype(np.float32)
  with np.errstate(invalid='ignore'):
    outside = near < bound if direction > 0 else near > bound
  return np.where(outside, np.nextafter(near, np.float32(direction)), near)


def native_action(action: np.ndarray, space: spaces.Box) -> np.ndarray:
  """Returns a float32 action as a task of another float type takes it.

  Args:
    action: float32 [..., D].
    space: The task's own box; its type may be coarser, so that rounding leads outside.
  """
  if space.dtype == np.float32:
    return action
  return np.clip(np.asarray(action).astype(space.dtype), space.low, space.high)


def fields_of(
  space: gymnasium.Space, task_id: str
) -> tuple[observations.Fields, spaces.Box]:
  """Returns the fields of a task's observation, and the flat float32 box of all of them.

  A Box is one field, `observation`; a Dict of Boxes has one field per entry, in the order
  of the space.

  Args:
    space: The task's observation space.
    task_id: Name of the task, for messages.

  Raises:
    TaskError: If a field is no Box of numbers.
  """
  parts = space.spaces if isinstance(space, spaces.Dict) else {UNNAMED: space}
  for name, part in parts.items():
    if not isinstance(part, spaces.Box) or 0 in part.shape:
      raise errors.TaskError(
        f'task {task_id!r}: observation field {name!r} is {part}, not a Box of numbers'
      )
  fields = tuple(
    observations.ObservationField(name, int(np.prod(part.shape)))
    for name, part in parts.items()
  )
  low, high = (
    np.concatenate([np.ravel(getattr(part, side)) for part in parts.values()])
    for side in ('low', 'high')
  )
  flat = spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)
  return fields, flat


def flat_batch(observation: Any, fields: observations.Fields) -> np.ndarray:
  """Returns the observations of a vector environment as one array.

  Args:
    observation: An array [B, ...], or a mapping of field names to such arrays.
    fields: Their fields.

  Returns:
    float32 [B, O], a copy.
  """
  parts = (
    [np.asarray(observation[field.name]) for field in fields]
    if isinstance(observation, Mapping)
    else [np.asarray(observation)]
  )
  rows = [part.reshape(len(part), -1) for part in parts]
  return np.concatenate(rows, axis=-1).astype(np.float32)
