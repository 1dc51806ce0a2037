"""Checkpoints of a layer in training: weights, optimisers, replay and counters together."""

import json
import pathlib
import shutil
import zipfile
from typing import Any

import numpy as np

from latent_hrl import agents
from latent_hrl import errors
from latent_hrl import files
from latent_hrl.training import replay as replay_lib

_PREFIX = 'step_'


class Checkpoints:
  """Writes and restores checkpoints below one directory, each a directory of its own.

  A checkpoint appears whole or not at all; plain NumPy files and JSON, no pickle.
  """

  def __init__(
    self,
    directory: pathlib.Path,
    agent: agents.LatentSpaceAgent,
    replay: replay_lib.ReplayBuffer,
    run: dict[str, Any] | None = None,
    keep: int = 1,
  ):
    """Binds the state to save.

    Args:
      directory: Where the checkpoints of this layer live.
      agent: Its variables are saved, optimisers included.
      replay: Its filled rows are saved.
      run: What the run is (seed, task, ...), JSON types; a checkpoint of another run is
        refused.
      keep: How many checkpoints stay.
    """
    self._directory = directory
    self._agent = agent
    self._replay = replay
    self._run = run or {}
    self._keep = keep

  def save(self, env_steps: int, state: dict[str, Any]) -> None:
    """Writes a checkpoint, then prunes old ones.

    Args:
      env_steps: Environment steps so far, which names it.
      state: The rest of the state, JSON types.
    """
    rows, scalars = self._replay.state()
    variables = [variable.numpy() for variable in self._agent.state_variables]
    with files.replacing_directory(self._directory / f'{_PREFIX}{env_steps:010d}') as path:
      np.savez(path / 'agent.npz', *variables)
      np.savez(path / 'replay.npz', **rows)  # type: ignore[arg-type]
      content = {'run': self._run, 'env_steps': env_steps, 'replay': scalars, **state}
      (path / 'state.json').write_text(json.dumps(content), encoding='utf-8')
    for old in self._paths()[: -self._keep]:
      shutil.rmtree(old)

  def restore(self) -> dict[str, Any] | None:
    """Restores the newest checkpoint.

    Returns:
      What was saved as state, with `env_steps`; None if there is no checkpoint.

    Raises:
      ConfigError: If it belongs to another configuration or is damaged.
    """
    paths = self._paths()
    if not paths:
      return None
    path = paths[-1]
    try:
      content = json.loads((path / 'state.json').read_text(encoding='utf-8'))
      if content['run'] != self._run:
        raise ValueError(f'it was written by {content["run"]}, this is {self._run}')
      with np.load(path / 'agent.npz', allow_pickle=False) as saved:
        values = [saved[f'arr_{i}'] for i in range(len(saved.files))]
      with np.load(path / 'replay.npz', allow_pickle=False) as rows:
        self._replay.restore(rows, content['replay'])
    except (
      OSError,
      EOFError,
      ValueError,
      KeyError,
      TypeError,
      zipfile.BadZipFile,
    ) as error:
      reason = str(error).splitlines()[0]
      raise errors.ConfigError(
        f'checkpoint {path} is damaged or of another run ({reason}); remove it to start '
        'this layer again, or use another --root_dir'
      ) from None
    variables = self._agent.state_variables
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [value.shape for value in values]:
      raise errors.ConfigError(
        f'checkpoint {path} belongs to another configuration: its weights have other '
        'shapes; use the same gin bindings or another --root_dir'
      )
    for variable, value in zip(variables, values, strict=True):
      variable.assign(value)
    return content

  def _paths(self) -> list[pathlib.Path]:
    return sorted(self._directory.glob(f'{_PREFIX}*'))
