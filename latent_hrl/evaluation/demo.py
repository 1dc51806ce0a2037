"""The demo's evaluation: one table, and pictures of what was learned."""

import pathlib
import shutil
from collections.abc import Sequence

from latent_hrl import files
from latent_hrl import run_directory
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import plots
from latent_hrl.evaluation import rollout
from latent_hrl.layers import load

PARTS = ('half_cheetah', 'multi_goal')
_EPISODES = 10
_GOAL_EPISODES = 200


def report(root_dir: pathlib.Path) -> str:
  """Evaluates the demo's layers, draws the pictures and returns the table.

  Args:
    root_dir: Directory of the demo, with a trained run for each of `PARTS`.

  Returns:
    The table as text, also written to `table.md`.
  """
  rows = [
    *_half_cheetah(run_directory.RunDirectory(root_dir / 'half_cheetah')),
    *_multi_goal(root_dir),
  ]
  table = _table(('task', 'policy', 'episodes', 'return', 'reached what'), rows)
  files.write_text(root_dir / 'table.md', table + '\n')
  curve = root_dir / 'half_cheetah.png'
  shutil.copyfile(run_directory.RunDirectory(root_dir / 'half_cheetah').curve, curve)
  pictures = f'pictures: {curve}, {root_dir / "multi_goal.png"}'
  return f'\n{table}\n\n{pictures}\nlayers:   {root_dir}/*/layers/*'


def _half_cheetah(run: run_directory.RunDirectory) -> list[tuple[str, ...]]:
  base, upper = (load.load_layer(run.layer(name)) for name in ('base', 'upper'))
  policies = {
    'random actions': rollout.evaluate_random(base.manifest.task, _EPISODES),
    'base layer, mode': rollout.evaluate(base, episodes=_EPISODES),
    'base layer, sampled': rollout.evaluate(base, episodes=_EPISODES, latents='sample'),
    'two layers, mode': rollout.evaluate(upper, episodes=_EPISODES),
    'two layers, sampled': rollout.evaluate(upper, episodes=_EPISODES, latents='sample'),
  }
  return [_row(base.manifest.task, name, episodes) for name, episodes in policies.items()]


def _multi_goal(root_dir: pathlib.Path) -> list[tuple[str, ...]]:
  run = run_directory.RunDirectory(root_dir / 'multi_goal')
  base, east = (load.load_layer(run.layer(name)) for name in ('base', 'north_east'))
  held = rollout.evaluate(base, episodes=_GOAL_EPISODES, latents='hold', record=True)
  sampled = rollout.evaluate(east, episodes=_GOAL_EPISODES, latents='sample', record=True)
  policies = {'base layer, latent held': held, 'goal layer on top, sampled': sampled}
  plots.goal_trajectories(policies, root_dir / 'multi_goal.png')
  return [_row(base.manifest.task, name, episodes) for name, episodes in policies.items()]


def _row(
  task: str, policy: str, episodes: Sequence[episodes_lib.Episode]
) -> tuple[str, ...]:
  summary = episodes_lib.summarize(episodes)
  goals = ', '.join(
    f'goal {goal}: {rate:.0%}' for goal, rate in summary.get('goal_rates', {}).items()
  )
  returns = f'{summary["return_mean"]:,.1f} ± {summary["return_std"]:,.1f}'
  return task, policy, str(summary['episodes']), returns, goals or '-'


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]

  def line(cells: Sequence[str]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return '| ' + ' | '.join(padded) + ' |'

  rule = '| ' + ' | '.join('-' * width for width in widths) + ' |'
  return '\n'.join([line(header), rule, *(line(row) for row in rows)])
