r"""Compares systems on tasks: trains them all, side by side, and writes one report.

  python -m launchers.compare --root_dir=/tmp/compare --gin_file=gin/compare/quick.gin

Run again with the same --root_dir, it goes on where it was: finished runs stay as they are,
interrupted and failed ones are resumed. It leaves report.html, report.md, the pictures, and
the runs in runs/SYSTEM/TASK/seed_N. docs/comparing.md tells the rest.
"""

import dataclasses
import pathlib
import shlex
import sys

from absl import flags

from latent_hrl import cli

flags.adopt_module_key_flags(cli)
_ROOT_DIR = flags.DEFINE_string(
  'root_dir', None, 'Directory of the comparison; an existing one goes on.', required=True
)
_GIN_FILE = flags.DEFINE_multi_string(
  'gin_file', None, 'Gin file of the comparison; may be repeated.', required=True
)
_GIN_BINDINGS = flags.DEFINE_multi_string(
  'gin_bindings', [], 'Binding that overrides the files; may be repeated.'
)
_SEEDS = flags.DEFINE_integer(
  'seeds', None, 'Number of seeds; compare.seeds by default.', lower_bound=1
)
_JOBS = flags.DEFINE_integer(
  'jobs',
  None,
  'Runs side by side, each on --cores cores of its own (1 by default); by default as many '
  'as there are free cores for.',
  lower_bound=1,
)


def main() -> None:
  """Runs the comparison."""
  from latent_hrl import config
  from latent_hrl import console
  from latent_hrl import errors
  from latent_hrl import threads
  from latent_hrl.comparison import compare
  from latent_hrl.comparison import plan

  config.load(_GIN_FILE.value, _GIN_BINDINGS.value, ['latent_hrl.comparison.plan'])
  comparison = plan.Comparison()
  if _SEEDS.value is not None:
    comparison = dataclasses.replace(comparison, seeds=_SEEDS.value)
  cores = cli.cores() or 1
  jobs = _JOBS.value or max(1, threads.free_cores() // cores)
  allowed = threads.available_cores()
  if jobs * cores > allowed:
    raise errors.ConfigError(
      f'--jobs={jobs} with --cores={cores} needs {jobs * cores} cores; there are {allowed}'
    )
  compare.compare(
    comparison,
    pathlib.Path(_ROOT_DIR.value),
    jobs,
    cores,
    command=shlex.join([*console.words('compare'), *sys.argv[1:]]),
  )


if __name__ == '__main__':
  cli.run(main, tensorflow=False, resumes=True)
