"""The pictures of a report."""

import pathlib
from typing import Any

import matplotlib.pyplot as plt

from latent_hrl.comparison import curves
from latent_hrl.comparison import results as results_lib
from latent_hrl.comparison import statistics
from latent_hrl.comparison import tables
from latent_hrl.evaluation import style


def learning_curves(results: results_lib.Results, stem: pathlib.Path) -> None:
  """Draws the interquartile mean of each system over environment steps, a panel a task.

  Args:
    results: The results.
    stem: Path of the files to write, without `.png` and `.svg`.
  """
  tasks = results.comparison.tasks
  columns = 2 if len(tasks) in (2, 4) else min(3, len(tasks))
  rows = -(-len(tasks) // columns)
  size = (8.0, 4.4) if columns == 1 else (3.8 * columns, 3.2 * rows + 0.6)
  with plt.rc_context(style.RC):
    figure, panels = plt.subplots(
      rows, columns, figsize=size, squeeze=False, layout='constrained'
    )
    for axes, task in zip(panels.flat, tasks, strict=False):
      _panel(axes, task, results)
    for axes in panels.flat[len(tasks) :]:
      axes.set_visible(False)
    lines: dict[str, Any] = {}  # By label: a system is in many panels.
    for axes in panels.flat:
      for line, label in zip(*axes.get_legend_handles_labels(), strict=True):
        lines.setdefault(label, line)
    if lines:
      figure.legend(
        handles=list(lines.values()), loc='outside lower center', ncols=min(3, len(lines))
      )
    for suffix in ('png', 'svg'):
      style.save(figure, stem.with_name(f'{stem.name}.{suffix}'))


def _panel(axes: plt.Axes, task: str, results: results_lib.Results) -> None:
  budget = results.comparison.env_steps
  axes.set_title(task)
  axes.set_xlabel('environment steps')
  axes.set_ylabel('evaluation return')
  axes.set_xlim(0, budget)
  axes.xaxis.set_major_formatter(style.steps)
  axes.yaxis.set_major_formatter(style.number)
  for index, system in enumerate(results.systems):
    runs = results.curves[task].get(system, ())
    if not runs:
      continue
    steps = curves.common_steps(runs)
    if not steps.size:
      continue
    color, line = style.of_curve(index)
    estimate = statistics.interquartile_mean([curves.together(runs, steps)])
    axes.plot(steps, estimate.value, line, color=color, label=_label(results, system))
    if estimate.low is not None:
      axes.fill_between(
        steps, estimate.low, estimate.high, color=color, alpha=0.18, linewidth=0
      )
  for system, result in results.means[task].items():
    at, value = result.point(budget)
    label = f'{system} (n = {result.seeds})'
    axes.axhline(value, color='0.35', linestyle=(0, (4, 3)), linewidth=1.1, label=label)
    where = f', {result.measured_on}' if result.measured_on != task else ''
    axes.annotate(
      f'{tables.number(value)} after {style.steps(at)}{where}',
      (0.01, value),
      xycoords=('axes fraction', 'data'),
      xytext=(0, 4),
      textcoords='offset points',
      fontsize='small',
      color='0.25',
      bbox={'facecolor': 'white', 'alpha': 0.75, 'linewidth': 0, 'pad': 0.5},
    )


def _label(results: results_lib.Results, system: str) -> str:
  """Returns a system with the number of its runs, or the least and most of the tasks."""
  counts = [len(of[system]) for of in results.curves.values() if of.get(system)]
  low, high = min(counts), max(counts)
  return f'{system} (n = {low})' if low == high else f'{system} (n = {low} to {high})'
