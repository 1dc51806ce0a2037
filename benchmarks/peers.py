"""The environment of the other libraries: PyTorch and JAX do not belong into ours."""

import pathlib
import subprocess
import sys

_REQUIREMENTS = pathlib.Path(__file__).with_name('peers.txt')


def python(directory: pathlib.Path) -> str:
  """Returns the Python of the peers' environment, installing it first if need be.

  Args:
    directory: Where the virtual environment lives, made by this function.

  Raises:
    RuntimeError: If the installation fails.
  """
  interpreter = directory / 'bin' / 'python'
  installed = directory / 'installed.txt'
  wanted = _REQUIREMENTS.read_text(encoding='utf-8')
  if installed.exists() and installed.read_text(encoding='utf-8') == wanted:
    return str(interpreter)
  print(f'installing {_REQUIREMENTS.name} into {directory}: a few minutes', flush=True)
  steps = (
    [sys.executable, '-m', 'venv', '--clear', str(directory)],
    [str(interpreter), '-m', 'pip', 'install', '--quiet', '-r', str(_REQUIREMENTS)],
  )
  for step in steps:
    done = subprocess.run(step, capture_output=True, text=True, check=False)
    if done.returncode:
      reason = (done.stderr.strip().splitlines() or ['no message'])[-1]
      raise RuntimeError(f'{" ".join(step[1:4])} failed: {reason}')
  installed.write_text(wanted, encoding='utf-8')
  return str(interpreter)
