"""Everything a report is made of: the curves of all systems on all tasks."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from latent_hrl import errors
from latent_hrl.comparison import curves
from latent_hrl.comparison import outside
from latent_hrl.comparison import plan

# Where nobody says which returns to reach: shares of the way from untrained to best.
_SHARES = (0.5, 0.9)


@dataclasses.dataclass(frozen=True, eq=False)
class Results:
  """What is compared.

  Attributes:
    comparison: What was asked for.
    curves: By task, by system: a curve a run. Systems of others come last, and only where
      they have runs of a task; ours are there even without a finished run.
    means: By task, by system: what others tell without their runs.
    sources: What to know of the systems of others, by name.
  """

  comparison: plan.Comparison
  curves: Mapping[str, Mapping[str, Sequence[curves.Curve]]]
  means: Mapping[str, Mapping[str, outside.Result]]
  sources: Mapping[str, str]

  @property
  def systems(self) -> list[str]:
    """All systems with a curve, in order."""
    return list(
      dict.fromkeys(
        name for of in self.curves.values() for name, runs in of.items() if runs
      )
    )

  def final(self, task: str, system: str) -> np.ndarray:
    """Returns the return of each run after the budget, [N]."""
    finals = [
      curve.final(self.comparison.env_steps) for curve in self.curves[task].get(system, ())
    ]
    return np.array([value for value in finals if value is not None])

  def scale(self, task: str) -> tuple[float, float] | None:
    """Returns what is 0 and what is 1 on a task.

    0 is the mean return before training, of all runs that were evaluated there; 1 is the
    mean final return of the best system. None if nothing got better.
    """
    curves_here = [curve for of in self.curves[task].values() for curve in of]
    starts = [curve.returns[0] for curve in curves_here if curve.env_steps[0] == 0]
    finals = [self.final(task, system) for system in self.curves[task]]
    means = [float(np.mean(values)) for values in finals if values.size]
    if not starts or not means or max(means) <= np.mean(starts):
      return None
    return float(np.mean(starts)), max(means)

  def targets(self, task: str) -> list[float]:
    """Returns the returns whose first reach is told."""
    if task in self.comparison.returns:
      return list(self.comparison.returns[task])
    scale = self.scale(task)
    if scale is None:
      return []
    return [scale[0] + share * (scale[1] - scale[0]) for share in _SHARES]


def collect(
  comparison: plan.Comparison, runs: Sequence[plan.Run]
) -> tuple[Results, list[str]]:
  """Reads all finished runs and outside results.

  Args:
    comparison: What is compared.
    runs: Its runs.

  Returns:
    The results, and what could not be read, a line each.
  """
  problems: list[str] = []
  read: dict[str, dict[str, list[curves.Curve]]] = {
    task: {system.name: [] for system in comparison.systems} for task in comparison.tasks
  }
  for run in runs:
    try:
      if run.finished():
        curve = curves.read_run(run.metrics, run.task, run.steps)
        read[run.task][run.system].append(curve)
    except errors.ConfigError as error:
      problems.append(f'{run}: {error}')
  means: dict[str, dict[str, outside.Result]] = {task: {} for task in comparison.tasks}
  sources: dict[str, str] = {}
  seen: set[tuple[str, str, int | None]] = set()
  for path in comparison.references:
    try:
      other = _read_reference(path, comparison, seen)
    except errors.ConfigError as error:
      problems.append(str(error))
      continue
    for result in other.results:
      if result.task not in comparison.tasks:
        continue
      sources[other.system] = f'{other.note} Source: {other.source}'.strip()
      if result.seed is None:
        means[result.task][other.system] = result
      else:
        read[result.task].setdefault(other.system, []).append(result.curve)
  return Results(comparison, read, means, sources), problems


def _read_reference(
  path: str, comparison: plan.Comparison, seen: set[tuple[str, str, int | None]]
) -> outside.Outside:
  """Reads outside results that are not there yet; adds what they are to `seen`."""
  other = outside.read(path)
  if other.system in {system.name for system in comparison.systems}:
    raise errors.ConfigError(f'{path}: {other.system!r} is the name of one of our systems')
  mine = [(other.system, result.task, result.seed) for result in other.results]
  if len(set(mine)) < len(mine) or seen & set(mine):
    raise errors.ConfigError(f'{path}: some results of {other.system!r} are there twice')
  seen.update(mine)
  return other
