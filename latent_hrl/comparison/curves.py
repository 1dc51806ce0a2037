"""Learning curves: of one run, and laid on common environment steps."""

import dataclasses
import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from latent_hrl import errors

# A run that ends this near to the budget counts as having used it: some libraries evaluate
# where a rollout ends.
_COMPLETE = 0.95


@dataclasses.dataclass(frozen=True, eq=False)
class Curve:
  """The evaluations of one run.

  Attributes:
    env_steps: Environment steps so far, increasing, [N].
    returns: Mean undiscounted return of the task's own reward, [N].
    wall_s: Training time so far in s, evaluations included, [N]; None if it is not known.
    success: Share of the episodes of the last evaluation that end in success; None on a
      task without goals.
  """

  env_steps: np.ndarray
  returns: np.ndarray
  wall_s: np.ndarray | None = None
  success: float | None = None

  def __post_init__(self) -> None:
    for name in ('env_steps', 'returns', 'wall_s'):
      value = getattr(self, name)
      if name == 'wall_s' and value is None:
        continue
      value = np.asarray(value, np.float64)
      object.__setattr__(self, name, value)
      if value.shape != np.shape(self.env_steps) or value.ndim != 1 or not value.size:
        raise errors.ConfigError(
          f'a curve needs lists of the same length, not empty; {name} has the shape '
          f'{value.shape}, env_steps {np.shape(self.env_steps)}'
        )
      if not np.isfinite(value).all():
        raise errors.ConfigError(f'a curve needs finite numbers; {name} has others')
    if np.any(np.diff(self.env_steps) <= 0):
      raise errors.ConfigError("a curve's env_steps must increase")

  def at(self, env_steps: np.ndarray | float) -> np.ndarray:
    """Returns the return at some steps: linear between evaluations, constant outside."""
    return np.interp(env_steps, self.env_steps, self.returns)

  def final(self, env_steps: int) -> float | None:
    """Returns the return after a budget; None if the run ended before 95% of it."""
    if self.env_steps[-1] < _COMPLETE * env_steps:
      return None
    return float(self.at(env_steps))

  def steps_to(self, target: float) -> float:
    """Returns the steps of the first evaluation that reaches a return; inf if none does."""
    reached = np.flatnonzero(self.returns >= target)
    return float(self.env_steps[reached[0]]) if reached.size else math.inf


def read_run(path: pathlib.Path, task: str, steps: Mapping[str, int]) -> Curve:
  """Reads the curve of a finished run.

  Steps and time add up over its layers, bottom first: a layer goes on where the one below
  ended. The two evaluations at that step are of the same stack but for a fresh layer; the
  later one counts. A layer trained on a task of its own costs steps and time and has no
  returns on this one.

  Args:
    path: Its `metrics.jsonl`.
    task: The task of the run.
    steps: Environment steps of each layer, bottom first.

  Raises:
    ConfigError: If the file is missing or damaged, or the run is not complete.
  """
  rows = _rows(path)
  points: dict[int, tuple[float, float]] = {}
  offset, clock, success = 0, 0.0, None
  for layer, planned in steps.items():
    own = [row for row in rows if row['layer'] == layer]
    done = own[-1]['env_steps'] if own else 0
    if done < planned:
      raise errors.ConfigError(
        f'{path} has {done:,} of {planned:,} environment steps of layer {layer!r}'
      )
    for row in own:
      if row.get('task', task) == task:
        points[offset + row['env_steps']] = (row['return_mean'], clock + row['wall_s'])
        success = row.get('success_rate')
    offset, clock = offset + done, clock + own[-1]['wall_s']
  returns, wall_s = zip(*points.values(), strict=True) if points else ((), ())
  try:
    return Curve(np.array(list(points)), np.array(returns), np.array(wall_s), success)
  except errors.ConfigError as error:
    raise errors.ConfigError(f'{path}: {error}') from None


def _rows(path: pathlib.Path) -> list[dict[str, Any]]:
  try:
    lines = path.read_text(encoding='utf-8').splitlines()
    rows = [json.loads(line) for line in lines]
    for row in rows:
      row['layer'], row['env_steps'] + row['wall_s'] + row['return_mean']
  except OSError as error:
    raise errors.ConfigError(f'{path} cannot be read: {error.strerror}') from None
  except (ValueError, KeyError, TypeError):
    raise errors.ConfigError(f'{path} is damaged') from None
  return rows


def common_steps(curves: Sequence[Curve]) -> np.ndarray:
  """Returns the steps on which curves can be laid together, [P].

  These are all steps at which one of them was evaluated, from the first that all have
  reached to the last that all reach: nothing is made up outside of a run.
  """
  steps = np.unique(np.concatenate([curve.env_steps for curve in curves]))
  first = max(curve.env_steps[0] for curve in curves)
  last = min(curve.env_steps[-1] for curve in curves)
  return steps[(steps >= first) & (steps <= last)]


def together(curves: Sequence[Curve], env_steps: np.ndarray) -> np.ndarray:
  """Returns the returns of curves [N] at some steps [P], as [P, N]."""
  return np.stack([curve.at(env_steps) for curve in curves], axis=-1)
