"""Putting layers on a task and on each other: checks, and the latent as action space."""

from collections.abc import Sequence

import gymnasium
import numpy as np
from gymnasium import spaces

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.environments import tasks
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import spec as spec_lib


def check_fits(manifest: manifest_lib.Manifest, task: tasks.Task) -> None:
  """Checks that a saved layer can act on a task.

  Raises:
    StackError: If a field that the layer reads is missing or has another size, or the
      action boxes differ.
  """
  try:
    observations.indices(task.fields, manifest.fields)
  except errors.StackError as error:
    raise errors.StackError(
      f'layer {manifest.name!r} (trained on {manifest.task}) does not fit task '
      f'{task.task_id!r}: {error}'
    ) from None
  box = (task.action_space.low, task.action_space.high)
  own = (
    np.asarray(manifest.action_low, np.float32),
    np.asarray(manifest.action_high, np.float32),
  )
  same_size = own[0].shape == box[0].shape
  if not same_size or not all(np.allclose(a, b) for a, b in zip(own, box, strict=True)):
    raise errors.StackError(
      f'layer {manifest.name!r} (trained on {manifest.task}) does not fit task '
      f'{task.task_id!r}: it acts in the box {_box(*own)}, the task takes {_box(*box)}'
    )


def check_stack(
  layers: Sequence[spec_lib.Layer | manifest_lib.Manifest], task: tasks.Task
) -> None:
  """Checks a stack, bottom first, before anything trains.

  A trained layer embeds all layers below it, so it can only be the bottom entry.

  Raises:
    ConfigError: If the list is empty or holds a name twice.
    StackError: If the layers do not fit the task or each other.
  """
  if not layers:
    raise errors.ConfigError('train_stack.layers is empty; list the layers, bottom first')
  names = [layer.name for layer in layers]
  for name in names:
    if names.count(name) > 1:
      raise errors.ConfigError(f'two layers of the stack are called {name!r}')
  for position, layer in enumerate(layers):
    if isinstance(layer, spec_lib.Layer):
      observations.select(task.fields, layer.observation_fields)
    elif position:
      raise errors.StackError(
        f'the trained layer {layer.name!r} stands above {names[position - 1]!r}; a trained '
        'layer brings its lower layers along and can only be the first of the list'
      )
    else:
      check_fits(layer, task)


def _box(low: np.ndarray, high: np.ndarray) -> str:
  if np.all(low == low[0]) and np.all(high == high[0]):
    return f'[{low[0]:g}, {high[0]:g}]^{low.size}'
  return f'[{low.tolist()}, {high.tolist()}]'


class LatentActionWrapper(gymnasium.Wrapper):
  """A task whose action is the latent of a frozen layer, so that any agent can act on it.

  The executed action is in `info['action']`.
  """

  def __init__(self, task: tasks.Task, layer: load.SavedLayer, bound: float | None = 5.0):
    """Wraps a task.

    Args:
      task: The task, which the layer has to fit.
      layer: The frozen layer, with all layers below it.
      bound: The latent box is [-bound, bound]^D; None leaves it unbounded. Five standard
        deviations of the prior reach every action for practical purposes, and most agents
        want a bounded space.

    Raises:
      StackError: If the layer does not fit the task.
    """
    super().__init__(task)
    check_fits(layer.manifest, task)
    limit = np.inf if bound is None else bound
    self.action_space = spaces.Box(-limit, limit, (layer.dimension,), np.float32)
    self._layer = layer
    self._indices = observations.indices(task.fields, layer.fields)
    self._observation = np.zeros(task.observation_space.shape, np.float32)

  def reset(self, *, seed: int | None = None, options: dict | None = None):
    """Starts an episode; see `gymnasium.Env.reset`."""
    self._observation, info = self.env.reset(seed=seed, options=options)
    return self._observation, info

  def step(self, latent: np.ndarray):
    """Decodes the latent, float32 [D], and takes a step; see `gymnasium.Env.step`."""
    action = self._layer.act(self._observation[self._indices], latent)
    self._observation, reward, terminated, truncated, info = self.env.step(action)
    return self._observation, reward, terminated, truncated, {**info, 'action': action}
