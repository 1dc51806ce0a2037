r"""Kills a run again and again, and compares its end with that of one left alone.

  python -m tests.reliability.kills --kills=20 --root_dir=/tmp/kills
  python -m tests.reliability.kills --kills=20 --root_dir=/tmp/kills_of_two \
    --gin_file=gin/stack_half_cheetah.gin --layers=base --layers=upper

Each kill is a SIGKILL. Every second one comes at a random moment, from the start of the
process on; the others wait for a checkpoint to be written and come in the middle of that,
which is known by half-written files that they leave. Ends with exit code 1 if one bit of
weights, state or metrics differs, or if no kill fell into a checkpoint.
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
_STEPS = flags.DEFINE_integer('env_steps', 6000, 'Environment steps of each layer.')
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of the moments.')

# Seconds, from the start of the process: a run trains after about twelve.
_MOMENTS = (1.0, 20.0)
# Files and directories of checkpoints that a run may write in peace, two a checkpoint.
_IN_PEACE = 6
# Seconds from the first sight of a half-written file; a checkpoint takes about 0.05.
_WRITING = (0.0, 0.03)


_IN_CHECKPOINT = 'in the writing of a checkpoint'


def _command(root_dir: pathlib.Path) -> list[str]:
  bindings = [
    f'{layer}/{name}'
    for layer in _LAYERS.value
    for name in (
      f'Layer.env_steps = {_STEPS.value}',
      'OffPolicy.initial_steps = 500',
      'TrainingLoop.eval_interval = 1000',
      'TrainingLoop.eval_episodes = 1',
      'TrainingLoop.checkpoint_interval = 200',
    )
  ]
  return [
    *(sys.executable, '-m', 'launchers.train', '--cores=1', '--seed=0'),
    *(f'--root_dir={root_dir}', f'--gin_file={_GIN_FILE.value}'),
    *(f'--gin_bindings={binding}' for binding in bindings),
  ]


def _half_written(root_dir: pathlib.Path) -> set[pathlib.Path]:
  """Returns what stands beside its place until it is whole."""
  places = ('checkpoints/*/.*', 'checkpoints/*/replay/.*')
  return {path for place in places for path in root_dir.glob(place)}


def _kill_once(root_dir: pathlib.Path, rng: random.Random, in_checkpoint: bool) -> str:
  """Starts the run and kills it; returns where."""
  left_by_earlier_kills = _half_written(root_dir)
  process = subprocess.Popen(
    _command(root_dir), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
  )
  if in_checkpoint:
    in_peace, seen = rng.randrange(_IN_PEACE), set[str]()
    while process.poll() is None and len(seen) <= in_peace:
      new = _half_written(root_dir) - left_by_earlier_kills
      seen |= {path.stem for path in new}  # Without the random suffix.
      time.sleep(0.0005)
    time.sleep(rng.uniform(*_WRITING))
  else:
    time.sleep(rng.uniform(*_MOMENTS))
  if process.poll() is None:
    process.kill()
  _, complaint = process.communicate()
  if process.returncode > 0:
    raise RuntimeError(f'the run failed: {complaint.strip().splitlines()[-1]}')
  if process.returncode == 0:
    return 'after its end'
  if _half_written(root_dir) - left_by_earlier_kills:
    return _IN_CHECKPOINT
  steps = max(root_dir.glob('checkpoints/*/step_*'), default=None, key=_age)
  return f'last checkpoint {"none" if steps is None else steps.relative_to(root_dir)}'


def _age(path: pathlib.Path) -> float:
  return path.stat().st_mtime


def main(_) -> None:
  """Runs once undisturbed and once with kills."""
  root = pathlib.Path(_ROOT_DIR.value)
  root.mkdir(parents=True)
  subprocess.run(_command(root / 'whole'), check=True)
  rng = random.Random(_SEED.value)
  in_checkpoints = 0
  for kill in range(_KILLS.value):
    where = _kill_once(root / 'killed', rng, in_checkpoint=kill % 2 == 1)
    in_checkpoints += where == _IN_CHECKPOINT
    print(f'kill {kill + 1}: {where}', flush=True)
  subprocess.run(_command(root / 'killed'), check=True)
  found = results.differences(root / 'whole', root / 'killed')
  if found:
    sys.exit(f'differs after {_KILLS.value} kills: {", ".join(found)}')
  if not in_checkpoints:
    sys.exit('no kill fell into a checkpoint: nothing is shown of those')
  print(
    f'the same, bit for bit, after {_KILLS.value} kills, {in_checkpoints} of them in the '
    'writing of a checkpoint'
  )


if __name__ == '__main__':
  app.run(main)
