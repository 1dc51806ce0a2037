"""Trains a stack of layers bottom first, each on the saved one below."""

import contextlib
import pathlib
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import gin
import gymnasium
import numpy as np

from latent_hrl import checks
from latent_hrl import config
from latent_hrl import errors
from latent_hrl import files
from latent_hrl import observations
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl import rewards
from latent_hrl import run_directory
from latent_hrl import stack
from latent_hrl.environments import layer_reward
from latent_hrl.environments import making
from latent_hrl.environments import tasks
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import spec as spec_lib
from latent_hrl.training import build
from latent_hrl.training import checkpoints
from latent_hrl.training import lessons
from latent_hrl.training import metrics
from latent_hrl.training import settings as settings_lib

# A trained layer, or where it is saved.
Trained = load.SavedLayer | str | pathlib.Path
_TASK = checks.Rule(
  'the id of a task in quotes',
  lambda value: isinstance(value, str | gymnasium.Env) or callable(value),
)
_LAYERS = checks.Rule(
  'a list of layers, bottom first',
  lambda value: isinstance(value, list | tuple | spec_lib.Layer | Trained),
)


@parameters.registered
@gin.configurable(denylist=['root_dir', 'seed'])
def train_stack(
  root_dir: str | pathlib.Path,
  seed: int = 0,
  task: Annotated[making.Source, _TASK] = gin.REQUIRED,
  layers: Annotated[Sequence[spec_lib.Layer | Trained], _LAYERS] = gin.REQUIRED,
  unchecked_ranges: Annotated[bool, checks.FLAG] = False,
) -> load.SavedLayer:
  """Trains the layers of a stack one after the other and saves each.

  Run again with the same `root_dir`, finished layers are loaded and an unfinished one goes
  on from its last checkpoint.

  Args:
    root_dir: Directory of the run.
    seed: Seed of the run.
    task: The task of layers that have none of their own: its gymnasium id, a function that
      makes it, or an environment that gymnasium made.
    layers: Bottom first: layers to train, and as first entry possibly a trained one, or its
      path.
    unchecked_ranges: Whether to take numbers outside of their sensible ranges
      (`latent_hrl.ranges`).

  Returns:
    The top layer.

  Raises:
    LatentHrlError: If anything does not fit; before training starts where it can be known.
  """
  root_dir = pathlib.Path(root_dir)
  parameters.check('train_stack.task', _TASK, task)
  parameters.check('train_stack.layers', _LAYERS, layers)
  task = making.registered(task)
  listed = layers if isinstance(layers, list | tuple) else [layers]
  stacked = [_layer_or_path(layer) for layer in listed]
  prepared = check(stacked, task, unchecked_ranges)

  closing = contextlib.ExitStack()
  try:
    return _train(
      run_directory.RunDirectory(root_dir), seed, task, stacked, prepared, closing
    )
  finally:
    closing.close()


def _layer_or_path(entry: Any) -> spec_lib.Layer | str:
  """Returns a layer to train, or where a trained one is saved."""
  if isinstance(entry, load.SavedLayer):
    return str(entry.path)
  if isinstance(entry, pathlib.Path):
    return str(entry)
  if not isinstance(entry, spec_lib.Layer | str):
    raise errors.ConfigError(
      f'train_stack.layers holds {entry!r}; write @NAME/Layer(), with parentheses, or '
      'the path of a saved layer'
    )
  return entry


class Prepared(NamedTuple):
  """A layer that passed the check.

  Attributes:
    loop: How often it evaluates.
    off_policy: Numbers of learning from a replay.
    lesson: What it learns.
  """

  loop: settings_lib.LoopConfig
  off_policy: settings_lib.OffPolicyConfig
  lesson: lessons.Lesson


def _train(
  run: run_directory.RunDirectory,
  seed: int,
  task: str,
  layers: Sequence[spec_lib.Layer | str],
  prepared: dict[str, Prepared],
  closing: contextlib.ExitStack,
) -> load.SavedLayer:
  """Trains what is not finished; `closing` frees the directory."""
  lower: load.SavedLayer | None = None
  log: metrics.MetricsLog | None = None
  for position, layer in enumerate(layers):
    if isinstance(layer, str):
      lower = load.load_layer(layer)
      continue
    task_id = layer.task or task
    loop, off_policy, lesson = prepared[layer.name]
    finished = _finished(run.layer(layer.name), layer, lesson, lower, seed)
    whole = checkpoints.reaches(run.checkpoints(layer.name), layer.env_steps)
    if finished is not None and whole:
      steps = finished.manifest.layers[-1].env_steps
      asked = f', asked for {layer.env_steps:,}' if steps != layer.env_steps else ''
      print(f'{layer.name}: already trained for {steps:,} steps{asked}', flush=True)
      lower = finished
      continue
    if log is None:
      _check_nothing_above(run, layer, layers[position + 1 :])
    trainer = build.trainer(layer, loop, off_policy, task_id, lower, run, seed)
    if log is None:
      with files.told(run.root):
        run.root.mkdir(parents=True, exist_ok=True)
      closing.enter_context(files.lock(run.root))
      for directory in (run.root, run.layers, run.best_layers):
        files.sweep(directory)
      log = metrics.MetricsLog(run, title=f'{task}, seed {seed}')
    try:
      trainer.restore(log)
      files.write_text(run.configuration, config.operative())
      trainer.train(log, _place(layers, position))
    finally:
      trainer.close()
    lower = load.load_layer(run.layer(layer.name))
  assert lower is not None  # check refuses an empty list.
  return lower


