"""Evaluations of Stable-Baselines3 as outside results."""

import pathlib
import zipfile
from collections.abc import Sequence

import numpy as np

from latent_hrl import errors
from latent_hrl.comparison import curves
from latent_hrl.comparison import outside


def convert(paths: Sequence[str | pathlib.Path], system: str, task: str) -> outside.Outside:
  """Returns what `EvalCallback` wrote, one file a seed.

  Args:
    paths: Files `evaluations.npz`; the seeds are numbered in this order.
    system: Name of the system.
    task: The task of the comparison.

  Raises:
    ConfigError: If a file is missing or no such file.
  """
  return outside.Outside(
    system=system,
    source='Stable-Baselines3, evaluations.npz',
    results=[
      outside.Result(task, task, read(path), seed=seed) for seed, path in enumerate(paths)
    ],
  )


def read(path: str | pathlib.Path) -> curves.Curve:
  """Reads `timesteps` [N] and `results` [N, episodes] of an `evaluations.npz`.

  Raises:
    ConfigError: If the file is missing or no such file.
  """
  try:
    with np.load(path, allow_pickle=False) as arrays:
      timesteps, results = arrays['timesteps'], arrays['results']
      return curves.Curve(timesteps, np.mean(results, axis=-1))
  except OSError as error:
    raise errors.ConfigError(f'{path} cannot be read: {error.strerror or error}') from None
  except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
    raise errors.ConfigError(
      f'{path} is no evaluations.npz of Stable-Baselines3 (timesteps and results)'
    ) from None
  except errors.ConfigError as error:
    raise errors.ConfigError(f'{path}: {error}') from None
