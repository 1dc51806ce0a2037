"""From the plan of a layer to what trains it."""

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
from latent_hrl.plan import layer_plan
from latent_hrl.training import off_policy
from latent_hrl.training import on_policy
from latent_hrl.training import seeds as seeds_lib
from latent_hrl.training import trainer as trainer_lib
from latent_hrl.training import training_state


def executed_action(
  plan: layer_plan.LayerPlan, lower: load.SavedLayer
) -> entropy.ExecutedAction:
  """Returns what a layer does through the frozen layers below it."""
  where = observations.indices(plan.reads, lower.fields)
  below = inlining.inlined(lower.module.forward)
  return entropy.ExecutedAction(
    decode=lambda observation, output: below(
      tf.gather(observation, where, axis=-1), output
    ),
    spec=plan.action_spec,
  )


def agent(
  plan: layer_plan.LayerPlan, lower: load.SavedLayer | None, seed: int
) -> protocol.OffPolicyAgent | ppo.PpoAgent:
  """Builds the agent of a layer; arguments are those of `learning`."""
  seeds = seeds_lib.seeds(seed, lower)
  tf.keras.utils.set_random_seed(seeds.weights)
  executed = None
  if lower is not None and plan.judges_action:
    executed = executed_action(plan, lower)
  # Only agents that take commands know the argument.
  command = {'command_size': plan.command_size} if plan.command_size else {}
  # What is bound there of TF-Agents' own classes holds as well.
  with gin.config_scope(plan.name):
    return plan.agent.build(
      plan.time_step_spec, plan.output_spec, seeds.agent, executed, **command
    )


def learning(
  plan: layer_plan.LayerPlan,
  lower: load.SavedLayer | None,
  run: run_directory.RunDirectory,
  seed: int,
) -> off_policy.OffPolicyLearning | on_policy.OnPolicyLearning:
  """Builds the agent of a layer and its way to learn.

  Args:
    plan: The layer.
    lower: The frozen layer below; None for a bottom layer.
    run: Directory of the run.
    seed: Seed of everything random in this layer's training.

  Raises:
    ConfigError: If a number of the agent or its networks is none.
  """
  try:
    learner = agent(plan, lower, seed)
    if isinstance(learner, ppo.PpoAgent):
      state = training_state.TrainingState(plan, lower, learner.actor_network, run, seed)
      return on_policy.OnPolicyLearning(state, learner)
    # The weights to act with, evaluate and save: the learner's as last published.
    acting = learner.actor_network.copy(name='ActingNetwork')
    acting.create_variables()
    state = training_state.TrainingState(plan, lower, acting, run, seed)
    return off_policy.OffPolicyLearning(state, learner, run)
  except (TypeError, ValueError) as error:
    # Nothing has run yet: what networks and agent refuse was bound in gin.
    raise errors.ConfigError(f'layer {plan.name!r}: {config.one_line(error)}') from error


def trainer(
  plan: layer_plan.LayerPlan,
  lower: load.SavedLayer | None,
  run: run_directory.RunDirectory,
  seed: int,
) -> trainer_lib.Trainer:
  """Builds the trainer of a layer; arguments and errors are those of `learning`."""
  return trainer_lib.Trainer(learning(plan, lower, run, seed), run)
