"""Trains one layer from Python, without a gin file."""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import gin

from latent_hrl import config
from latent_hrl import errors
from latent_hrl import rewards
from latent_hrl.environments import making
from latent_hrl.layers import load
from latent_hrl.plan import layer as layer_lib
from latent_hrl.training import train_stack


def train(
  task: making.Source | None = None,
  reward: str | Callable[..., float] = rewards.task_reward,
  env_steps: int = 300_000,
  below: load.SavedLayer | str | pathlib.Path | None = None,
  *,
  name: str = '',
  task_options: Mapping[str, Any] | None = None,
  root_dir: str | pathlib.Path | None = None,
  seed: int = 0,
  settings: Mapping[str, Any] | None = None,
  **layer: Any,
) -> load.SavedLayer:
  """Trains a layer on a task, or on the latents of a trained one, and saves it.

  Called again with the same arguments, it goes on where it was stopped, or returns the
  layer that it finished.

  Args:
    task: Its gymnasium id, an environment or a function that makes one; that of the layer
      below if left out.
    reward: One of `latent_hrl.rewards` or its name, or a function of one's own with the
      decorator `rewards.reward`.
    env_steps: Environment steps to train for.
    below: The trained layer to stand on: itself, its path, or `zoo:` and a name.
    name: Name of the layer; that of the reward if left out.
    task_options: Keyword arguments of the task; those of the layer below if left out and
      the task is its.
    root_dir: Directory of the run; runs/NAME if left out.
    seed: Seed of everything random.
    settings: Values by the names that gin files bind, such as `{'OffPolicy.batch_size':
      128}`, for this training alone (docs/reference.md).
    **layer: Further fields of `latent_hrl.Layer`, such as `interval`.

  Raises:
    LatentHrlError: If anything does not fit; before training starts where it can be known.
  """
  config.register()
  known = None if below is None else load.check(_path(below))
  if task is None:
    if known is None:
      raise errors.ConfigError('train needs a task, or a layer below that has one')
    task = known.task
  if task_options is None and known is not None and task == known.task:
    task_options = known.task_options
  reward_fn = _reward(reward)
  name = name or getattr(reward_fn, '__name__', '')
  values = {f'{name}/{key}': value for key, value in (settings or {}).items()}
  if task_options:
    values['make_task.options'] = dict(task_options)
  with config.bound(values):
    top = layer_lib.Layer(name=name, reward_fn=reward_fn, env_steps=env_steps, **layer)
    layers: list[layer_lib.Layer | train_stack.Trained] = [top]
    if below is not None:
      layers.insert(0, _path(below))
    root_dir = pathlib.Path(root_dir or pathlib.Path('runs') / name)
    return train_stack.train_stack(root_dir, seed, task, layers)


def _path(below: load.SavedLayer | str | pathlib.Path) -> str:
  return str(below.path if isinstance(below, load.SavedLayer) else below)


def _reward(reward: str | Callable[..., float]) -> Callable[..., float]:
  if not isinstance(reward, str):
    return reward
  if reward not in rewards.REWARDS:
    hint = errors.nearest(reward, rewards.REWARDS)
    raise errors.ConfigError(f'there is no reward {reward!r}{hint}')
  return gin.get_configurable(reward)
