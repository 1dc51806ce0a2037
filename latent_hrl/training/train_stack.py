"""Trains a stack of layers bottom first, each on the saved one below."""

import contextlib
import pathlib
from collections.abc import Sequence
from typing import Annotated, Any

import gin
import gymnasium

from latent_hrl import checks
from latent_hrl import config
from latent_hrl import errors
from latent_hrl import files
from latent_hrl import parameters
from latent_hrl import run_directory
from latent_hrl.environments import making
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.plan import check as check_lib
from latent_hrl.plan import identity
from latent_hrl.plan import layer as layer_lib
from latent_hrl.plan import layer_plan
from latent_hrl.training import build
from latent_hrl.training import checkpoints
from latent_hrl.training import metrics

# A trained layer, or where it is saved.
Trained = load.SavedLayer | str | pathlib.Path
_TASK = checks.Rule(
  'the id of a task in quotes',
  lambda value: isinstance(value, str | gymnasium.Env) or callable(value),
)
_LAYERS = checks.Rule(
  'a list of layers, bottom first',
  lambda value: isinstance(value, list | tuple | layer_lib.Layer | Trained),
)


@parameters.registered
@gin.configurable(denylist=['root_dir', 'seed'])
def train_stack(
  root_dir: str | pathlib.Path,
  seed: int = 0,
  task: Annotated[making.Source, _TASK] = gin.REQUIRED,
  layers: Annotated[Sequence[layer_lib.Layer | Trained], _LAYERS] = gin.REQUIRED,
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
  plans = check_lib.check(stacked, task, unchecked_ranges)

  closing = contextlib.ExitStack()
  try:
    title = f'{task}, seed {seed}'
    return _train(run_directory.RunDirectory(root_dir), seed, title, plans, closing)
  finally:
    closing.close()


def _layer_or_path(entry: Any) -> layer_lib.Layer | str:
  """Returns a layer to train, or where a trained one is saved."""
  if isinstance(entry, load.SavedLayer):
    return str(entry.path)
  if isinstance(entry, pathlib.Path):
    return str(entry)
  if not isinstance(entry, layer_lib.Layer | str):
    raise errors.ConfigError(
      f'train_stack.layers holds {entry!r}; write @NAME/Layer(), with parentheses, or '
      'the path of a saved layer'
    )
  return entry


def _train(
  run: run_directory.RunDirectory,
  seed: int,
  title: str,
  plans: Sequence[layer_plan.LayerPlan | str],
  closing: contextlib.ExitStack,
) -> load.SavedLayer:
  """Trains what is not finished; `closing` frees the directory."""
  lower: load.SavedLayer | None = None
  log: metrics.MetricsLog | None = None
  for position, plan in enumerate(plans):
    if isinstance(plan, str):
      lower = load.load_layer(plan)
      continue
    env_steps = plan.layer.env_steps
    finished = _finished(run.layer(plan.name), plan, lower, seed)
    whole = checkpoints.reaches(run.checkpoints(plan.name), env_steps)
    if finished is not None and whole:
      steps = finished.manifest.layers[-1].env_steps
      asked = f', asked for {env_steps:,}' if steps != env_steps else ''
      print(f'{plan.name}: already trained for {steps:,} steps{asked}', flush=True)
      lower = finished
      continue
    if log is None:
      _check_nothing_above(run, plan, plans[position + 1 :])
    trainer = build.trainer(plan, lower, run, seed)
    if log is None:
      with files.told(run.root):
        run.root.mkdir(parents=True, exist_ok=True)
      closing.enter_context(files.lock(run.root))
      for directory in (run.root, run.layers, run.best_layers):
        files.sweep(directory)
      log = metrics.MetricsLog(run, title)
    try:
      trainer.restore(log)
      files.write_text(run.configuration, config.operative())
      trainer.train(log, _place(plans, position))
    finally:
      trainer.close()
    lower = load.load_layer(run.layer(plan.name))
  assert lower is not None  # check refuses an empty list.
  return lower


def _place(plans: Sequence[layer_plan.LayerPlan | str], position: int) -> metrics.Place:
  """Returns where a layer stands among those that are trained."""
  trained, above = _plans(plans), _plans(plans[position + 1 :])
  steps = sum(plan.layer.env_steps for plan in above)
  return metrics.Place(len(trained) - len(above), len(trained), steps)


def _plans(entries: Sequence[layer_plan.LayerPlan | str]) -> list[layer_plan.LayerPlan]:
  """Returns the layers to train among those of a stack."""
  return [entry for entry in entries if isinstance(entry, layer_plan.LayerPlan)]


def _check_nothing_above(
  run: run_directory.RunDirectory,
  plan: layer_plan.LayerPlan,
  above: Sequence[layer_plan.LayerPlan | str],
) -> None:
  """Refuses to train on a layer that others in this directory stand on already."""
  # This configuration need not name them.
  layers = sorted(run.layers.glob('*'))
  standing = [path for path in layers if _stands_on(path, plan.name)]
  for upper in _plans(above):
    standing += [run.layer(upper.name), run.checkpoints(upper.name)]
  for path in filter(pathlib.Path.exists, standing):
    raise errors.StackError(
      f'{path} stands on the layer {plan.name!r} of {run.root}, which is not trained '
      f'for {plan.layer.env_steps:,} steps; use another --root_dir'
    )


def _stands_on(path: pathlib.Path, name: str) -> bool:
  """Returns whether a saved layer has one of this name below; a damaged one has not."""
  try:
    return name in [below.name for below in load.check(path).layers[:-1]]
  except errors.LayerLoadError:
    return False


def _finished(
  path: pathlib.Path,
  plan: layer_plan.LayerPlan,
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
  different = [*identity.differences(plan.identity, identity.of_record(record))]
  if record.seed != seed:
    different.append(('seed', seed, record.seed))
  for what, mine, theirs in different:
    raise errors.ConfigError(
      f'{path} was trained with {what} {theirs!r}, not {mine!r}; use another --root_dir'
    )
  return load.load_layer(path) if record.env_steps >= plan.layer.env_steps else None
