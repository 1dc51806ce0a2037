r"""Kills a run again and again, and compares its end with that of one left alone.

  python -m tests.reliability.kills --kills=20 --root_dir=/tmp/kills
  python -m tests.reliability.kills --kills=20 --root_dir=/tmp/kills_of_two \
    --gin_file=gin/stack_half_cheetah.gin --layers=base --layers=upper

Each kill is a SIGKILL at a random moment; every third waits for the writing of a
checkpoint. Ends with exit code 1 if a single bit of weights, state or metrics differs.
"""

import pathlib
import random
import subprocess
import sys
import time

from absl import app
from absl import flags

from tests.reliability import results

_ROOT_DIR = flags.DEFINE_string('root_dir', None, 'A new directory.', required=True)
_GIN_FILE = flags.DEFINE_string('gin_file', 'gin/half_cheetah.gin', 'What to train.')
_LAYERS = flags.DEFINE_multi_string('layers', ['base'], 'Names of its layers.')
_KILLS = flags.DEFINE_integer('kills', 20, 'How often to kill.', lower_bound=1)
_STEPS = flags.DEFINE_integer('env_steps', 4000, 'Environment steps of each layer.')
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of the moments.')

# Seconds until a run is past its imports and compilations.
_STARTUP = 12.0


def _command(root_dir: pathlib.Path) -> list[str]:
  bindings = [
    f'{layer}/{name}'
    for layer in _LAYERS.value
    for name in (
      f'Layer.env_steps = {_STEPS.value}',
      'Trainer.initial_steps = 500',
      'Trainer.eval_interval = 1000',
      'Trainer.eval_episodes = 1',
      'Trainer.checkpoint_interval = 200',
    )
  ]
  return [
    *(sys.executable, '-m', 'launchers.train', '--cores=1', '--seed=0'),
    *(f'--root_dir={root_dir}', f'--gin_file={_GIN_FILE.value}'),
    *(f'--gin_bindings={binding}' for binding in bindings),
  ]


def _kill_once(root_dir: pathlib.Path, rng: random.Random, in_checkpoint: bool) -> str:
  """Starts the run and kills it; returns where."""
  process = subprocess.Popen(
    _command(root_dir), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
  )
  kill_at = time.monotonic() + rng.uniform(0.5, 2.0) * _STARTUP
  where = 'at random'
  while time.monotonic() < kill_at and process.poll() is None:
    if in_checkpoint and list(root_dir.glob('checkpoints/*/.*')):
      where = 'in a checkpoint'
      break
    time.sleep(0.0005 if in_checkpoint else 0.1)
  if process.poll() is None:
    process.kill()
  _, complaint = process.communicate()
  if process.returncode > 0:
    raise RuntimeError(f'the run failed: {complaint.strip().splitlines()[-1]}')
  return where if process.returncode < 0 else 'after its end'


def main(_) -> None:
  """Runs once undisturbed and once with kills."""
  root = pathlib.Path(_ROOT_DIR.value)
  root.mkdir(parents=True)
  subprocess.run(_command(root / 'whole'), check=True)
  rng = random.Random(_SEED.value)
  for kill in range(_KILLS.value):
    where = _kill_once(root / 'killed', rng, in_checkpoint=kill % 3 == 2)
    print(f'kill {kill + 1}: {where}', flush=True)
  subprocess.run(_command(root / 'killed'), check=True)
  found = results.differences(root / 'whole', root / 'killed')
  if found:
    sys.exit(f'differs after {_KILLS.value} kills: {", ".join(found)}')
  print(f'the same, bit for bit, after {_KILLS.value} kills')


if __name__ == '__main__':
  app.run(main)
