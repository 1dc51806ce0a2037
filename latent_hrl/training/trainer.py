"""Trains one layer: the loop of learning, evaluation, export and checkpoints."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Protocol

from latent_hrl import config
from latent_hrl import errors
from latent_hrl import run_directory
from latent_hrl.evaluation import video
from latent_hrl.layers import load
from latent_hrl.training import interrupts
from latent_hrl.training import metrics
from latent_hrl.training import training_state

# Length of the film of a finished layer: a GIF of more is large.
_FILM_FRAMES = 200


class Learning(Protocol):
  """A way to learn, as the loop sees it: off policy or on policy.

  Attributes:
    state: The layer as it is now.
  """

  state: training_state.TrainingState

  def prepare(self) -> None:
    """Starts what takes time and can run beside the first evaluation."""

  def advance(self, env_steps: int) -> int:
    """Takes some environment steps and learns.

    Args:
      env_steps: Environment steps so far.

    Returns:
      How many were taken.
    """

  def evaluated(self) -> contextlib.AbstractContextManager:
    """Returns a context in which the layer acts as the policy to evaluate and save."""

  def measures(self) -> dict[str, Any]:
    """Returns what is worth a row of metrics.jsonl since the last call."""

  def save(self, env_steps: int, state: dict[str, Any]) -> bool:
    """Writes a checkpoint with the loop's own state, JSON types.

    Returns:
      Whether there is one now: not every way to learn can be taken up again.
    """

  def restore(self) -> dict[str, Any] | None:
    """Takes up the newest checkpoint and returns the loop's state, with `env_steps`."""

  def close(self) -> None:
    """Ends what runs beside the loop."""


