"""The tables of a report; each figure with the number of runs behind it."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from latent_hrl.comparison import results as results_lib
from latent_hrl.comparison import statistics


class Cell(NamedTuple):
  """A figure.

  Attributes:
    text: The figure.
    detail: What it comes from, in small print.
  """

  text: str
  detail: str = ''


class Table(NamedTuple):
  """A table.

  Attributes:
    title: Its heading.
    caption: How to read it.
    header: Heads of the columns.
    rows: The name of a system and its cells.
  """

  title: str
  caption: str
  header: Sequence[str]
  rows: Sequence[tuple[str, Sequence[Cell]]]


_NOTHING = Cell('–')


def all_tables(results: results_lib.Results) -> list[Table]:
  """Returns the tables that have something to say."""
  tables = [
    final(results),
    success(results),
    improvement(results),
    efficiency(results),
    wall_time(results),
  ]
  return [table for table in tables if results.systems and len(table.header) > 1]


def final(results: results_lib.Results) -> Table:
  """Returns what each system ends with, and scores over all tasks if there are several."""
  comparison, tasks = results.comparison, results.comparison.tasks
  several = len(tasks) > 1
  scales = {task: results.scale(task) for task in tasks}
  rows = []
  ours = [system.name for system in comparison.systems]
  for system in dict.fromkeys([*ours, *results.systems]):
    samples = {task: results.final(task, system) for task in tasks}
    cells = [_interquartile(results, system, [samples[task]]) for task in tasks]
    if several:
      scores = [
        (samples[task] - scale[0]) / (scale[1] - scale[0])
        for task, scale in scales.items()
        if scale is not None and samples[task].size
      ]
      complete = len(scores) == len(tasks)
      cells.append(_interquartile(results, system, scores) if complete else _NOTHING)
    rows.append((system, cells))
  published = dict.fromkeys(name for of in results.means.values() for name in of)
  for system in published:
    cells = [_published(results, task, system) for task in tasks]
    rows.append((system, cells + [_NOTHING] * several))
  meaning = (
    ' Scores are 0 for the mean return before training and 1 for the best mean final '
    'return of a system on the task.'
  )
  return Table(
    f'Return after {comparison.env_steps:,} environment steps',
    'Interquartile mean over runs (of fewer than four: the mean), and in brackets its 95% '
    'interval, from a bootstrap stratified over tasks.' + meaning * several,
    ['system', *tasks, *['score, all tasks'] * several],
    rows,
  )


def success(results: results_lib.Results) -> Table:
  """Returns how often each system ends in success, on the tasks that have goals."""
  found = {
    task: {
      system: [run.success for run in runs if run.success is not None]
      for system, runs in of.items()
    }
    for task, of in results.curves.items()
  }
  tasks = [task for task, of in found.items() if any(of.values())]

  def cell(task: str, system: str) -> Cell:
    rates = found[task].get(system, [])
    if not rates:
      return _NOTHING
    spread = f' [{min(rates):.0%}, {max(rates):.0%}]' if len(rates) > 1 else ''
    return Cell(f'{np.mean(rates):.0%}{spread}', f'n = {len(rates)}')

  return Table(
    'Success at the end',
    'Share of the episodes of the last evaluation that end in success: the mean over runs, '
    'and in brackets the least and the most.',
    ['system', *tasks],
    [(name, [cell(task, name) for task in tasks]) for name in results.systems],
  )


def improvement(results: results_lib.Results) -> Table:
  """Returns how probably a run of one system beats a run of another."""
  tasks = results.comparison.tasks
  # A curve that stops before the budget has no final return to compare.
  systems = [s for s in results.systems if any(results.final(t, s).size for t in tasks)]
  systems = systems if len(systems) > 1 else []

  def cell(ours: str, theirs: str) -> Cell:
    pairs = [(results.final(task, ours), results.final(task, theirs)) for task in tasks]
    pairs = [pair for pair in pairs if pair[0].size and pair[1].size]
    if ours == theirs or not pairs:
      return _NOTHING
    estimate = statistics.probability_of_improvement(*zip(*pairs, strict=True))
    counts = [sum(sample.size for sample in side) for side in zip(*pairs, strict=True)]
    of = f', {len(pairs)} tasks' if len(tasks) > 1 else ''
    return Cell(_interval(estimate), f'n = {counts[0]}, {counts[1]}{of}')

  return Table(
    'Probability of improvement',
    'How probably a run of the row ends with a higher return than a run of the column, '
    'mean over tasks (ties count half), and in brackets the 95% interval. One of no width '
    'says that all pairs agree, not that there is no doubt.',
    ['row beats column', *systems],
    [(ours, [cell(ours, theirs) for theirs in systems]) for ours in systems],
  )


def efficiency(results: results_lib.Results) -> Table:
  """Returns the environment steps to reach some returns."""
  targets = [
    (task, target) for task in results.comparison.tasks for target in results.targets(task)
  ]

  def cell(system: str, task: str, target: float) -> Cell:
    runs = results.curves[task].get(system, ())
    steps = [curve.steps_to(target) for curve in runs]
    steps = [step if step <= results.comparison.env_steps else math.inf for step in steps]
    reached = sum(map(math.isfinite, steps))
    if not steps:
      return _NOTHING
    return Cell(_spread(steps, _steps), f'{reached} of {len(steps)} runs')

  return Table(
    'Environment steps to reach a return',
    'The first evaluation at or above the return: median over runs and, in brackets, the '
    'fewest and the most; below it, how many runs reached it.',
    ['system', *(f'{number(target)} on {task}' for task, target in targets)],
    [(name, [cell(name, *target) for target in targets]) for name in results.systems],
  )


def wall_time(results: results_lib.Results) -> Table:
  """Returns how long the runs took."""

  def cell(system: str, task: str) -> Cell:
    ends = [
      (float(curve.env_steps[-1]), float(curve.wall_s[-1]))
      for curve in results.curves[task].get(system, ())
      if curve.wall_s is not None and curve.wall_s[-1] > 0
    ]
    if not ends:
      return _NOTHING
    speed = np.median([steps / seconds for steps, seconds in ends])
    spread = _spread([seconds for _, seconds in ends], _clock)
    return Cell(spread, f'n = {len(ends)}, {speed:,.1f} steps/s')

  return Table(
    'Training time',
    'Training and evaluation of all layers, without start-up: median over runs and, in '
    'brackets, the shortest and the longest. Runs side by side slow each other down.',
    ['system', *results.comparison.tasks],
    [
      (name, [cell(name, task) for task in results.comparison.tasks])
      for name in results.systems
    ],
  )


def as_text(shown: Sequence[Table]) -> str:
  """Returns tables for a terminal."""
  blocks = []
  for table in shown:
    lines = [list(table.header)] + [
      [name, *(f'{c.text} ({c.detail})' if c.detail else c.text for c in cells)]
      for name, cells in table.rows
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ('  '.join(map(str.ljust, line, widths)).rstrip() for line in lines)
    blocks.append('\n'.join([f'\n{table.title}', *padded]))
  return '\n'.join(blocks)


def number(value: float) -> str:
  """Returns a return with as many digits as mean something."""
  size = abs(value)
  digits = 0 if size >= 100 else 1 if size >= 10 else 2
  return f'{value:,.{digits}f}'


def _interquartile(
  results: results_lib.Results, system: str, samples: Sequence[np.ndarray]
) -> Cell:
  runs = sum(sample.size for sample in samples)
  detail = f'n = {runs}'
  planned = results.comparison.seeds * len(samples)
  ours = {own.name for own in results.comparison.systems}
  if system in ours and runs < planned:
    detail += f' of {planned}'
  if not runs:
    return Cell(_NOTHING.text, detail)
  return Cell(_interval(statistics.interquartile_mean(samples)), detail)


def _published(results: results_lib.Results, task: str, system: str) -> Cell:
  result = results.means[task].get(system)
  if result is None:
    return _NOTHING
  steps, value = result.point(results.comparison.env_steps)
  where = f', {result.measured_on}' if result.measured_on != task else ''
  return Cell(f'{number(value)} after {_steps(steps)}', f'mean, n = {result.seeds}{where}')


def _interval(estimate: statistics.Estimate) -> str:
  text = number(float(estimate.value))
  if estimate.low is None:
    return text
  return f'{text} [{number(float(estimate.low))}, {number(float(estimate.high))}]'


def _spread(values: Sequence[float], write: Callable[[float], str]) -> str:
  middle = write(float(np.median(values)))
  if min(values) == max(values):
    return middle
  return f'{middle} [{write(min(values))}, {write(max(values))}]'


def _steps(steps: float) -> str:
  return f'{steps:,.0f}' if math.isfinite(steps) else 'never'


def _clock(seconds: float) -> str:
  minutes, seconds = divmod(round(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  return f'{hours}:{minutes:02}:{seconds:02}'
