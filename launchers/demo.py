r"""Trains, stacks and evaluates on HalfCheetah-v5 and on the multi-goal task.

  python -m launchers.demo --root_dir=demo

A few minutes on two cores: a base layer, a second layer on top of it, the multi-goal task;
then one table and the pictures. An interrupted demo resumes; a finished one only
evaluates.
"""

import pathlib

from absl import flags

from latent_hrl import cli

flags.adopt_module_key_flags(cli)
_ROOT_DIR = flags.DEFINE_string('root_dir', 'demo', 'Directory of the demo.')
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of everything random.', lower_bound=0)


def main() -> None:
  """Runs the demo."""
  from latent_hrl import config
  from latent_hrl.evaluation import demo
  from latent_hrl.training import train_stack

  root_dir = pathlib.Path(_ROOT_DIR.value)
  print(f'demo in {root_dir} on {cli.configure_threads()}', flush=True)
  for name in demo.PARTS:
    config.load([f'gin/demo/{name}.gin'])
    print(f'\n{name}: training, bottom layer first', flush=True)
    train_stack.train_stack(root_dir / name, seed=_SEED.value)
  print('\nevaluating', flush=True)
  print(demo.report(root_dir), flush=True)


if __name__ == '__main__':
  cli.run(main, resumes=True)
