"""Latent space policies for hierarchical reinforcement learning on TF-Agents.

Importing this package prepares TensorFlow for TF-Agents 0.19, which is written for
Keras 2, and registers our tasks with gymnasium. It takes a fifth of a second, which is
gymnasium's own: the public names below are loaded on first use.
"""

import contextlib
import importlib
import os
from typing import Any

__version__ = '0.1.0'

# TF-Agents is written for Keras 2, so `tf.keras` has to resolve to tf_keras. TensorFlow
# reads the variable when `tf.keras` is first touched.
if os.environ.setdefault('TF_USE_LEGACY_KERAS', '1') not in ('1', 'true', 'True'):
  raise ImportError(
    'latent_hrl needs TF_USE_LEGACY_KERAS=1 (TF-Agents is written for Keras 2), but the '
    f'environment sets it to {os.environ["TF_USE_LEGACY_KERAS"]!r}.'
  )
# Device probing and CPU feature notices drown the few lines that matter.
TF_LOG_LEVEL = '2'
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', TF_LOG_LEVEL)

with contextlib.suppress(ImportError):
  # TF-Agents imports the unmaintained `gym`, which prints a notice about itself.
  importlib.import_module('gym_notices.notices').notices.clear()

# Registers our tasks with gymnasium, which `import gymnasium` does for its own.
importlib.import_module('latent_hrl.environments')

_PUBLIC = {
  'ConfigError': 'latent_hrl.errors',
  'GymnasiumEnvironment': 'latent_hrl.environments.tf_environment',
  'InputError': 'latent_hrl.errors',
  'LatentActionVectorWrapper': 'latent_hrl.latent_actions_vector',
  'LatentActionWrapper': 'latent_hrl.latent_actions',
  'LatentHrlError': 'latent_hrl.errors',
  'LatentPolicyNetwork': 'latent_hrl.networks.policy',
  'LatentSpaceAgent': 'latent_hrl.agents.latent_space_agent',
  'Layer': 'latent_hrl.plan.layer',
  'LayerLoadError': 'latent_hrl.errors',
  'LayerPolicy': 'latent_hrl.layers.tf_policy',
  'StackError': 'latent_hrl.errors',
  'TaskError': 'latent_hrl.errors',
  'TwinCriticNetwork': 'latent_hrl.networks.critic',
  'create_agent': 'latent_hrl.agents.latent_space',
  'evaluate': 'latent_hrl.evaluation.rollout',
  'load_config': 'latent_hrl.config',
  'load_layer': 'latent_hrl.layers.load',
  'make_task': 'latent_hrl.environments.tasks',
  'train': 'latent_hrl.training.train',
  'train_stack': 'latent_hrl.training.train_stack',
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
  if name == 'zoo':
    return importlib.import_module('latent_hrl.zoo')
  if name not in _PUBLIC:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
  return sorted([*globals(), *_PUBLIC, 'zoo'])
