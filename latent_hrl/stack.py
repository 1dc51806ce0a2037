"""Putting layers on a task and on each other: checks, and the latent as action space."""

from collections.abc import Sequence
from typing import NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.environments import tasks
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import spec as spec_lib

# The box of a latent as an action, [-5, 5]^D: five standard deviations of the prior reach
# every action for practical purposes, and most agents want a bounded space.
LATENT_BOUND = 5.0


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
    misfit = (
      f'layer {self.name!r} (trained on {self.task_id}) does not fit task '
      f'{task.get_wrapper_attr("task_id")!r}'
    )
    try:
      observations.indices(task.get_wrapper_attr('fields'), self.fields)
    except errors.StackError as error:
      raise errors.StackError(f'{misfit}: {error}') from None
    low, high = task.action_space.low, task.action_space.high
    same_size = self.low.shape == low.shape
    if not (same_size and np.allclose(self.low, low) and np.allclose(self.high, high)):
      raise errors.StackError(
        f'{misfit}: it acts in the box {_box(self.low, self.high)}, the task takes '
        f'{_box(low, high)}'
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


class LatentActionWrapper(gymnasium.Wrapper):
  """A task whose action is the latent of a frozen layer, so that any agent can act on it.

  The executed action is in `info['action']`.
  """

  def __init__(
    self, task: gymnasium.Env, layer: load.SavedLayer, bound: float | None = LATENT_BOUND
  ):
    """Wraps a task.

    Args:
      task: A task of `make_task`, maybe in wrappers, which the layer has to fit.
      layer: The frozen layer, with all layers below it.
      bound: The latent box is [-bound, bound]^D; None leaves it unbounded.

    Raises:
      StackError: If the layer does not fit the task.
    """
    super().__init__(task)
    check_fits(layer.manifest, task)
    limit = np.inf if bound is None else bound
    self.action_space = spaces.Box(-limit, limit, (layer.dimension,), np.float32)
    self._policy = layer.policy()
    self._indices = observations.indices(task.get_wrapper_attr('fields'), layer.fields)
    self._observation = np.zeros(0, np.float32)  # Until the first reset.
    self._step = np.zeros(1, np.int32)

  def reset(self, *, seed: int | None = None, options: dict | None = None):
    """Starts an episode; see `gymnasium.Env.reset`."""
    self._observation, info = self.env.reset(seed=seed, options=options)
    self._step[:] = 0
    return self._observation, info

  def step(self, latent: np.ndarray):
    """Decodes the latent, float32 [D], and takes a step; see `gymnasium.Env.step`."""
    observation = self._observation[np.newaxis, self._indices]
    latent = np.asarray(latent, np.float32)[np.newaxis]
    action = self._policy(observation, latent, self._step)[1][0]
    self._step += 1
    self._observation, reward, terminated, truncated, info = self.env.step(action)
    return self._observation, reward, terminated, truncated, {**info, 'action': action}
