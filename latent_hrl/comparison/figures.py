"""The pictures of a report."""

import io
import pathlib
from typing import Any

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402  the backend is chosen first

from latent_hrl import files  # noqa: E402
from latent_hrl.comparison import curves  # noqa: E402
from latent_hrl.comparison import results as results_lib  # noqa: E402
from latent_hrl.comparison import statistics  # noqa: E402
from latent_hrl.comparison import tables  # noqa: E402

# Okabe and Ito's colours, which the colour-blind tell apart too.
_COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
_LINES = ('-', '--', '-.', ':')
_STYLE: dict[Any, Any] = {
  'font.size': 9,
  'axes.titlesize': 10,
  'axes.spines.top': False,
  'axes.spines.right': False,
  'axes.grid': True,
  'grid.alpha': 0.25,
  'legend.frameon': False,
  'lines.linewidth': 1.6,
  'svg.hashsalt': 'latent_hrl',  # The same figures are the same file.
}


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
  with plt.rc_context(_STYLE):
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
      picture = io.BytesIO()
      metadata = {'Date': None} if suffix == 'svg' else {}
      figure.savefig(picture, format=suffix, dpi=200, metadata=metadata)
      files.write_bytes(stem.with_name(f'{stem.name}.{suffix}'), picture.getvalue())
    plt.close(figure)


def _panel(axes: plt.Axes, task: str, results: results_lib.Results) -> None:
  budget = results.comparison.env_steps
  axes.set_title(task)
  axes.set_xlabel('environment steps')
  axes.set_ylabel('evaluation return')
  axes.set_xlim(0, budget)
  axes.xaxis.set_major_formatter(lambda value, _: _thousands(value))
  axes.yaxis.set_major_formatter(lambda value, _: f'{value:,.6g}')
  for index, system in enumerate(results.systems):
    runs = results.curves[task].get(system, ())
    if not runs:
      continue
    steps = curves.common_steps(runs)
    if not steps.size:
      continue
    color, line = _COLORS[index % len(_COLORS)], _LINES[index // len(_COLORS) % len(_LINES)]
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
      f'{tables.number(value)} after {_thousands(at)}{where}',
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


def _thousands(steps: float) -> str:
  if steps >= 1e6:
    return f'{steps / 1e6:g}M'
  return f'{steps / 1e3:g}k' if steps else '0'
