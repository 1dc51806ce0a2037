"""From a layer as gin describes it to what trains it."""

import inspect
import pathlib

import gin
import tensorflow as tf

from latent_hrl import agent_protocol
from latent_hrl import agents
from latent_hrl import config
from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.baselines import ppo
from latent_hrl.layers import inlining
from latent_hrl.layers import load
from latent_hrl.layers import spec as spec_lib
from latent_hrl.training import draft as draft_lib
from latent_hrl.training import off_policy
from latent_hrl.training import on_policy
from latent_hrl.training import settings as settings_lib
from latent_hrl.training import trainer as trainer_lib


def executed_action(draft: draft_lib.Draft) -> agents.ExecutedAction:
  """Returns what a layer does through the frozen layers below it."""
  lower = draft.lower
  assert lower is not None
  where = observations.indices(draft.reads, lower.fields)
  below = inlining.inlined(lower.module.forward)
  return agents.ExecutedAction(
    decode=lambda observation, output: below(
      tf.gather(observation, where, axis=-1), output
    ),
    spec=draft_lib.output_spec(draft.task, lower=None),
  )


def agent(draft: draft_lib.Draft) -> agent_protocol.OffPolicyAgent | ppo.PpoBaseline:
  """Builds the agent of a draft, from the gin configuration in scope.

  Args:
    draft: The layer on its task.
  """
  tf.keras.utils.set_random_seed(draft.seeds.weights)
  more = {}
  if draft.lower is not None and draft.spec.critic == 'action':
    more['executed_action'] = executed_action(draft)
  return draft.spec.agent_fn(
    draft.time_step_spec, draft.output_spec, seed=draft.seeds.agent, **more
  )


def learning(
  draft: draft_lib.Draft,
  settings: settings_lib.TrainerSettings,
  root_dir: pathlib.Path,
) -> trainer_lib.Learning:
  """Builds agent and learning of a draft, from the gin configuration in scope.

  Args:
    draft: The layer on its task.
    settings: Numbers of the loop.
    root_dir: Directory of the run.
  """
  learner = agent(draft)
  if isinstance(learner, ppo.PpoBaseline):
    return on_policy.OnPolicyLearning(draft, learner)
  return off_policy.OffPolicyLearning(draft, learner, settings, root_dir)


def trainer(
  layer: spec_lib.Layer,
  settings: settings_lib.TrainerSettings,
  task_id: str,
  lower: load.SavedLayer | None,
  root_dir: pathlib.Path,
  seed: int,
) -> trainer_lib.Trainer:
  """Builds the trainer of a layer within the layer's gin scope.

  Args:
    layer: The layer.
    settings: Numbers of the loop.
    task_id: Task to train on.
    lower: The frozen layer below; None for a bottom layer.
    root_dir: Directory of the run.
    seed: Seed of everything random in this layer's training.

  Raises:
    LatentHrlError: If the layer fits neither task nor lower layer, or a number of the
      agent or its networks is none.
  """
  layer_dir = root_dir / 'layers' / layer.name
  try:
    with gin.config_scope(layer.name):
      draft = draft_lib.Draft(
        layer, task_id, lower, layer_dir, seed, settings.eval_episodes
      )
      return trainer_lib.Trainer(
        draft, learning(draft, settings, root_dir), settings, root_dir
      )
  except (TypeError, ValueError) as error:
    # Nothing has run yet: what networks and agent refuse was bound in gin.
    raise errors.ConfigError(f'layer {layer.name!r}: {config.one_line(error)}') from error


def check_critic(layer: spec_lib.Layer, bottom: bool) -> None:
  """Checks that the layer's agent can learn from actions, if it is to.

  Args:
    layer: The layer.
    bottom: Whether there is no layer below it.

  Raises:
    ConfigError: If it cannot.
  """
  can = 'executed_action' in inspect.signature(layer.agent_fn).parameters
  if layer.critic == 'action' and not can:
    raise errors.ConfigError(
      f"{layer.name}/Layer.critic = 'action' is for @create_agent, not for "
      f'@{layer.agent_fn.__name__}'
    )
  with gin.config_scope(layer.name):
    entropy_of = gin.get_bindings('create_agent').get('entropy_of')
  # Other agents do not read what a file binds for this one, such as gin/second_layer.gin.
  if can and entropy_of == 'action' and not bottom and layer.critic != 'action':
    raise errors.ConfigError(
      f"{layer.name}/create_agent.entropy_of = 'action' needs {layer.name}/Layer.critic = "
      "'action': only then are the layers below a part of the update"
    )
  if layer.symmetry_fn is None:
    return
  if layer.agent_fn is ppo.ppo_agent:
    raise errors.ConfigError(
      f'{layer.name}/Layer.symmetry_fn is for agents that learn from a replay, not for '
      '@ppo_agent'
    )
  if not bottom and layer.critic != 'action':
    raise errors.ConfigError(
      f"{layer.name}/Layer.symmetry_fn needs {layer.name}/Layer.critic = 'action': the "
      'symmetry of a robot says nothing about latents'
    )
