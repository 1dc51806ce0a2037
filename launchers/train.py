r"""Trains a stack of latent space layers, bottom first.

  python -m launchers.train --root_dir=/tmp/cheetah --gin_file=gin/half_cheetah.gin \
    --gin_bindings='base/Layer.env_steps = 100000' --seed=1

Run again with the same --root_dir, it resumes. It leaves layers/NAME, best/NAME,
metrics.jsonl, learning_curve.png, operative_config.gin, checkpoints/ and tensorboard/
there.
"""

import pathlib

from absl import flags

from latent_hrl import cli

flags.adopt_module_key_flags(cli)
_ROOT_DIR = flags.DEFINE_string(
  'root_dir', None, 'Directory of the run; an existing one resumes.', required=True
)
_GIN_FILE = flags.DEFINE_multi_string(
  'gin_file', None, 'Gin file of a task and its stack; may be repeated.', required=True
)
_GIN_BINDINGS = flags.DEFINE_multi_string(
  'gin_bindings', [], 'Binding that overrides the files; may be repeated.'
)
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of everything random.', lower_bound=0)


def main() -> None:
  """Trains what the gin files describe."""
  # TensorFlow takes seconds to import: --help and a mistyped flag should not wait for it.
  from latent_hrl import config
  from latent_hrl.training import train_stack

  config.load(_GIN_FILE.value, _GIN_BINDINGS.value)
  print(f'training in {_ROOT_DIR.value} on {cli.configure_threads()}', flush=True)
  layer = train_stack.train_stack(pathlib.Path(_ROOT_DIR.value), seed=_SEED.value)
  print(f'saved {layer.path}', flush=True)


if __name__ == '__main__':
  cli.run(main, resumes=True)
