r"""How fast an actor follows critics that stand still.

  python -m benchmarks.still_critics --gin_file=gin/stack_half_cheetah.gin \
    --gin_bindings="train_stack.layers = ['runs/two/layers/base', @upper/Layer()]" \
    --critics=runs/two/checkpoints/upper/step_0000300000 \
    --start=runs/two/checkpoints/base/step_0000300000 --seed=0 --output=still.json

Critics, temperature and replay come from one checkpoint and do not change. The actor is
that of the last layer of the stack, as gin describes it, and starts as in training: at the
bottom with all that --start has of a policy, above as the identity, with the embedding of
--start alone; without --start from nothing. Reported is its objective, min Q + αH in the
mean over states of the replay, after so many updates of the actor alone.

What training adds to this (other states, critics that move) is left out on purpose: of two
policies it tells which one can do more of what its critics ask for.
"""

import json
import pathlib

from absl import flags

from latent_hrl import cli

_GIN_FILE = flags.DEFINE_multi_string(
  'gin_file', None, 'Gin file of a task and its stack; may be repeated.', required=True
)
_GIN_BINDINGS = flags.DEFINE_multi_string(
  'gin_bindings', [], 'Binding that overrides the files; may be repeated.'
)
_CRITICS = flags.DEFINE_string(
  'critics', None, 'Checkpoint, DIR/checkpoints/NAME/step_N, of the critics.', required=True
)
_START = flags.DEFINE_string('start', None, 'Checkpoint that the actor starts from.')
_SEED = flags.DEFINE_integer(
  'seed', 0, 'Seed of weights, batches and noise.', lower_bound=0
)
_UPDATES = flags.DEFINE_multi_integer(
  'updates', [300, 1000, 2000, 4000], 'Updates after which to measure; may be repeated.'
)
_OUTPUT = flags.DEFINE_string('output', None, 'JSON file to write.')


def main() -> None:
  """Measures, prints and writes."""
  # As in the launchers: --help does not wait for TensorFlow.
  from benchmarks import actor_fit
  from latent_hrl import config
  from latent_hrl import files

  config.load(_GIN_FILE.value, _GIN_BINDINGS.value)
  cli.configure_threads()
  start = None if _START.value is None else pathlib.Path(_START.value)
  curve = actor_fit.measure(
    pathlib.Path(_CRITICS.value), start, _SEED.value, _UPDATES.value
  )
  for updates, objective in curve:
    print(f'{updates:>7,} updates: {objective:.2f}', flush=True)
  if _OUTPUT.value is not None:
    content = {
      'gin_file': _GIN_FILE.value,
      'gin_bindings': _GIN_BINDINGS.value,
      'critics': _CRITICS.value,
      'start': _START.value,
      'seed': _SEED.value,
      'curve': curve,
    }
    files.write_text(pathlib.Path(_OUTPUT.value), json.dumps(content, indent=1) + '\n')


if __name__ == '__main__':
  cli.run(main)
