"""A layer while it is trained: how it acts, evaluated and saved any time.

Every way to learn works on one: it brings a policy network with weights that change, the
state everything that does not depend on how they are learned.
"""

import shutil
from typing import Any

import numpy as np

from latent_hrl import config
from latent_hrl import errors
from latent_hrl import files
from latent_hrl import observations
from latent_hrl import run_directory
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import rollout
from latent_hrl.layers import export
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib
from latent_hrl.layers import policy as policy_lib
from latent_hrl.networks import policy as network_lib
from latent_hrl.plan import layer_plan
from latent_hrl.training import seeds as seeds_lib


class TrainingState:
  """One layer on its task and its frozen lower layers, with the weights of the moment.

  Attributes:
    plan: What is trained.
    lower: The frozen layer below; None for a bottom layer.
    network: The policy of the layer, whose weights learning goes on changing.
    seed: Seed of everything random in this layer's training.
    seeds: The streams that follow from it.
    env: The task with the layer's reward, to collect in.
    stack_where: Where the fields of the whole stack lie in the task's observation.
    own_where: Where those lie that the layer reads.
    dimension: D, the size of latent and action.
    last_evaluation: Measures of the last evaluation; empty before the first.
  """

  def __init__(
    self,
    plan: layer_plan.LayerPlan,
    lower: load.SavedLayer | None,
    network: network_lib.PolicyNetwork,
    run: run_directory.RunDirectory,
    seed: int,
  ):
    """Makes the environments; nothing runs yet.

    Args:
      plan: What is trained.
      lower: The frozen layer below; None for a bottom layer.
      network: The policy to act with.
      run: Directory of the run.
      seed: Seed of everything random in this layer's training.

    Raises:
      TaskError: If the task cannot be made.
    """
    self.plan = plan
    self.lower = lower
    self.network = network
    self.seed = seed
    self.seeds = seeds_lib.seeds(seed, lower)
    self._run = run

    task = plan.task
    made = tasks.make_task(task.task_id, options=task.options)
    self.env = layer_reward.LayerReward(made, plan.reward)
    slots = min(plan.loop.eval_episodes, 10)
    self._eval_envs = rollout.make_slots(task.task_id, task.options, plan.reward, slots)

    self.stack_where = observations.indices(task.fields, plan.fields)
    self.own_where = observations.indices(task.fields, plan.reads)
    self.dimension = task.box.shape[0]
    self.last_evaluation: dict[str, Any] = {}
    self._module = module_lib.LayerModule(
      network,
      plan.fields,
      plan.reads,
      lower=None if lower is None else lower.module,
      lower_fields=() if lower is None else lower.fields,
      interval=plan.layer.interval,
      held_below=0 if lower is None else lower.manifest.held_outputs,
    )
    self._eval_policy = self.policy(slots)

  def policy(self, batch: int) -> policy_lib.SteppedPolicy:
    """Returns the layer on all layers below, for a number of episodes side by side."""
    below = 0 if self.lower is None else self.lower.manifest.held_outputs
    sizes = (observations.total_size(self.plan.fields), self.dimension)
    held_outputs = below + (self.plan.layer.interval > 1)
    return policy_lib.SteppedPolicy(self._module.act, batch, *sizes, held_outputs)

  def evaluate(self) -> dict[str, Any]:
    """Plays the episodes of an evaluation; see `episodes.summarize`."""

    def decode(observation: np.ndarray, latent: np.ndarray, step: np.ndarray) -> np.ndarray:
      return self._eval_policy(observation[:, self.stack_where], latent, step)[1]

    episodes = rollout.run_episodes(
      self._eval_envs,
      decode,
      self.dimension,
      self.plan.loop.eval_episodes,
      self.seeds.evaluation,
      latents='mode' if self.plan.command is None else 'command',
      commander=self.plan.commander,
    )
    self.last_evaluation = episodes_lib.summarize(episodes)
    return self.last_evaluation

  def manifest(self, env_steps: int) -> manifest_lib.Manifest:
    """Returns the manifest of the layer as it is after `env_steps`."""
    record = manifest_lib.LayerRecord(
      name=self.plan.name,
      reads=tuple(field.name for field in self.plan.reads),
      task=self.plan.task.task_id,
      task_options=self.plan.task.options,
      reward=self.plan.reward.name,
      reward_arguments=self.plan.reward.arguments,
      env_steps=env_steps,
      seed=self.seed,
      evaluation=self.last_evaluation,
      interval=self.plan.layer.interval,
      command=self._command_record(),
    )
    box = self.plan.task.box
    return manifest_lib.Manifest(
      fields=self.plan.fields,
      action_low=tuple(box.low.tolist()),
      action_high=tuple(box.high.tolist()),
      layers=(*(() if self.lower is None else self.lower.records()), record),
      config=config.operative(),
    )

  def _command_record(self) -> dict[str, Any] | None:
    command, told = self.plan.command, self.plan.layer.command
    if command is None or told is None:
      return None
    return {
      'entries': [entry._asdict() for entry in command.entries],
      'redraw_probability': told.redraw_probability,
    }

  def save(self, env_steps: int, best: bool = False) -> None:
    """Writes the layer to its directory, replacing what is there in one step.

    Args:
      env_steps: Environment steps so far.
      best: Whether it is the best so far, which a copy is kept of.

    Raises:
      LatentHrlError: If a weight is not finite; nothing is written then.
    """
    if not all(np.isfinite(variable).all() for variable in self._module.variables):
      raise errors.LatentHrlError(
        f'layer {self.plan.name!r} has weights that are not finite at step {env_steps:,}; '
        'it is not saved'
      )
    export.export_layer(
      self._module, self.manifest(env_steps), self._run.layer(self.plan.name)
    )
    if best:
      with files.replacing_directory(self._run.best(self.plan.name)) as directory:
        shutil.copytree(self._run.layer(self.plan.name), directory, dirs_exist_ok=True)

  def close(self) -> None:
    """Closes the environments."""
    for env in (self.env, *self._eval_envs):
      env.close()
