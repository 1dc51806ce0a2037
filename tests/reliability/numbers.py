r"""Prints what short trainings end with, to compare two versions of the code bit for bit.

  python -m tests.reliability.numbers --root_dir=/tmp/numbers

A base layer of 2,000 steps and a two-layer stack that inherits, on one core. A line a
layer: the SHA-256 of all weights, optimisers and targets of its last checkpoint, and of its
rows of metrics.jsonl but for their clocks. Two versions that print the same lines learn the
same.
"""

import hashlib
import json
import pathlib
import subprocess
import sys

from absl import app
from absl import flags

_ROOT_DIR = flags.DEFINE_string('root_dir', None, 'A new directory.', required=True)
# By name of a run: its gin file, and the environment steps of its layers.
_RUNS = {
  'base': ('gin/half_cheetah.gin', {'base': 2000}),
  'stack': ('gin/stack_half_cheetah.gin', {'base': 1000, 'upper': 1000}),
}
_CLOCKS = ('wall_s', 'steps_per_s')


def _train(name: str, root_dir: pathlib.Path) -> None:
  gin_file, layers = _RUNS[name]
  bindings = ['base/OffPolicy.initial_steps = 500', 'TrainingLoop.eval_interval = 1000']
  bindings += ['TrainingLoop.eval_episodes = 1', 'TrainingLoop.checkpoint_interval = 1000']
  bindings += [f'{layer}/Layer.env_steps = {steps}' for layer, steps in layers.items()]
  subprocess.run(
    [
      *(sys.executable, '-m', 'launchers.train', f'--root_dir={root_dir}'),
      *(f'--gin_file={gin_file}', '--seed=0', '--cores=1'),
      *(f'--gin_bindings={binding}' for binding in bindings),
    ],
    check=True,
    stdout=subprocess.DEVNULL,
  )


def _weights(checkpoints: pathlib.Path) -> str:
  import numpy as np  # Nothing else here needs it.

  *_, newest = sorted(checkpoints.glob('step_*'))
  digest = hashlib.sha256()
  with np.load(newest / 'agent.npz', allow_pickle=False) as arrays:
    for key in sorted(arrays.files):
      digest.update(key.encode() + arrays[key].tobytes())
  return digest.hexdigest()


def _metrics(path: pathlib.Path, layer: str) -> str:
  rows = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()]
  kept = [
    {key: value for key, value in row.items() if key not in _CLOCKS}
    for row in rows
    if row['layer'] == layer
  ]
  return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def main(_: list[str]) -> None:
  """Trains, and prints the sums."""
  root_dir = pathlib.Path(_ROOT_DIR.value)
  for name, (_, layers) in _RUNS.items():
    _train(name, root_dir / name)
    for layer in layers:
      weights = _weights(root_dir / name / 'checkpoints' / layer)
      rows = _metrics(root_dir / name / 'metrics.jsonl', layer)
      print(f'{name}/{layer}: weights {weights[:16]}, metrics {rows[:16]}', flush=True)


if __name__ == '__main__':
  app.run(main)