class Trainer:
  """Trains one layer on a task, on top of frozen lower layers."""

  def __init__(self, learning: Learning, run: run_directory.RunDirectory):
    """Binds the parts; nothing runs yet.

    Args:
      learning: How the layer learns; closed with the trainer, as is its state.
      run: Directory of the run.
    """
    self._learning = learning
    self._state = learning.state
    self._plan = learning.state.plan
    self._run = run
    self._env_steps = 0
    self._wall_s = 0.0

  def restore(self, log: metrics.MetricsLog) -> None:
    """Takes up an earlier start of the same run, if there was one.

    Args:
      log: The run's metrics; rows beyond the checkpoint go.

    Raises:
      ConfigError: If what is there belongs to another run, or is lost.
    """
    state = self._learning.restore()
    if state is None:
      log.rewind(self._plan.name, -1)
      return
    self._env_steps = state['env_steps']
    self._wall_s = state['wall_s']
    self._state.last_evaluation = state['evaluation']
    log.rewind(self._plan.name, self._env_steps)

  def train(self, log: metrics.MetricsLog, place: metrics.Place | None = None) -> None:
    """Trains to the layer's number of environment steps, then saves the layer.

    Args:
      log: The run's metrics.
      place: Where the layer stands among those of the run.

    Raises:
      TaskError: If the task breaks its contract.
      LatentHrlError: If a loss is not finite.
      StoppedError: If Ctrl-C or SIGTERM came; there is a checkpoint.
    """
    tensorboard = metrics.TensorBoard(
      self._run.tensorboard(self._plan.name),
      {
        'layer': self._plan.name,
        'task': self._plan.task.task_id,
        'reward': self._plan.reward.name,
        'agent': self._plan.layer.agent_fn.__name__,
        'env_steps': self._plan.layer.env_steps,
        'seed': self._state.seed,
      },
      config.operative(),
    )
    progress = metrics.Progress(
      self._plan.name, self._plan.layer.env_steps, self._env_steps, place
    )
    self._learning.prepare()
    try:
      with interrupts.deferred() as interrupted:
        self._loop(log, tensorboard, progress, interrupted)
    finally:
      progress.close()
      tensorboard.close()

  def _loop(
    self,
    log: metrics.MetricsLog,
    tensorboard: metrics.TensorBoard,
    progress: metrics.Progress,
    interrupted: Callable[[], int | None],
  ) -> None:
    rows = log.rows(self._plan.name)
    if not rows:
      with self._learning.evaluated():
        self._evaluate(log, tensorboard, progress, steps_per_s=None)
    elif rows[-1]['env_steps'] < self._env_steps >= self._plan.layer.env_steps:
      # Stopped beyond what is asked for now: what there is shall be the layer.
      with self._learning.evaluated():
        self._evaluate(log, tensorboard, progress, steps_per_s=None)
        self._save_layer(log)
    started, steps_at_start = time.perf_counter(), self._env_steps
    while self._env_steps < self._plan.layer.env_steps:
      before, clock = self._env_steps, time.perf_counter()
      self._env_steps += self._learning.advance(before)
      seconds = time.perf_counter() - clock
      self._wall_s += seconds
      progress.advance(self._env_steps - before, seconds)
      done = self._env_steps >= self._plan.layer.env_steps
      if done or self._crossed(before, self._plan.loop.eval_interval):
        elapsed = time.perf_counter() - started
        speed = (self._env_steps - steps_at_start) / elapsed
        with self._learning.evaluated():
          self._evaluate(log, tensorboard, progress, steps_per_s=speed)
          self._save_layer(log)
        started, steps_at_start = time.perf_counter(), self._env_steps
      crossed = self._crossed(before, self._plan.loop.checkpoint_interval)
      if done or crossed or interrupted() is not None:
        kept = self._save_checkpoint()
        # It may have come during the writing, and there may be a layer to follow.
        number = interrupted()
        if number is not None:
          then = 'goes on from there' if done or kept else 'starts this layer again'
          step = f'{self._plan.name}: stopped at step {self._env_steps:,}'
          raise errors.StoppedError(number, f'{step}; the same command {then}')
    if self._plan.loop.film:
      self._film(tensorboard)

  def _film(self, tensorboard: metrics.TensorBoard) -> None:
    """Films the finished layer; a machine that cannot is told, and nothing else."""
    name = self._plan.name
    path = self._run.film(name)
    try:
      layer = load.load_layer(self._run.layer(name))
      seed = self._state.seeds.evaluation
      video.film(layer, path, seed=seed, max_frames=_FILM_FRAMES)
    except (errors.TaskError, video.RenderingUnavailableError) as error:
      print(f'{name}: note: no film: {error}', flush=True)
      return
    tensorboard.film(path, self._env_steps)

  def close(self) -> None:
    """Ends learning and closes the environments."""
    self._learning.close()
    self._state.close()

  def _crossed(self, before: int, interval: int) -> bool:
    return before // interval != self._env_steps // interval

  def _evaluate(
    self,
    log: metrics.MetricsLog,
    tensorboard: metrics.TensorBoard,
    progress: metrics.Progress,
    steps_per_s: float | None,
  ) -> None:
    clock = time.perf_counter()
    evaluation = self._state.evaluate()
    self._wall_s += time.perf_counter() - clock
    row = {
      'layer': self._plan.name,
      'task': self._plan.task.task_id,
      'reward': self._plan.reward.name,
      'env_steps': self._env_steps,
      'wall_s': round(self._wall_s, 3),
      **evaluation,
    }
    if steps_per_s is not None:
      row['steps_per_s'] = round(steps_per_s, 2)
    measures = self._learning.measures()
    row.update(measures)
    log.append(row)
    tensorboard.write(row, log.curve_path)
    progress.report(row, learning=bool(measures.keys() - {'collect'}))

  def _save_layer(self, log: metrics.MetricsLog) -> None:
    """Saves the layer, and beside it the best one so far by its own reward."""
    returns = [row['layer_return_mean'] for row in log.rows(self._plan.name)]
    # The first row is of before training, and nothing is saved of that.
    best = len(returns) < 3 or returns[-1] > max(returns[1:-1])
    self._state.save(self._env_steps, best)

  def _save_checkpoint(self) -> bool:
    state = {'wall_s': self._wall_s, 'evaluation': self._state.last_evaluation}
    return self._learning.save(self._env_steps, state)