def _place(layers: Sequence[spec_lib.Layer | str], position: int) -> metrics.Place:
  """Returns where a layer stands among those that are trained."""
  trained = [layer for layer in layers if isinstance(layer, spec_lib.Layer)]
  above = [layer for layer in layers[position + 1 :] if isinstance(layer, spec_lib.Layer)]
  steps = sum(layer.env_steps for layer in above)
  return metrics.Place(len(trained) - len(above), len(trained), steps)


def _check_nothing_above(
  run: run_directory.RunDirectory,
  layer: spec_lib.Layer,
  above: Sequence[spec_lib.Layer | str],
) -> None:
  """Refuses to train on a layer that others in this directory stand on already."""
  # This configuration need not name them.
  layers = sorted(run.layers.glob('*'))
  standing = [path for path in layers if _stands_on(path, layer.name)]
  for name in (upper.name for upper in above if isinstance(upper, spec_lib.Layer)):
    standing += [run.layer(name), run.checkpoints(name)]
  for path in filter(pathlib.Path.exists, standing):
    raise errors.StackError(
      f'{path} stands on the layer {layer.name!r} of {run.root}, which is not trained '
      f'for {layer.env_steps:,} steps; use another --root_dir'
    )


def _stands_on(path: pathlib.Path, name: str) -> bool:
  """Returns whether a saved layer has one of this name below; a damaged one has not."""
  try:
    return name in [below.name for below in load.check(path).layers[:-1]]
  except errors.LayerLoadError:
    return False


def check(
  layers: Sequence[spec_lib.Layer | str], task_id: str, unchecked_ranges: bool = False
) -> dict[str, Prepared]:
  """Checks all that can be known before training.

  Args:
    layers: As for `train_stack`.
    task_id: The stack's task.
    unchecked_ranges: As for `train_stack`.

  Returns:
    What is to be trained, by layer name.

  Raises:
    LatentHrlError: If anything does not fit.
  """
  parameters.check(ranges.OVERRIDE, checks.FLAG, unchecked_ranges)
  parameters.check_bindings(unchecked_ranges)
  checked: list[spec_lib.Layer | manifest_lib.Manifest] = [
    load.check(pathlib.Path(layer)) if isinstance(layer, str) else layer for layer in layers
  ]
  prepared: dict[str, Prepared] = {}
  below: lessons.Lesson | None = None
  with contextlib.ExitStack() as closing:
    layer_tasks = [
      closing.enter_context(contextlib.closing(_make_task(layer, task_id)))
      for layer in layers
    ]
    stack.check_stack(checked, layer_tasks)
    for layer, task, known in zip(layers, layer_tasks, checked, strict=True):
      if isinstance(known, manifest_lib.Manifest):
        below = lessons.lesson_of(known.layers[-1])
        continue
      assert isinstance(layer, spec_lib.Layer)
      with gin.config_scope(layer.name), config.mistakes():
        loop, off_policy = settings_lib.LoopConfig(), _off_policy(layer, task)
        reward = rewards.bind(layer.reward_fn)
        lesson = lessons.lesson(layer, task, reward, off_policy, bottom=below is None)
        if layer.symmetry_fn is not None:
          layer.symmetry_fn(observations.select(task.fields, layer.observation_fields))
      build.check_critic(layer, bottom=below is None)
      layer_reward.probe(task, reward)
      if layer.inherit:
        lessons.check_inherits(layer.name, lesson, below)
      prepared[layer.name] = Prepared(loop, off_policy, lesson)
      below = lesson
  return prepared


def _make_task(layer: spec_lib.Layer | str, task_id: str) -> tasks.Task:
  """Makes the task of a layer, the stack's unless it has its own, with its options."""
  if isinstance(layer, str):
    return tasks.make_task(task_id)
  with gin.config_scope(layer.name):
    return tasks.make_task(layer.task or task_id)


def _off_policy(layer: spec_lib.Layer, task: tasks.Task) -> settings_lib.OffPolicyConfig:
  settings = settings_lib.OffPolicyConfig()
  if settings.initial_steps < layer.interval:
    raise errors.ConfigError(
      f'{layer.name}/OffPolicy.initial_steps is {settings.initial_steps}, too few for one '
      f'decision of {layer.interval} steps'
    )
  row = task.observation_space.shape[0] + task.action_space.shape[0]
  try:
    np.empty((settings.replay_capacity, row), np.float32)  # Takes no memory till written.
  except (MemoryError, ValueError) as error:
    raise errors.ConfigError(
      f'{layer.name}/OffPolicy.replay_capacity is {settings.replay_capacity:,}: {error}'
    ) from None
  return settings


def _finished(
  path: pathlib.Path,
  layer: spec_lib.Layer,
  lesson: lessons.Lesson,
  lower: load.SavedLayer | None,
  seed: int,
) -> load.SavedLayer | None:
  """Returns the layer saved at `path` if it is what this run would train there."""
  if not (path / manifest_lib.PATH).exists():
    return None
  *below, record = load.check(path).layers
  if tuple(below) != (() if lower is None else lower.records()):
    raise errors.StackError(
      f'{path} holds a layer on top of other lower layers; use another --root_dir'
    )
  different = [*lessons.differences(lesson, lessons.lesson_of(record))]
  if record.seed != seed:
    different.append(('seed', seed, record.seed))
  for what, mine, theirs in different:
    raise errors.ConfigError(
      f'{path} was trained with {what} {theirs!r}, not {mine!r}; use another --root_dir'
    )
  return load.load_layer(path) if record.env_steps >= layer.env_steps else None
