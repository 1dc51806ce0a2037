"""A comparison of fake runs, to be killed.

python -m tests.comparison.fake_compare ROOT_DIR [BINDING ...]
"""

import pathlib
import sys

from latent_hrl import cli
from latent_hrl import threads
from latent_hrl.comparison import compare
from latent_hrl.comparison import plan
from latent_hrl.comparison import runner

TRAINER = str(pathlib.Path(__file__).with_name('fake_trainer.py'))
_real_command = plan.Run.command


def command(run: plan.Run, cores: int) -> list[str]:
  """The real command with the fake trainer in the place of the launcher."""
  interpreter, _, _, _, *flags = _real_command(run, cores)
  return [interpreter, '-S', TRAINER, *flags]


def draw_nothing(results, stem: pathlib.Path) -> None:
  """Stands in for `figures.learning_curves`, which takes most of a report's time."""
  del results
  stem.with_name(f'{stem.name}.svg').write_text('<svg/>')


def commands(code: str):
  """Returns what stands in for `plan.Run.command` and runs some code."""
  return lambda run, cores: [sys.executable, '-S', '-c', code]


def comparison(*bindings: str, seeds: int = 3, **kwargs) -> plan.Comparison:
  """Two systems, one of them with two layers."""
  return plan.Comparison(
    systems=[
      plan.System('flat', gin_file='flat.gin', bindings=list(bindings)),
      plan.System('deep', gin_file='deep.gin', layers={'base': 0.5, 'upper': 0.5}),
    ],
    **{'tasks': ['Toy-v0'], 'env_steps': 400, 'seeds': seeds, **kwargs},
  )


if __name__ == '__main__':
  root_dir, *bindings = sys.argv[1:]
  plan.Run.command = command  # type: ignore[method-assign]
  runner.check = lambda runs: []
  threads.free_cores = lambda: 2
  sys.argv = sys.argv[:1]
  cli.run(
    lambda: compare.compare(
      comparison(*bindings), pathlib.Path(root_dir), jobs=2, cores=1, command='compare'
    ),
    tensorflow=False,
  )
