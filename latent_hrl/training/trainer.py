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
from latent_hrl.training import updates


def output_spec(task: tasks.Task, lower: load.SavedLayer | None) -> tensor_spec.TensorSpec:
  """Returns the spec of a layer's output: the action box, or the latent of `lower`."""
  box = task.action_space
  if lower is None:
    return tensor_spec.BoundedTensorSpec(box.shape, tf.float32, box.low, box.high, 'action')
  return tf.TensorSpec(box.shape, tf.float32, name='latent')


@gin.configurable(denylist=['spec', 'task_id', 'lower', 'root_dir', 'seed'])
class Trainer:
  """Trains one layer on a task, on top of frozen lower layers."""

  def __init__(
    self,
    spec: spec_lib.Layer,
    task_id: str,
    lower: load.SavedLayer | None,
    root_dir: pathlib.Path,
    seed: int,
    batch_size: int = 256,
    replay_capacity: int = 1_000_000,
    initial_steps: int = 5_000,
    steps_per_call: int = 8,
    eval_interval: int = 10_000,
    eval_episodes: int = 10,
    checkpoint_interval: int = 50_000,
  ):
    """Builds everything; nothing runs yet.

    Args:
      spec: The layer.
      task_id: Task to train on.
      lower: The frozen layer below; None for a bottom layer.
      root_dir: Directory of the run.
      seed: Seed of everything random in this layer's training.
      batch_size: Transitions per update.
      replay_capacity: Rows of the replay.
      initial_steps: Environment steps before the first update; a bottom layer acts
        uniformly in its box there, a higher one samples its own prior.
      steps_per_call: K; K environment steps and K compiled updates take turns.
      eval_interval: Environment steps between evaluations.
      eval_episodes: Episodes of an evaluation, mode policy.
      checkpoint_interval: Environment steps between checkpoints.

    Raises:
      ConfigError: If a number makes no sense.
      TaskError: If the task does not give what the layer's reward needs.
    """
    positive = {
      'batch_size': batch_size,
      'replay_capacity': replay_capacity,
      'steps_per_call': steps_per_call,
      'eval_interval': eval_interval,
      'eval_episodes': eval_episodes,
      'checkpoint_interval': checkpoint_interval,
    }
    for name, value in positive.items():
      if not isinstance(value, int) or value < 1:
        raise errors.ConfigError(f'Trainer.{name} must be a positive integer, got {value!r}')
    if batch_size > replay_capacity:
      raise errors.ConfigError(
        f'Trainer.batch_size {batch_size} exceeds Trainer.replay_capacity {replay_capacity}'
      )
    self._spec = spec
    self._lower = lower
    self._layer_dir = root_dir / 'layers' / spec.name
    self._batch_size = batch_size
    self._initial_steps = max(initial_steps, 1)
    self._steps_per_call = steps_per_call
    self._eval_interval = eval_interval
    self._eval_episodes = eval_episodes
    self._checkpoint_interval = checkpoint_interval
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
    self._env = layer_reward.LayerReward(self._task, self._reward)
    self._probe_reward()
    slots = min(eval_episodes, 10)
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
    self._update = updates.fused_update(self._agent, steps_per_call)
    self._replay = replay_lib.ReplayBuffer(
      replay_capacity,
      observations.total_size(reads),
      self._task.action_space.shape[0],
      replay_seed,
    )
    self._checkpoints = checkpoints_lib.Checkpoints(
      root_dir / 'checkpoints' / spec.name, self._agent, self._replay
    )
    self._tensorboard_dir = root_dir / 'tensorboard' / spec.name

    self._env_steps = 0
    self._wall_s = 0.0
    self._observation: np.ndarray | None = None
    self._losses: list[np.ndarray] = []
    self._last_evaluation: dict[str, Any] = {}

  def _probe_reward(self) -> None:
    """Takes one step, so that a reward the task cannot feed fails before training."""
    env = layer_reward.LayerReward(
      tasks.make_task(self._task.task_id), self._reward
    )
    env.reset(seed=0)
    box = env.action_space
    env.step((box.low + box.high) / 2)
    env.close()

  @property
  def agent(self) -> agents.LatentSpaceAgent:
    """The agent in training."""
    return self._agent

  @property
  def module(self) -> module_lib.LayerModule:
    """The layer in training, with its lower layers."""
    return self._module

  def train(self, log: metrics.MetricsLog) -> None:
    """Trains to the layer's number of environment steps, then saves the layer.

    Args:
      log: The run's metrics.

    Raises:
      TaskError: If the task breaks its contract.
      LatentHrlError: If a loss is not finite.
    """
    self._restore(log)
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
        if done or self._crossed(before, self._eval_interval):
          elapsed = time.perf_counter() - started
          speed = (self._env_steps - steps_at_start) / elapsed
          self._evaluate(log, tensorboard, progress, steps_per_s=speed)
          self.save()
          started, steps_at_start = time.perf_counter(), self._env_steps
        if done or self._crossed(before, self._checkpoint_interval):
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
    steps = min(self._steps_per_call, self._spec.env_steps - self._env_steps)
    for _ in range(steps):
      self._collect()
    if self._env_steps < self._initial_steps:
      return
    losses = self._update(self._replay.sample(self._steps_per_call, self._batch_size)).numpy()
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
    observation = self._observation
    if self._lower is None and self._env_steps < self._initial_steps:
      box = self._task.action_space
      output = action = self._rng.uniform(box.low, box.high).astype(np.float32)
    else:
      latent = self._rng.standard_normal((1, self._module_dimension), np.float32)
      outputs = self._act(observation[np.newaxis, self._stack_where], latent)
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

  @property
  def _module_dimension(self) -> int:
    return self._task.action_space.shape[0]

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
      lambda observation, latent: self._act(observation[:, self._stack_where], latent)[
        1
      ].numpy(),
      self._module_dimension,
      self._eval_episodes,
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
    self._env_seed = (self._env_seed + self._env_steps) & 0x7FFFFFFF
    log.rewind(self._spec.name, self._env_steps)
