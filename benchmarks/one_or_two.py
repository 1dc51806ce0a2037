r"""Draws runs of one and of two layers side by side, from their metrics.

python -m benchmarks.one_or_two --title='HalfCheetah-v5: from the same base' \
    --run='seed 0=one layer goes on=results/half_cheetah/one_or_two/one_seed0' \
    --run='seed 0=second layer=results/half_cheetah/one_or_two/two_seed0' \
    --output=/tmp/one_or_two.png
"""

import json
import pathlib

from absl import app
from absl import flags

from latent_hrl.evaluation import plots

_RUNS = flags.DEFINE_multi_string(
  'run', None, 'PANEL=LABEL=DIRECTORY of a run; may be repeated.', required=True
)
_TITLE = flags.DEFINE_string('title', '', 'Title of the picture.')
_FROM = flags.DEFINE_integer('from_step', 300_000, 'Environment steps that are shared.')
_OUTPUT = flags.DEFINE_string('output', None, 'PNG or SVG file.', required=True)


def _curves(directory: pathlib.Path) -> tuple[tuple[list, list], tuple[list, list]]:
  """Returns steps and returns of evaluation and of collection, all layers in a row."""
  evaluation: tuple[list, list] = ([], [])
  collection: tuple[list, list] = ([], [])
  text = (directory / 'metrics.jsonl').read_text(encoding='utf-8')
  rows = [json.loads(line) for line in text.splitlines()]
  below, last = 0, rows[0]
  for row in rows:
    if row['layer'] != last['layer']:
      below += last['env_steps']
    last = row
    steps = below + row['env_steps']
    if len({r['layer'] for r in rows}) == 1 and row['layer'] != 'base':
      steps += _FROM.value  # The layer below is another run's.
    if steps >= _FROM.value:
      evaluation[0].append(steps)
      evaluation[1].append(row['return_mean'])
      if 'collect' in row:
        collection[0].append(steps)
        collection[1].append(row['collect']['return_mean'])
  return evaluation, collection


def main(_: list[str]) -> None:
  """Draws."""
  panels: dict[str, dict[str, tuple[list, list]]] = {}
  for run in _RUNS.value:
    panel, label, directory = run.split('=', 2)
    evaluation, collection = _curves(pathlib.Path(directory))
    panels.setdefault(f'{panel}: mode policy, 10 episodes', {})[label] = evaluation
    panels.setdefault(f'{panel}: collection, latents drawn', {})[label] = collection
  plots.beside(panels, _TITLE.value, pathlib.Path(_OUTPUT.value))


if __name__ == '__main__':
  app.run(main)
