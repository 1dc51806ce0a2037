"""The one check before training: from what gin describes to a plan for each layer."""

import contextlib
import pathlib
from collections.abc import Sequence

import gin

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl.environments import tasks
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.plan import layer as layer_lib
from latent_hrl.plan import layer_plan
from latent_hrl.plan import stacking


def check(
  layers: Sequence[layer_lib.Layer | str], task_id: str, unchecked_ranges: bool = False
) -> list[layer_plan.LayerPlan | str]:
  """Checks all that can be known before training.

  Args:
    layers: Bottom first: layers to train, and as first entry possibly the path of a trained
      one.
    task_id: The stack's task.
    unchecked_ranges: Whether to take numbers outside of their sensible ranges.

  Returns:
    The plan of each layer; a path stays what it is.

  Raises:
    LatentHrlError: If anything does not fit.
  """
  parameters.check(ranges.OVERRIDE, checks.FLAG, unchecked_ranges)
  parameters.check_bindings(unchecked_ranges)
  known: list[layer_lib.Layer | manifest_lib.Manifest] = [
    load.check(pathlib.Path(layer)) if isinstance(layer, str) else layer for layer in layers
  ]
  plans: list[layer_plan.LayerPlan | str] = []
  below: layer_plan.LayerPlan | manifest_lib.Manifest | None = None
  with contextlib.ExitStack() as closing:
    layer_tasks = [
      closing.enter_context(contextlib.closing(_make_task(layer, task_id)))
      for layer in layers
    ]
    stacking.check_stack(known, layer_tasks)
    for entry, layer, task in zip(layers, known, layer_tasks, strict=True):
      if isinstance(layer, layer_lib.Layer):
        below = layer_plan.plan(layer, task, below)
        plans.append(below)
      else:
        below = layer
        plans.append(str(entry))
  return plans


def _make_task(layer: layer_lib.Layer | str, task_id: str) -> tasks.Task:
  """Makes the task of a layer, the stack's unless it has its own, with its options."""
  if isinstance(layer, str):
    return tasks.make_task(task_id)
  with gin.config_scope(layer.name):
    return tasks.make_task(layer.task or task_id)
