"""Builds what this library trains with, without the launcher around it."""

import pathlib

import gin

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
  lower = None
  loop, numbers = settings.LoopConfig(), settings.OffPolicyConfig()
  for level in range(depth):
    layer = spec.Layer(name=f'layer_{level}', env_steps=10**9)
    layer_dir = root / 'layers' / layer.name
    task_id = gin.query_parameter('train_stack.task')
    with gin.config_scope('base'):
      draft = draft_lib.Draft(
        layer, task_id, lower, layer_dir, seed=level, eval_episodes=loop.eval_episodes
      )
      top = build.learning(draft, numbers, root)
    if level < depth - 1:
      draft.save(env_steps=0)
      lower = load.load_layer(layer_dir)
      top.close()
      draft.close()
  assert isinstance(top, off_policy.OffPolicyLearning)
  return top
