r"""Makes outside results for launchers.compare from evaluations of Stable-Baselines3.

  python -m launchers.convert_sb3 --evaluations=seed0/evaluations.npz \
    --evaluations=seed1/evaluations.npz --system='SB3 SAC' --task=HalfCheetah-v5 \
    --output=sb3_sac.json

EvalCallback writes an evaluations.npz a run; here they are one seed each.
"""

import pathlib

from absl import flags

from latent_hrl import cli

_EVALUATIONS = flags.DEFINE_multi_string(
  'evaluations', None, 'An evaluations.npz; repeat it for more seeds.', required=True
)
_SYSTEM = flags.DEFINE_string('system', None, 'Name of the system.', required=True)
_TASK = flags.DEFINE_string('task', None, 'Task it was trained on.', required=True)
_OUTPUT = flags.DEFINE_string('output', None, 'JSON file to write.', required=True)


def main() -> None:
  """Converts the files."""
  from latent_hrl.comparison import outside
  from latent_hrl.comparison import sb3

  results = sb3.convert(_EVALUATIONS.value, _SYSTEM.value, _TASK.value)
  outside.write(results, pathlib.Path(_OUTPUT.value))
  print(f'wrote {_OUTPUT.value}: {len(results.results)} runs of {_SYSTEM.value}')


if __name__ == '__main__':
  cli.run(main, tensorflow=False)
