"""Trains one layer: collection beside updates, evaluation, checkpoints, export.

K environment steps and K updates go side by side: the updates take batches drawn before
those steps, the steps take the weights from before those updates. What a run computes does
not depend on which of the two is faster.
"""

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
from latent_hrl import threads
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks
from latent_hrl.evaluation import rollout
from latent_hrl.layers import export
from latent_hrl.layers import inlining
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib
from latent_hrl.layers import policy as policy_lib
from latent_hrl.layers import spec as spec_lib
from latent_hrl.training import checkpoints as checkpoints_lib
from latent_hrl.training import collector as collector_lib
from latent_hrl.training import learner as learner_lib
from latent_hrl.training import metrics
from latent_hrl.training import replay as replay_lib
from latent_hrl.training import settings as settings_lib


def output_spec(task: tasks.Task, lower: load.SavedLayer | None) -> tensor_spec.TensorSpec:
  """Returns the spec of a layer's output: the action box, or the latent of `lower`."""
  box = task.action_space
  if lower is None:
    return tensor_spec.BoundedTensorSpec(box.shape, tf.float32, box.low, box.high, 'action')
  return tf.TensorSpec(box.shape, tf.float32, name='latent')


def executed_action(
  task: tasks.Task, reads: observations.Fields, lower: load.SavedLayer
) -> agents.ExecutedAction:
  """Returns what a layer that reads these fields does through the frozen layers below."""
  where = observations.indices(reads, lower.fields)
  below = inlining.inlined(lower.module.forward)
  return agents.ExecutedAction(
    decode=lambda observation, output: below(
      tf.gather(observation, where, axis=-1), output
    ),
    spec=output_spec(task, lower=None),
  )


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
    self._fields, self._reads = fields, reads

    tf.keras.utils.set_random_seed(weight_seed)
    observation_spec = tf.TensorSpec([observations.total_size(reads)], tf.float32)
    self._agent = agents.create_agent(
      ts.time_step_spec(observation_spec),
      output_spec(self._task, lower),
      seed=agent_seed,
      executed_action=None
      if lower is None or spec.critic == 'output'
      else executed_action(self._task, reads, lower),
    )
    # The weights to act with, evaluate and save: the learner's as last published.
    acting_network = self._agent.actor_network.copy(name='ActingNetwork')
    acting_network.create_variables()
    self._module = module_lib.LayerModule(
      acting_network,
      fields,
      reads,
      lower=None if lower is None else lower.module,
      lower_fields=lower_fields,
      interval=spec.interval,
      held_below=0 if lower is None else lower.manifest.held_outputs,
    )
    decisions_per_call = -(-settings.steps_per_call // spec.interval)
    self._updates_per_call = decisions_per_call * settings.updates_per_decision
    self._learner = learner_lib.Learner(
      self._agent,
      acting_network,
      self._updates_per_call,
      settings.batch_size,
      overlap=threads.available_cores() > 1,
    )
    self._collector = collector_lib.Collector(
      self._env,
      self._policy(1),
      self._stack_where,
      observations.indices(self._task.fields, reads),
      settings.hold_latent_steps,
      env_seed,
      noise_seed,
      interval=spec.interval,
      gamma=self._agent.gamma,
      store_action=spec.critic == 'action',
    )
    self._eval_policy = self._policy(slots)
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
        'stores': 'output' if lower and spec.critic == 'output' else 'action',
      },
    )
    self._tensorboard_dir = root_dir / 'tensorboard' / spec.name

    self._env_steps = 0
    self._wall_s = 0.0
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
    self._learner.compile()  # Evaluation and the first random steps need not wait for it.
    try:
      if not log.rows(self._spec.name):
        self._evaluate(log, tensorboard, progress, steps_per_s=None)
      started, steps_at_start = time.perf_counter(), self._env_steps
      while self._env_steps < self._spec.env_steps:
        before, clock = self._env_steps, time.perf_counter()
        self.advance()
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

  @property
  def env_steps(self) -> int:
    """Environment steps so far."""
    return self._env_steps

  @property
  def replay(self) -> replay_lib.ReplayBuffer:
    """The experience of this layer."""
    return self._replay

  @property
  def learner(self) -> learner_lib.Learner:
    """What learns from it."""
    return self._learner

  def close(self) -> None:
    """Ends the learner's thread and closes the environments."""
    self._learner.close()
    for env in (self._env, *self._eval_envs):
      env.close()

  def _crossed(self, before: int, interval: int) -> bool:
    return before // interval != self._env_steps // interval

  def advance(self) -> None:
    """Takes up to K environment steps, beside their updates: the hot path.

    Raises:
      TaskError: If the task breaks its contract.
      LatentHrlError: If a loss is not finite.
    """
    steps = min(self._settings.steps_per_call, self._spec.env_steps - self._env_steps)
    starting = self._env_steps < self._settings.initial_steps
    losses = None
    # The decisions that end within these steps, but for those cut short by an episode.
    interval = self._spec.interval
    decisions = (self._env_steps + steps) // interval - self._env_steps // interval
    updates = decisions * self._settings.updates_per_decision
    if updates and not starting:
      batch = self._replay.sample(self._updates_per_call, self._settings.batch_size)
      losses = self._learner.start(batch, updates)
    for transition in self._collector.collect(
      steps, uniform=starting and self._lower is None
    ):
      self._replay.add(*transition)
    self._env_steps += steps
    if losses is not None:
      self._take(losses.result())

  def _take(self, losses: np.ndarray) -> None:
    """Acts with the new weights, unless they are worth nothing."""
    if not np.isfinite(losses).all():
      named = dict(zip(agents.LossExtra._fields, losses.tolist(), strict=True))
      raise errors.LatentHrlError(
        f'training of layer {self._spec.name!r} diverged at step {self._env_steps:,}: '
        + ', '.join(f'{key} is {v}' for key, v in named.items() if not np.isfinite(v))
      )
    self._learner.publish()
    self._losses.append(losses)

  def _policy(self, batch: int) -> policy_lib.SteppedPolicy:
    """The acting weights on all layers below, for a number of episodes side by side."""
    below = 0 if self._lower is None else self._lower.manifest.held_outputs
    held_outputs = below + (self._spec.interval > 1)
    sizes = (observations.total_size(self._fields), self._dimension)
    return policy_lib.SteppedPolicy(self._module.act, batch, *sizes, held_outputs)

  def _decode(
    self, observation: np.ndarray, latent: np.ndarray, step: np.ndarray
  ) -> np.ndarray:
    return self._eval_policy(observation[:, self._stack_where], latent, step)[1]

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
    collected = self._collector.take_episodes()
    if collected:
      row['collect'] = rollout.summarize(collected)
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
      interval=self._spec.interval,
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
        'rng': self._collector.state(),
        'evaluation': self._last_evaluation,
      },
    )

  def _restore(self, log: metrics.MetricsLog) -> None:
    state = self._checkpoints.restore()
    if state is None:
      log.rewind(self._spec.name, -1)
      if self._spec.inherit:
        self._inherit()
      return
    self._env_steps = state['env_steps']
    self._wall_s = state['wall_s']
    self._last_evaluation = state['evaluation']
    # The running episode is not part of a checkpoint: it ends here.
    self._collector.restore(state['rng'])
    self._replay.end_episode()
    self._learner.publish()
    log.rewind(self._spec.name, self._env_steps)

  def _inherit(self) -> None:
    """Starts from critic and replay of the layer below."""
    assert self._lower is not None
    record = self._lower.manifest.layers[-1]
    # DIR/layers/NAME lies beside DIR/checkpoints/NAME.
    directory = self._lower.path.parent.parent / 'checkpoints' / record.name
    checkpoints_lib.inherit(directory, record.env_steps, self._agent, self._replay)
    print(
      f'{self._spec.name}: inherits the critic and {len(self._replay):,} transitions of '
      f'{record.name}',
      flush=True,
    )
