"""Trains a stack of layers bottom first, each on the saved one below."""

import pathlib
from collections.abc import Sequence

import gin

from latent_hrl import errors
from latent_hrl import files
from latent_hrl import stack
from latent_hrl.environments import tasks
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import spec as spec_lib
from latent_hrl.training import metrics
from latent_hrl.training import trainer as trainer_lib


@gin.configurable(denylist=['root_dir', 'seed'])
def train_stack(
  root_dir: str | pathlib.Path,
  seed: int = 0,
  task: str = gin.REQUIRED,
  layers: Sequence[spec_lib.Layer | str] = gin.REQUIRED,
) -> load.SavedLayer:
  """Trains the layers of a stack one after the other and saves each.

  Run again with the same `root_dir`, finished layers are loaded and an unfinished one goes
  on from its last checkpoint.

  Args:
    root_dir: Directory of the run (design.md, section 5, has its files).
    seed: Seed of the run.
    task: Gymnasium id of the task.
    layers: Bottom first: layers to train, and as first entry possibly the path of a
      trained one.

  Returns:
    The top layer.

  Raises:
    LatentHrlError: If anything does not fit; before training starts where it can be known.
  """
  root_dir = pathlib.Path(root_dir)
  if isinstance(layers, str | spec_lib.Layer):
    layers = [layers]
  for layer in layers:
    if not isinstance(layer, spec_lib.Layer | str):
      raise errors.ConfigError(
        f'train_stack.layers holds {layer!r}; write @NAME/Layer(), with parentheses, or the '
        'path of a saved layer'
      )
  probe = tasks.make_task(task)
  checked = [load.check(pathlib.Path(x)) if isinstance(x, str) else x for x in layers]
  stack.check_stack(checked, probe)
  probe.close()

  lower: load.SavedLayer | None = None
  log: metrics.MetricsLog | None = None
  for layer in layers:
    if isinstance(layer, str):
      lower = load.load_layer(layer)
      continue
    finished = _finished(root_dir / 'layers' / layer.name, layer, lower)
    if finished is not None:
      print(f'{layer.name}: already trained for {layer.env_steps:,} steps', flush=True)
      lower = finished
      continue
    with gin.config_scope(layer.name):
      trainer = trainer_lib.Trainer(layer, task, lower, root_dir, seed)
    if log is None:
      root_dir.mkdir(parents=True, exist_ok=True)
      log = metrics.MetricsLog(root_dir, title=f'{task}, seed {seed}')
    files.write_text(root_dir / 'operative_config.gin', gin.operative_config_str())
    try:
      trainer.train(log)
    finally:
      trainer.close()
    lower = load.load_layer(root_dir / 'layers' / layer.name)
  return lower


def _finished(
  path: pathlib.Path, layer: spec_lib.Layer, lower: load.SavedLayer | None
) -> load.SavedLayer | None:
  """Returns the layer saved at `path` if it is what this run would train there."""
  if not (path / manifest_lib.PATH).exists():
    return None
  saved = load.load_layer(path)
  below = () if lower is None else lower.records()
  if saved.manifest.layers[-1].env_steps < layer.env_steps:
    return None
  if saved.manifest.layers[:-1] != below:
    raise errors.StackError(
      f'{path} holds a layer trained on top of other layers; use another --root_dir'
    )
  return saved
