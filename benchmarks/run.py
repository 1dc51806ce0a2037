r"""Measures this library beside TF-Agents, Stable-Baselines3 and SBX.

  python -m benchmarks.run --output=results/bench

It takes about a quarter of an hour on two cores, and needs them for itself. The peers are
installed into an environment of their own first. It leaves table.md, bench.json and
bench.png.
"""

import json
import pathlib
import sys

from absl import app
from absl import flags

from benchmarks import peers
from benchmarks import process
from benchmarks import report
from benchmarks import systems
from latent_hrl import files
from latent_hrl import machine

_OUTPUT = flags.DEFINE_string('output', 'results/bench', 'Directory of the results.')
_REPEATS = flags.DEFINE_integer('repeats', 5, 'Rounds of each group.', lower_bound=1)
_PEERS = flags.DEFINE_bool('peers', True, 'Whether to measure SB3 and SBX.')
_GROUPS = ('training', 'depths', 'tasks', 'latency', 'checkpoints', 'first_step')
_ONLY = flags.DEFINE_multi_enum('only', list(_GROUPS), _GROUPS, 'Groups to measure.')
_PEERS_DIR = process.ROOT / '.venv-peers'


def _measure(group: str, repeats: int, peers_python: str | None) -> dict[str, dict]:
  if group == 'first_step':
    return {'first_step': process.one_by_one(systems.FIRST_STEP, repeats)}
  chosen = {
    'training': lambda: systems.training(peers_python),
    'depths': systems.depths,
    'tasks': systems.tasks,
    'latency': systems.latency,
    'checkpoints': systems.checkpoints,
  }[group]()
  return process.interleave(chosen, repeats)


def main(_) -> None:
  """Measures, prints and writes."""
  output = pathlib.Path(_OUTPUT.value)
  results: dict[str, dict[str, dict]] = {}
  try:
    wanted = 'training' in _ONLY.value and _PEERS.value
    peers_python = peers.python(_PEERS_DIR) if wanted else None
    for group in dict.fromkeys(_ONLY.value):
      print(f'{group}:', flush=True)
      results[group] = _measure(group, _REPEATS.value, peers_python)
  except RuntimeError as error:  # Nothing is written: half a table would mislead.
    sys.exit(f'error: {error}')
  facts = machine.describe()
  table = report.text(results, facts)
  files.write_text(output / 'table.md', table)
  content = json.dumps({'machine': facts, 'results': results}, indent=1)
  files.write_text(output / 'bench.json', content + '\n')
  if 'training' in results:
    report.picture(results, output / 'bench.png')
  print(f'\n{table}\nwritten to {output}/', flush=True)


if __name__ == '__main__':
  app.run(main)
