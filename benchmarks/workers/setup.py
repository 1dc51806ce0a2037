"""Builds what this library trains with, without the launcher around it."""

import pathlib

import gin

from latent_hrl import run_directory
from latent_hrl.layers import load
from latent_hrl.layers import spec
from latent_hrl.training import build
from latent_hrl.training import draft as draft_lib
from latent_hrl.training import off_policy
from latent_hrl.training import settings


def learning(root: pathlib.Path, depth: int) -> off_policy.OffPolicyLearning:
  """Returns the learning of the top layer; those below are saved as they start.

  Args:
    root: Directory of the run.
    depth: How many layers.
  """
  lower, run = None, run_directory.RunDirectory(root)
  loop, numbers = settings.LoopConfig(), settings.OffPolicyConfig()
  for level in range(depth):
    layer = spec.Layer(name=f'layer_{level}', env_steps=10**9)
    task_id = gin.query_parameter('train_stack.task')
    with gin.config_scope('base'):
      draft = draft_lib.Draft(
        layer, task_id, lower, run, seed=level, eval_episodes=loop.eval_episodes
      )
      top = build.learning(draft, numbers, run)
    if level < depth - 1:
      draft.save(env_steps=0)
      lower = load.load_layer(run.layer(layer.name))
      top.close()
      draft.close()
  assert isinstance(top, off_policy.OffPolicyLearning)
  return top
