"""Whether layers fit on a task and on each other."""

from collections.abc import Sequence
from typing import NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.environments import tasks
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import spec as spec_lib


class _Interface(NamedTuple):
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


def _interface(manifest: manifest_lib.Manifest) -> _Interface:
  low = np.asarray(manifest.action_low, np.float32)
  high = np.asarray(manifest.action_high, np.float32)
  return _Interface(manifest.name, manifest.task, manifest.fields, low, high)


def check_fits(manifest: manifest_lib.Manifest, task: gymnasium.Env) -> None:
  """Checks that a saved layer can act on a task.

  Args:
    manifest: That of the layer.
    task: A task of `tasks.make_task`, maybe in wrappers.

  Raises:
    StackError: If it is no such task, a field that the layer reads is missing or has
      another size, or the action boxes differ.
  """
  _interface(manifest).check(task)


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
  _interface(manifest).check_parts(task_id, fields, box)


def check_stack(
  layers: Sequence[spec_lib.Layer | manifest_lib.Manifest],
  layer_tasks: Sequence[tasks.Task],
) -> None:
  """Checks a stack, bottom first, before anything trains.

  A trained layer embeds all layers below it, so it can only be the bottom entry.

  Args:
    layers: The stack.
    layer_tasks: The task of each layer to train; the stack's for a trained one.

  Raises:
    ConfigError: If the list is empty, holds a name twice, or an interval does not fit.
    StackError: If the layers do not fit their tasks or each other.
  """
  if not layers:
    raise errors.ConfigError('train_stack.layers is empty; list the layers, bottom first')
  names = [layer.name for layer in layers]
  for name in names:
    if names.count(name) > 1:
      raise errors.ConfigError(f'two layers of the stack are called {name!r}')
  below: list[_Interface] = []
  interval = 1
  for position, (layer, task) in enumerate(zip(layers, layer_tasks, strict=True)):
    if isinstance(layer, spec_lib.Layer):
      for interface in below:
        interface.check(task)
      try:
        fields = observations.select(task.fields, layer.observation_fields)
      except errors.StackError as error:
        raise errors.StackError(f'{layer.name}/Layer.observation_fields: {error}') from None
      box = (task.action_space.low, task.action_space.high)
      if layer.critic == 'action':
        _check_sees(layer.name, fields, below)
      below.append(_Interface(layer.name, task.task_id, fields, *box))
      if not position and layer.interval > 1:
        raise errors.ConfigError(
          f'{layer.name}/Layer.interval is {layer.interval}, but a bottom layer acts every '
          'step'
        )
      if layer.interval % interval:
        raise errors.ConfigError(
          f'{layer.name}/Layer.interval is {layer.interval}, no multiple of the {interval} '
          'steps of the layer below'
        )
      interval = layer.interval
    elif position:
      raise errors.StackError(
        f'the trained layer {layer.name!r} stands above {names[position - 1]!r}; a trained '
        'layer brings its lower layers along and can only be the first of the list'
      )
    else:
      below.append(_interface(layer))
      if len(layers) == 1:
        check_fits(layer, task)  # Layers on top of it have tasks of their own to fit.
      interval = layer.layers[-1].interval


def _check_sees(
  name: str, fields: observations.Fields, below: Sequence[_Interface]
) -> None:
  """Checks that a layer reads all that the layers below do."""
  for interface in below:
    try:
      observations.indices(fields, interface.fields)
    except errors.StackError as error:
      raise errors.StackError(
        f"layer {name!r} with critic = 'action' must read what layer {interface.name!r} "
        f'below it reads: {error}'
      ) from None


def _box(low: np.ndarray, high: np.ndarray) -> str:
  if np.all(low == low[0]) and np.all(high == high[0]):
    return f'[{low[0]:g}, {high[0]:g}]^{low.size}'
  return f'[{low.tolist()}, {high.tolist()}]'
