"""Learning from a replay: collection beside updates.

K environment steps and K updates go side by side: the updates take batches drawn before
those steps, the steps take the weights from before those updates. What a run computes does
not depend on which of the two is faster.
"""

import contextlib
import math
from typing import Any

import numpy as np

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import run_directory
from latent_hrl import threads
from latent_hrl.agents import protocol
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.training import augmentation
from latent_hrl.training import checkpoints as checkpoints_lib
from latent_hrl.training import collector as collector_lib
from latent_hrl.training import learner as learner_lib
from latent_hrl.training import relabeling
from latent_hrl.training import replay as replay_lib
from latent_hrl.training import training_state


class OffPolicyLearning:
  """Collector, replay and learner of one layer.

  Attributes:
    state: The layer as it is now.
  """

  def __init__(
    self,
    state: training_state.TrainingState,
    agent: protocol.OffPolicyAgent,
    run: run_directory.RunDirectory,
  ):
    """Builds everything; nothing runs yet.

    Args:
      state: The layer on its task, which acts with a copy of the agent's policy.
      agent: The agent, on the specs of the layer's plan.
      run: Directory of the run.
    """
    self.state = state
    self._agent = agent
    self._plan = plan = state.plan
    self._config = config = plan.off_policy
    decisions_per_call = -(-config.steps_per_call // plan.layer.interval)
    self._updates_per_call = math.ceil(decisions_per_call * config.updates_per_decision)
    self._learner = learner_lib.Learner(
      agent,
      state.network,
      self._updates_per_call,
      config.batch_size,
      overlap=threads.available_cores() > 1,
      command_size=plan.command_size,
    )
    self._collector = collector_lib.Collector(
      state.env,
      state.policy(1),
      state.stack_where,
      state.own_where,
      config.hold_latent_steps,
      state.seeds.env,
      state.seeds.noise,
      interval=plan.layer.interval,
      gamma=agent.gamma,
      store_action=plan.layer.critic == 'action',
      noise_damping=config.noise_damping,
      commander=plan.commander,
    )
    # Within an interval commands change, so none is drawn anew.
    measured_size = 0
    if plan.command is not None and plan.layer.interval == 1:
      measured_size = plan.command.reward.measured_size
    self._replay = replay_lib.ReplayBuffer(
      config.replay_capacity,
      observations.total_size(plan.judged_fields),
      state.dimension,
      state.seeds.replay,
      measured_size=measured_size,
    )
    self._checkpoints = checkpoints_lib.Checkpoints(
      run.checkpoints(plan.name),
      agent,
      self._replay,
      run={
        **plan.identity._asdict(),
        'seed': state.seed,
        'lower': None if state.lower is None else state.lower.digest,
      },
    )
    self._run = run
    self._losses: list[np.ndarray] = []

  @property
  def replay(self) -> replay_lib.ReplayBuffer:
    """The experience of this layer."""
    return self._replay

  @property
  def learner(self) -> learner_lib.Learner:
    """What learns from it."""
    return self._learner

  def prepare(self) -> None:
    """Starts compiling: evaluation and the first random steps need not wait for it."""
    per_call = self._config.steps_per_call
    last_call_begins = (self._plan.layer.env_steps - 1) // per_call * per_call
    if last_call_begins < self._config.initial_steps:
      print(
        f'{self._plan.name}: note: no update within {self._plan.layer.env_steps:,} steps; '
        f'OffPolicy.initial_steps is {self._config.initial_steps:,}',
        flush=True,
      )
    self._learner.compile()

  def advance(self, env_steps: int) -> int:
    """Takes up to K environment steps, beside their updates: the hot path.

    Args:
      env_steps: Environment steps so far.

    Returns:
      How many were taken.

    Raises:
      TaskError: If the task breaks its contract.
      LatentHrlError: If a loss is not finite.
    """
    steps = min(self._config.steps_per_call, self._plan.layer.env_steps - env_steps)
    starting = env_steps < self._config.initial_steps
    losses = batch = None
    updates = self._updates_due(env_steps + steps) - self._updates_due(env_steps)
    if updates and not starting:
      batch = self._sample(np.random.default_rng([self.state.seeds.replay, env_steps]))
      losses = self._learner.start(batch, updates)
    uniform = starting and self._plan.bottom
    for transition in self._collector.collect(steps, uniform):
      self._replay.add(*transition)
    if losses is not None and batch is not None:
      self._take(losses.result(), batch, env_steps + steps)
    return steps

  def _sample(self, rng: np.random.Generator) -> protocol.Batch:
    """Draws the batches of a call, as commands drawn anew and symmetries show them."""
    rows = self._replay.draw(self._updates_per_call, self._config.batch_size)
    batch = self._replay.batch(rows)
    told = self._plan.layer.command
    if self._plan.command is not None and told is not None:
      measured = self._replay.measured(rows)
      batch = relabeling.relabeled(
        batch, measured, self._plan.command, told.relabeled_share, rng
      )
    if self._plan.symmetry:
      batch = augmentation.augmented(batch, self._plan.symmetry, rng)
    return batch

  def _updates_due(self, env_steps: int) -> int:
    """Returns how many updates belong to so many steps, had they begun with the first."""
    # Decisions that an episode's end cuts short bring none.
    decisions = env_steps // self._plan.layer.interval
    return int(decisions * self._config.updates_per_decision)

  def _take(self, losses: np.ndarray, batch: protocol.Batch, env_steps: int) -> None:
    """Acts with the new weights, unless they are worth nothing."""
    if not np.isfinite(losses).all():
      named = dict(zip(self._agent.loss_names, losses.tolist(), strict=True))
      path = self._run.diverged(self._plan.name)
      np.savez(path, **batch._asdict())  # type: ignore[arg-type]
      raise errors.LatentHrlError(
        f'training of layer {self._plan.name!r} diverged at step {env_steps:,}: '
        + ', '.join(f'{key} is {v}' for key, v in named.items() if not np.isfinite(v))
        + f'; the batches of these updates are in {path}, the last checkpoint is intact'
      )
    self._learner.publish()
    self._losses.append(losses)

  def evaluated(self) -> contextlib.AbstractContextManager:
    """See `trainer.Learning`: the average of the last policies."""
    return self._learner.averaged()

  def measures(self) -> dict[str, Any]:
    """Returns mean losses, and the episodes of collection, since the last call."""
    measures: dict[str, Any] = {}
    if self._losses:
      means = np.mean(self._losses, axis=0).tolist()
      measures.update(zip(self._agent.loss_names, means, strict=True))
      self._losses.clear()
    collected = self._collector.take_episodes()
    if collected:
      measures['collect'] = episodes_lib.summarize(collected)
    return measures

  def save(self, env_steps: int, state: dict[str, Any]) -> bool:
    """Writes a checkpoint; see `trainer.Learning`."""
    scalars, arrays = self._collector.state()
    losses = np.reshape(self._losses, [-1, len(self._agent.loss_names)])
    self._checkpoints.save(
      env_steps, {**state, 'collector': scalars}, {**arrays, 'losses': losses}
    )
    return True

  def restore(self) -> dict[str, Any] | None:
    """Takes up the newest checkpoint, or what the layer below has learned."""
    restored = self._checkpoints.restore()
    if restored is None:
      saved = self._run.layer(self._plan.name)
      if saved.exists() and not self._checkpoints.begun:
        raise errors.ConfigError(
          f'{saved} cannot be trained further: its checkpoints are gone; use another '
          '--root_dir, or remove the layer to train it anew'
        )
      self._checkpoints.begin()
      if self._plan.layer.inherit:
        self._inherit()
      return None
    state, arrays = restored
    if not self._collector.restore(state['collector'], arrays):
      print(
        f'{self._plan.name}: task {self._plan.task.task_id} does not repeat itself; the '
        'episode that ran is over',
        flush=True,
      )
      self._replay.end_episode()
    self._losses = list(arrays['losses'])
    self._learner.publish()
    return state

  def _inherit(self) -> None:
    """Starts from what the layer below has learned, and says from what."""
    lower = self.state.lower
    assert lower is not None
    record, identity = lower.manifest.layers[-1], self._plan.identity
    directory = run_directory.RunDirectory.of_layer(lower.path).checkpoints(record.name)
    parts = checkpoints_lib.inherit(
      directory,
      record.env_steps,
      self._agent,
      self._replay,
      identity.critic_network or {},
      identity.agent or '',
    )
    embedding = 'embedding, ' if 'embedding' in parts else ''
    print(
      f'{self._plan.name}: inherits {embedding}critic and {len(self._replay):,} '
      f'transitions of {record.name}',
      flush=True,
    )

  def close(self) -> None:
    """Ends the learner's thread."""
    self._learner.close()
