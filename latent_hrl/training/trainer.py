"""Trains one layer: collection and updates in turn, evaluation, checkpoints, export."""

import pathlib
import time
from typing import Any

import gin
import numpy as np
import tensorflow as tf
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts

from latent_hrl import agents
from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import rewards
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks
from latent_hrl.evaluation import rollout
from latent_hrl.layers import export
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib
from latent_hrl.layers import spec as spec_lib
from latent_hrl.training import checkpoints as checkpoints_lib
from latent_hrl.training import metrics
from latent_hrl.training import replay as replay_lib
from latent_hrl.training import settings as settings_lib
from latent_hrl.training import updates


def output_spec(task: tasks.Task, lower: load.SavedLayer | None) -> tensor_spec.TensorSpec:
  """Returns the spec of a layer's output: the action box, or the latent of `lower`."""
  box = task.action_space
  if lower is None:
    return tensor_spec.BoundedTensorSpec(box.shape, tf.float32, box.low, box.high, 'action')
  return tf.TensorSpec(box.shape, tf.float32, name='latent')


class Trainer:
  """Trains one layer on a task, on top of frozen lower layers."""

  def __init__(
    self,
    spec: spec_lib.Layer,
    settings: settings_lib.TrainerSettings,
    task_id: str,
    lower: load.SavedLayer | None,
    root_dir: pathlib.Path,
    seed: int,
  ):
    """Builds everything; nothing runs yet.

    Args:
      spec: The layer.
      settings: Numbers of the loop.
      task_id: Task to train on.
      lower: The frozen layer below; None for a bottom layer.
      root_dir: Directory of the run.
      seed: Seed of everything random in this layer's training.

    Raises:
      TaskError: If there is no such task.
      StackError: If the layer reads what the task does not have.
    """
    self._spec = spec
    self._lower = lower
    self._settings = settings
    self._layer_dir = root_dir / 'layers' / spec.name
    self._seed = seed
    # One stream for each use, so that none shifts another.
    streams = np.random.SeedSequence([seed, 0 if lower is None else lower.manifest.depth])
    weight_seed, agent_seed, replay_seed, noise_seed, env_seed, eval_seed = (
      int(value) & 0x7FFFFFFF for value in streams.generate_state(6)
    )
    self._rng = np.random.default_rng(noise_seed)
    self._env_seed: int | None = env_seed
    self._eval_seed = eval_seed

    self._reward = rewards.bind(spec.reward_fn)
    self._task = tasks.make_task(task_id)
    self._dimension = self._task.action_space.shape[0]
    self._env = layer_reward.LayerReward(self._task, self._reward)
    slots = min(settings.eval_episodes, 10)
    self._eval_envs = rollout.make_slots(task_id, self._task.options, self._reward, slots)

    reads = observations.select(self._task.fields, spec.observation_fields)
    lower_fields = () if lower is None else lower.fields
    fields = observations.merge(self._task.fields, reads, lower_fields)
    self._stack_where = observations.indices(self._task.fields, fields)
    self._own_where = observations.indices(self._task.fields, reads)
    self._fields, self._reads = fields, reads

    tf.keras.utils.set_random_seed(weight_seed)
    observation_spec = tf.TensorSpec([observations.total_size(reads)], tf.float32)
    self._agent = agents.create_agent(
      ts.time_step_spec(observation_spec), output_spec(self._task, lower), seed=agent_seed
    )
    self._module = module_lib.LayerModule(
      self._agent.actor_network,
      fields,
      reads,
      lower=None if lower is None else lower.module,
      lower_fields=lower_fields,
    )
    self._act = tf.function(self._module.act, jit_compile=True, autograph=False)
    self._update = updates.fused_update(self._agent, settings.steps_per_call)
    self._replay = replay_lib.ReplayBuffer(
      settings.replay_capacity,
      observations.total_size(reads),
      self._dimension,
      replay_seed,
    )
    self._checkpoints = checkpoints_lib.Checkpoints(
      root_dir / 'checkpoints' / spec.name,
      self._agent,
      self._replay,
      run={
        'task': task_id,
        'seed': seed,
        'reward': self._reward.name,
        'lower': None if lower is None else lower.digest,
      },
    )
    self._tensorboard_dir = root_dir / 'tensorboard' / spec.name

    self._env_steps = 0
    self._wall_s = 0.0
    self._observation: np.ndarray | None = None
    self._latent = np.zeros((1, self._dimension), np.float32)
    self._latent_steps = 0
    self._losses: list[np.ndarray] = []
    self._last_evaluation: dict[str, Any] = {}

  def train(self, log: metrics.MetricsLog) -> None:
    """Trains to the layer's number of environment steps, then saves the layer.

    Args:
      log: The run's metrics.

    Raises:
      TaskError: If the task breaks its contract.
      LatentHrlError: If a loss is not finite.
    """
    self._restore(log)
    if self._spec.env_steps < self._settings.initial_steps:
      print(
        f'{self._spec.name}: note: no update within {self._spec.env_steps:,} steps; '
        f'Trainer.initial_steps is {self._settings.initial_steps:,}',
        flush=True,
      )
    tensorboard = metrics.TensorBoard(self._tensorboard_dir)
    progress = metrics.Progress(self._spec.name, self._spec.env_steps, self._env_steps)
    try:
      if not log.rows(self._spec.name):
        self._evaluate(log, tensorboard, progress, steps_per_s=None)
      started, steps_at_start = time.perf_counter(), self._env_steps
      while self._env_steps < self._spec.env_steps:
        before, clock = self._env_steps, time.perf_counter()
        self._advance()
        progress.advance(self._env_steps - before)
        self._wall_s += time.perf_counter() - clock
        done = self._env_steps >= self._spec.env_steps
        if done or self._crossed(before, self._settings.eval_interval):
          elapsed = time.perf_counter() - started
          speed = (self._env_steps - steps_at_start) / elapsed
          self._evaluate(log, tensorboard, progress, steps_per_s=speed)
          self.save()
          started, steps_at_start = time.perf_counter(), self._env_steps
        if done or self._crossed(before, self._settings.checkpoint_interval):
          self._save_checkpoint()
    finally:
      progress.close()
      tensorboard.close()

  def close(self) -> None:
    """Closes the environments."""
    for env in (self._env, *self._eval_envs):
      env.close()

  def _crossed(self, before: int, interval: int) -> bool:
    return before // interval != self._env_steps // interval

  def _advance(self) -> None:
    """K environment steps, then K updates."""
    steps = min(self._settings.steps_per_call, self._spec.env_steps - self._env_steps)
    for _ in range(steps):
      self._collect()
    if self._env_steps < self._settings.initial_steps:
      return
    batch = self._replay.sample(self._settings.steps_per_call, self._settings.batch_size)
    losses = self._update(batch).numpy()
    if not np.isfinite(losses).all():
      named = dict(zip(agents.LossExtra._fields, losses.tolist(), strict=True))
      raise errors.LatentHrlError(
        f'training of layer {self._spec.name!r} diverged at step {self._env_steps:,}: '
        + ', '.join(f'{key} is {v}' for key, v in named.items() if not np.isfinite(v))
      )
    self._losses.append(losses)

  def _collect(self) -> None:
    """One environment step into the replay."""
    if self._observation is None:
      self._observation, _ = self._env.reset(seed=self._env_seed)
      self._env_seed = None
      self._latent_steps = 0
    observation = self._observation
    if self._lower is None and self._env_steps < self._settings.initial_steps:
      box = self._task.action_space
      output = action = self._rng.uniform(box.low, box.high).astype(np.float32)
    else:
      if self._latent_steps % self._settings.hold_latent_steps == 0:
        self._latent = self._rng.standard_normal((1, self._dimension), np.float32)
      self._latent_steps += 1
      outputs = self._act(observation[np.newaxis, self._stack_where], self._latent)
      output, action = (part.numpy()[0] for part in outputs)
    next_observation, reward, terminated, truncated, _ = self._env.step(action)
    self._replay.add(
      observation[self._own_where],
      output,
      reward,
      0.0 if terminated else 1.0,
      next_observation[self._own_where],
      episode_ends=terminated or truncated,
    )
    self._observation = None if terminated or truncated else next_observation
    self._env_steps += 1

  def _decode(self, observation: np.ndarray, latent: np.ndarray) -> np.ndarray:
    return self._act(observation[:, self._stack_where], latent)[1].numpy()

  def _evaluate(
    self,
    log: metrics.MetricsLog,
    tensorboard: metrics.TensorBoard,
    progress: metrics.Progress,
    steps_per_s: float | None,
  ) -> None:
    clock = time.perf_counter()
    episodes = rollout.run_episodes(
      self._eval_envs,
      self._decode,
      self._dimension,
      self._settings.eval_episodes,
      self._eval_seed,
    )
    self._wall_s += time.perf_counter() - clock
    self._last_evaluation = rollout.summarize(episodes)
    row = {
      'layer': self._spec.name,
      'reward': self._reward.name,
      'env_steps': self._env_steps,
      'wall_s': round(self._wall_s, 3),
      **self._last_evaluation,
    }
    if steps_per_s is not None:
      row['steps_per_s'] = round(steps_per_s, 2)
    if self._losses:
      means = np.mean(self._losses, axis=0).tolist()
      row.update(zip(agents.LossExtra._fields, means, strict=True))
      self._losses.clear()
    log.append(row)
    tensorboard.write(row)
    progress.report(row)

  def manifest(self) -> manifest_lib.Manifest:
    """Returns the manifest of the layer as it is now."""
    record = manifest_lib.LayerRecord(
      name=self._spec.name,
      reads=tuple(field.name for field in self._reads),
      task=self._task.task_id,
      task_options=self._task.options,
      reward=self._reward.name,
      reward_arguments=self._reward.arguments,
      env_steps=self._env_steps,
      seed=self._seed,
      evaluation=self._last_evaluation,
    )
    box = self._task.action_space
    return manifest_lib.Manifest(
      fields=self._fields,
      action_low=tuple(box.low.tolist()),
      action_high=tuple(box.high.tolist()),
      layers=(*(() if self._lower is None else self._lower.records()), record),
      config=gin.operative_config_str(),
    )

  def save(self) -> None:
    """Writes the layer to `layers/NAME`, replacing what is there in one step."""
    export.export_layer(self._module, self.manifest(), self._layer_dir)

  def _save_checkpoint(self) -> None:
    self._checkpoints.save(
      self._env_steps,
      {
        'wall_s': self._wall_s,
        'rng': self._rng.bit_generator.state,
        'evaluation': self._last_evaluation,
      },
    )

  def _restore(self, log: metrics.MetricsLog) -> None:
    state = self._checkpoints.restore()
    if state is None:
      log.rewind(self._spec.name, -1)
      return
    self._env_steps = state['env_steps']
    self._wall_s = state['wall_s']
    self._rng.bit_generator.state = state['rng']
    self._last_evaluation = state['evaluation']
    # The running episode is not part of a checkpoint: it ends here, the next one starts
    # from a seed of its own.
    self._replay.end_episode()
    self._env_seed = int(self._rng.integers(2**31))
    log.rewind(self._spec.name, self._env_steps)
