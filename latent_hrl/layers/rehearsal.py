"""Loads a layer of an unknown author in a process that may fail instead of this one.

The checks keep a forged layer from files, hosts and Python. What is left is time, memory,
and faults in TensorFlow's readers: here they meet limits.
"""

import os
import pathlib
import resource
import signal
import subprocess
import sys

from latent_hrl import errors

# Seconds, of the clock and of all cores; TensorFlow itself takes some of them to start.
_TIMEOUT = 120
_CPU_SECONDS = 120
# Bytes of addresses, of which TensorFlow reserves 3 GiB or so without using them.
_MEMORY = 12 * 2**30
_FILE_BYTES = 2**20  # Python tries its temporary directory.
_REFUSED = 3


def rehearse(path: pathlib.Path, digest: str) -> None:
  """Loads a layer in another process, and calls each of its signatures once there.

  Args:
    path: The layer.
    digest: SHA-256 of its manifest, so that the same layer is loaded there.

  Raises:
    LayerLoadError: If that process finds it wrong, or does not survive it.
  """
  package = pathlib.Path(__file__).parents[2]
  search = os.pathsep.join([str(package), *filter(None, [os.environ.get('PYTHONPATH')])])
  try:
    process = subprocess.run(
      [sys.executable, '-B', '-m', __name__, str(path.absolute()), digest],
      env={**os.environ, 'PYTHONPATH': search, 'CUDA_VISIBLE_DEVICES': ''},
      stdin=subprocess.DEVNULL,
      stdout=subprocess.PIPE,
      stderr=subprocess.DEVNULL,
      timeout=_TIMEOUT,
      text=True,
      errors='replace',
    )
  except subprocess.TimeoutExpired:
    raise errors.LayerLoadError(
      path, f'untrusted: its rehearsal took more than {_TIMEOUT} s'
    ) from None
  if process.returncode == 0:
    return
  if process.returncode == _REFUSED:
    reason = process.stdout.strip()
  elif process.returncode < 0:
    reason = f'its rehearsal ended by {signal.Signals(-process.returncode).name}'
  else:
    reason = f'its rehearsal ended with exit code {process.returncode}'
  raise errors.LayerLoadError(path, f'untrusted: {reason}')


def _limit() -> None:
  for kind, most in (
    (resource.RLIMIT_AS, _MEMORY),
    (resource.RLIMIT_CPU, _CPU_SECONDS),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_FSIZE, _FILE_BYTES),
  ):
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _main(path: str, digest: str) -> None:
  _limit()
  # Only now, within the limits.
  import numpy as np

  from latent_hrl import observations
  from latent_hrl.layers import load

  try:
    layer = load.load_again(pathlib.Path(path), digest)
    observation = np.zeros((1, observations.total_size(layer.fields)), np.float32)
    latent = np.zeros((1, layer.dimension), np.float32)
    layer.encode(observation, layer.decode(observation, latent))
    layer.mode(observation)
    layer.sample(observation, (0, 0))
  except errors.LayerLoadError as error:
    print(error.reason)
    sys.exit(_REFUSED)
  except Exception as error:  # What it computes, fails.
    print(f'{type(error).__name__}: {error}'.splitlines()[0])
    sys.exit(_REFUSED)


if __name__ == '__main__':
  _main(*sys.argv[1:])
