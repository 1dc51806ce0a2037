"""The launchers as commands: `python -m launchers.X` in a clone, `latent-hrl-X` installed.

setup.py puts the folder launchers/ into the installed package, where it is no name of its
own beside those of other packages.
"""

import functools
import pathlib
import re
import runpy
import sys

_PACKAGE = pathlib.Path(__file__).resolve().parent
_INSTALLED = (_PACKAGE / 'launchers').is_dir()
_FOLDER = (_PACKAGE if _INSTALLED else _PACKAGE.parent) / 'launchers'


def words(launcher: str) -> list[str]:
  """Returns how one calls a launcher here, such as ['python', '-m', 'launchers.train']."""
  if _INSTALLED:
    return [f'latent-hrl-{launcher.replace("_", "-")}']
  return ['python', '-m', f'launchers.{launcher}']


def adapted(text: str) -> str:
  """Returns a text that calls launchers as in a clone with the calls that work here."""
  return re.sub(
    r'python -m launchers\.(\w+)', lambda call: ' '.join(words(call.group(1))), text
  )


def run(launcher: str) -> None:
  """Runs a launcher as the main program, with the flags in `sys.argv`."""
  runpy.run_path(str(_FOLDER / f'{launcher}.py'), run_name='__main__')


# The console commands; see setup.py.
compare = functools.partial(run, 'compare')
convert_sb3 = functools.partial(run, 'convert_sb3')
demo = functools.partial(run, 'demo')
eval_ = functools.partial(run, 'eval')
reseal = functools.partial(run, 'reseal')
train = functools.partial(run, 'train')
zoo = functools.partial(run, 'zoo')


if __name__ == '__main__':  # For processes that start a launcher, wherever it lies.
  run(sys.argv.pop(1))
