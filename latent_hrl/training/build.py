"""From a layer as gin describes it to what trains it."""

import gin
import tensorflow as tf

from latent_hrl import config
from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import run_directory
from latent_hrl.agents import entropy
from latent_hrl.agents import ppo
from latent_hrl.agents import protocol
from latent_hrl.layers import inlining
from latent_hrl.layers import load
from latent_hrl.layers import spec as spec_lib
from latent_hrl.training import draft as draft_lib
from latent_hrl.training import off_policy
from latent_hrl.training import on_policy
from latent_hrl.training import settings as settings_lib
from latent_hrl.training import trainer as trainer_lib


def executed_action(draft: draft_lib.Draft) -> entropy.ExecutedAction:
  """Returns what a layer does through the frozen layers below it."""
  lower = draft.lower
  assert lower is not None
  where = observations.indices(draft.reads, lower.fields)
  below = inlining.inlined(lower.module.forward)
  return entropy.ExecutedAction(
    decode=lambda observation, output: below(
      tf.gather(observation, where, axis=-1), output
    ),
    spec=draft_lib.output_spec(draft.task, lower=None),
  )


def agent(draft: draft_lib.Draft) -> protocol.OffPolicyAgent | ppo.PpoAgent:
  """Builds the agent of a draft, from the gin configuration in scope.

  Args:
    draft: The layer on its task.
  """
  tf.keras.utils.set_random_seed(draft.seeds.weights)
  judges_action = draft.lower is not None and draft.spec.critic == 'action'
  return draft.spec.agent_fn().build(
    draft.time_step_spec,
    draft.output_spec,
    draft.seeds.agent,
    executed_action(draft) if judges_action else None,
  )


def learning(
  draft: draft_lib.Draft,
  config: settings_lib.OffPolicyConfig,
  run: run_directory.RunDirectory,
) -> trainer_lib.Learning:
  """Builds agent and learning of a draft, from the gin configuration in scope.

  Args:
    draft: The layer on its task.
    config: Numbers of learning from a replay.
    run: Directory of the run.
  """
  learner = agent(draft)
  if isinstance(learner, ppo.PpoAgent):
    return on_policy.OnPolicyLearning(draft, learner)
  return off_policy.OffPolicyLearning(draft, learner, config, run)


def trainer(
  layer: spec_lib.Layer,
  loop: settings_lib.LoopConfig,
  off_policy_config: settings_lib.OffPolicyConfig,
  task_id: str,
  lower: load.SavedLayer | None,
  run: run_directory.RunDirectory,
  seed: int,
) -> trainer_lib.Trainer:
  """Builds the trainer of a layer within the layer's gin scope.

  Args:
    layer: The layer.
    loop: How often it evaluates.
    off_policy_config: Numbers of learning from a replay.
    task_id: Task to train on.
    lower: The frozen layer below; None for a bottom layer.
    run: Directory of the run.
    seed: Seed of everything random in this layer's training.

  Raises:
    LatentHrlError: If the layer fits neither task nor lower layer, or a number of the
      agent or its networks is none.
  """
  try:
    with gin.config_scope(layer.name):
      draft = draft_lib.Draft(layer, task_id, lower, run, seed, loop.eval_episodes)
      return trainer_lib.Trainer(draft, learning(draft, off_policy_config, run), loop, run)
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
  with gin.config_scope(layer.name):
    agent_config = layer.agent_fn()
  can = agent_config.judges_actions
  if layer.critic == 'action' and not can:
    raise errors.ConfigError(
      f"{layer.name}/Layer.critic = 'action' is for @create_agent, not for "
      f'@{agent_config.gin_name}'
    )
  # Other agents do not read what a file binds for this one, such as gin/second_layer.gin.
  if agent_config.needs_executed_action and not bottom and layer.critic != 'action':
    raise errors.ConfigError(
      f"{layer.name}/create_agent.entropy_of = 'action' needs {layer.name}/Layer.critic = "
      "'action': only then are the layers below a part of the update"
    )
  if layer.symmetry_fn is None:
    return
  if agent_config.learns_from != 'replay':
    raise errors.ConfigError(
      f'{layer.name}/Layer.symmetry_fn is for agents that learn from a replay, not for '
      f'@{agent_config.gin_name}'
    )
  if not bottom and layer.critic != 'action':
    raise errors.ConfigError(
      f"{layer.name}/Layer.symmetry_fn needs {layer.name}/Layer.critic = 'action': the "
      'symmetry of a robot says nothing about latents'
    )
