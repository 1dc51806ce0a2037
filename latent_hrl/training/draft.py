"""A layer while it is trained: what it acts on, how it acts, evaluated and saved any time.

Every training loop works on a draft: the loop brings a policy network with weights that
change, the draft everything that does not depend on how they are learned.
"""

import shutil
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts

from latent_hrl import config
from latent_hrl import errors
from latent_hrl import files
from latent_hrl import observations
from latent_hrl import rewards
from latent_hrl import run_directory
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks
from latent_hrl.evaluation import rollout
from latent_hrl.layers import export
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib
from latent_hrl.layers import policy as policy_lib
from latent_hrl.layers import spec as spec_lib
from latent_hrl.networks import policy as network_lib


class Seeds(NamedTuple):
  """One stream for each use, so that none shifts another.

  Attributes:
    weights: Initial weights.
    agent: Noise of the updates.
    replay: Which transitions are drawn.
    noise: Latents and uniform actions of collection.
    env: Episodes of collection.
    evaluation: Episodes of evaluation.
  """

  weights: int
  agent: int
  replay: int
  noise: int
  env: int
  evaluation: int


def _seeds(seed: int, lower: load.SavedLayer | None) -> Seeds:
  streams = np.random.SeedSequence([seed, 0 if lower is None else lower.manifest.depth])
  return Seeds(
    *(int(value) & 0x7FFFFFFF for value in streams.generate_state(len(Seeds._fields)))
  )


def output_spec(task: tasks.Task, lower: load.SavedLayer | None) -> tensor_spec.TensorSpec:
  """Returns the spec of a layer's output: the action box, or the latent of `lower`."""
  box = task.action_space
  if lower is None:
    return tensor_spec.BoundedTensorSpec(box.shape, tf.float32, box.low, box.high, 'action')
  return tf.TensorSpec(box.shape, tf.float32, name='latent')


class Draft:
  """One layer on its task and its frozen lower layers, for a training loop to fill."""

  def __init__(
    self,
    spec: spec_lib.Layer,
    task_id: str,
    lower: load.SavedLayer | None,
    run: run_directory.RunDirectory,
    seed: int,
    eval_episodes: int,
  ):
    """Makes task and environments; nothing runs yet.

    Args:
      spec: The layer.
      task_id: Task to train on.
      lower: The frozen layer below; None for a bottom layer.
      run: Directory of the run.
      seed: Seed of everything random in this layer's training.
      eval_episodes: Episodes of an evaluation, mode policy.

    Raises:
      TaskError: If there is no such task.
      StackError: If the layer reads what the task does not have.
    """
    self.spec = spec
    self.lower = lower
    self.seeds = _seeds(seed, lower)
    self.seed = seed
    self._run = run
    self._eval_episodes = eval_episodes

    self.reward = rewards.bind(spec.reward_fn)
    self.task = tasks.make_task(task_id)
    self.env = layer_reward.LayerReward(self.task, self.reward)
    slots = min(eval_episodes, 10)
    self._eval_envs = rollout.make_slots(task_id, self.task.options, self.reward, slots)

    self.reads = observations.select(self.task.fields, spec.observation_fields)
    self._lower_fields = () if lower is None else lower.fields
    self.fields = observations.merge(self.task.fields, self.reads, self._lower_fields)
    # Where the stack's and the layer's own fields lie in the task's observation.
    self.stack_where = observations.indices(self.task.fields, self.fields)
    self.own_where = observations.indices(self.task.fields, self.reads)
    observation_spec = tf.TensorSpec([observations.total_size(self.reads)], tf.float32)
    self.time_step_spec = ts.time_step_spec(observation_spec)
    self.output_spec = output_spec(self.task, lower)
    self.dimension = self.task.action_space.shape[0]
    self.last_evaluation: dict[str, Any] = {}

  def act_with(self, network: network_lib.PolicyNetwork) -> None:
    """Takes the policy of the layer, whose weights the loop goes on changing."""
    lower = self.lower
    self._module = module_lib.LayerModule(
      network,
      self.fields,
      self.reads,
      lower=None if lower is None else lower.module,
      lower_fields=self._lower_fields,
      interval=self.spec.interval,
      held_below=0 if lower is None else lower.manifest.held_outputs,
    )
    self._eval_policy = self.policy(len(self._eval_envs))

  def policy(self, batch: int) -> policy_lib.SteppedPolicy:
    """Returns the layer on all layers below, for a number of episodes side by side."""
    below = 0 if self.lower is None else self.lower.manifest.held_outputs
    sizes = (observations.total_size(self.fields), self.dimension)
    held_outputs = below + (self.spec.interval > 1)
    return policy_lib.SteppedPolicy(self._module.act, batch, *sizes, held_outputs)

  def evaluate(self) -> dict[str, Any]:
    """Plays the episodes of an evaluation; see `rollout.summarize`."""

    def decode(observation: np.ndarray, latent: np.ndarray, step: np.ndarray) -> np.ndarray:
      return self._eval_policy(observation[:, self.stack_where], latent, step)[1]

    episodes = rollout.run_episodes(
      self._eval_envs, decode, self.dimension, self._eval_episodes, self.seeds.evaluation
    )
    self.last_evaluation = rollout.summarize(episodes)
    return self.last_evaluation

  def manifest(self, env_steps: int) -> manifest_lib.Manifest:
    """Returns the manifest of the layer as it is after `env_steps`."""
    record = manifest_lib.LayerRecord(
      name=self.spec.name,
      reads=tuple(field.name for field in self.reads),
      task=self.task.task_id,
      task_options=self.task.options,
      reward=self.reward.name,
      reward_arguments=self.reward.arguments,
      env_steps=env_steps,
      seed=self.seed,
      evaluation=self.last_evaluation,
      interval=self.spec.interval,
    )
    box = self.task.action_space
    return manifest_lib.Manifest(
      fields=self.fields,
      action_low=tuple(box.low.tolist()),
      action_high=tuple(box.high.tolist()),
      layers=(*(() if self.lower is None else self.lower.records()), record),
      config=config.operative(),
    )

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
        f'layer {self.spec.name!r} has weights that are not finite at step {env_steps:,}; '
        'it is not saved'
      )
    export.export_layer(
      self._module, self.manifest(env_steps), self._run.layer(self.spec.name)
    )
    if best:
      with files.replacing_directory(self._run.best(self.spec.name)) as directory:
        shutil.copytree(self._run.layer(self.spec.name), directory, dirs_exist_ok=True)

  def close(self) -> None:
    """Closes the environments."""
    for env in (self.env, *self._eval_envs):
      env.close()
