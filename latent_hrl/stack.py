"""Whether a layer fits on a task."""

from typing import NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.layers import manifest as manifest_lib


class Interface(NamedTuple):
  """What a layer needs of every task that it acts in, trained or about to be."""

  name: str
  task_id: str
  fields: observations.Fields
  low: np.ndarray
  high: np.ndarray

  def check(self, task: gymnasium.Env) -> None:
    """Raises StackError if the task, or the one inside its wrappers, does not have it."""
    if not task.has_wrapper_attr('fields'):
      raise errors.StackError(
        f'{task} does not name its observation fields; make it with latent_hrl.make_task'
      )
    self.check_parts(
      task.get_wrapper_attr('task_id'), task.get_wrapper_attr('fields'), task.action_space
    )

  def check_parts(
    self, task_id: str, fields: observations.Fields, box: gymnasium.Space
  ) -> None:
    """Raises StackError if a task of these fields and actions does not have it."""
    misfit = (
      f'layer {self.name!r} (trained on {self.task_id}) does not fit task {task_id!r}'
    )
    try:
      observations.indices(fields, self.fields)
    except errors.StackError as error:
      raise errors.StackError(f'{misfit}: {error}') from None
    if not isinstance(box, spaces.Box):
      raise errors.StackError(f'{misfit}: its actions are {box}, not a Box')
    same_size = self.low.shape == box.low.shape
    if not (
      same_size and np.allclose(self.low, box.low) and np.allclose(self.high, box.high)
    ):
      raise errors.StackError(
        f'{misfit}: it acts in the box {_box(self.low, self.high)}, the task takes '
        f'{_box(box.low, box.high)}'
      )


def interface(manifest: manifest_lib.Manifest) -> Interface:
  """Returns that of a saved layer."""
  low = np.asarray(manifest.action_low, np.float32)
  high = np.asarray(manifest.action_high, np.float32)
  return Interface(manifest.name, manifest.task, manifest.fields, low, high)


def check_fits(manifest: manifest_lib.Manifest, task: gymnasium.Env) -> None:
  """Checks that a saved layer can act on a task.

  Args:
    manifest: That of the layer.
    task: A task of `tasks.make_task`, maybe in wrappers.

  Raises:
    StackError: If it is no such task, a field that the layer reads is missing or has
      another size, or the action boxes differ.
  """
  interface(manifest).check(task)


def check_fits_parts(
  manifest: manifest_lib.Manifest,
  task_id: str,
  fields: observations.Fields,
  box: gymnasium.Space,
) -> None:
  """Checks that a saved layer can act on a task that is known by its parts alone.

  Args:
    manifest: That of the layer.
    task_id: Name of the task, for messages.
    fields: Fields of its observation.
    box: Its action space.

  Raises:
    StackError: If it cannot.
  """
  interface(manifest).check_parts(task_id, fields, box)


def _box(low: np.ndarray, high: np.ndarray) -> str:
  if np.all(low == low[0]) and np.all(high == high[0]):
    return f'[{low[0]:g}, {high[0]:g}]^{low.size}'
  return f'[{low.tolist()}, {high.tolist()}]'
