"""Builds what this library trains with, without the launcher around it."""

import dataclasses
import pathlib
from typing import Any, cast

import attrs
import gin

from latent_hrl import run_directory
from latent_hrl.layers import load
from latent_hrl.plan import check
from latent_hrl.plan import layer as layer_lib
from latent_hrl.plan import layer_plan
from latent_hrl.training import build
from latent_hrl.training import off_policy


def learning(root: pathlib.Path, depth: int) -> off_policy.OffPolicyLearning:
  """Returns the learning of the top layer; those below are saved as they start.

  Args:
    root: Directory of the run.
    depth: How many layers.
  """
  lower: load.SavedLayer | None = None
  run = run_directory.RunDirectory(root)
  task = gin.query_parameter('train_stack.task')
  layer = layer_lib.Layer(name='base', env_steps=10**9)
  for level in range(depth):
    below = [] if lower is None else [str(lower.path)]
    *_, plan = check.check([*below, layer], task)
    assert isinstance(plan, layer_plan.LayerPlan)
    # With what is bound for the base, and a name of its own.
    named: Any = attrs.evolve(cast(Any, layer), name=f'layer_{level}')
    top = build.learning(dataclasses.replace(plan, layer=named), lower, run, seed=level)
    if level < depth - 1:
      top.state.save(env_steps=0)
      lower = load.load_layer(run.layer(named.name))
      top.close()
      top.state.close()
  assert isinstance(top, off_policy.OffPolicyLearning)
  return top
