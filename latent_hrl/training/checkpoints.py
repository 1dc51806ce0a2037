"""Checkpoints of a layer in training: weights, optimisers, replay and counters together."""

import json
import pathlib
import shutil
import zipfile
from typing import Any

import numpy as np
import tensorflow as tf

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
    variables = {
      _key(group, i): variable.numpy()
      for group, variables in self._agent.state_parts.items()
      for i, variable in enumerate(variables)
    }
    with files.replacing_directory(self._directory / f'{_PREFIX}{env_steps:010d}') as path:
      np.savez(path / 'agent.npz', **variables)  # type: ignore[arg-type]
      np.savez(path / 'replay.npz', **rows)  # type: ignore[arg-type]
      content = {'run': self._run, 'env_steps': env_steps, 'replay': scalars, **state}
      (path / 'state.json').write_text(json.dumps(content), encoding='utf-8')
    for old in _paths(self._directory)[: -self._keep]:
      shutil.rmtree(old)

  def restore(self) -> dict[str, Any] | None:
    """Restores the newest checkpoint.

    Returns:
      What was saved as state, with `env_steps`; None if there is no checkpoint.

    Raises:
      ConfigError: If it belongs to another configuration or is damaged.
    """
    paths = _paths(self._directory)
    if not paths:
      return None
    path = paths[-1]
    try:
      content = json.loads((path / 'state.json').read_text(encoding='utf-8'))
      if content['run'] != self._run:
        raise ValueError(f'it was written by {content["run"]}, this is {self._run}')
      assignments = _read(path, self._agent.state_parts)
      with np.load(path / 'replay.npz', allow_pickle=False) as rows:
        self._replay.restore(rows, content['replay'])
    except _DAMAGE as error:
      raise errors.ConfigError(
        f'checkpoint {path} is damaged or of another run ({_reason(error)}); remove it to '
        'start this layer again, or use another --root_dir'
      ) from None
    for variable, value in assignments:
      variable.assign(value)
    return content


def inherit(
  directory: pathlib.Path,
  env_steps: int,
  agent: agents.LatentSpaceAgent,
  replay: replay_lib.ReplayBuffer,
) -> None:
  """Takes critic, target critic and replay from the checkpoint of the layer below.

  Args:
    directory: The checkpoints of that layer.
    env_steps: How long it was trained.
    agent: Agent of the new layer, its critic on the executed action.
    replay: Its empty replay.

  Raises:
    ConfigError: If there is no such checkpoint, or it does not fit.
  """
  path = directory / f'{_PREFIX}{env_steps:010d}'
  groups = {name: agent.state_parts[name] for name in ('critic', 'target_critic')}
  try:
    content = json.loads((path / 'state.json').read_text(encoding='utf-8'))
    if content['run']['stores'] != 'action':
      raise ValueError('its critic does not judge the action')
    assignments = _read(path, groups)
    with np.load(path / 'replay.npz', allow_pickle=False) as rows:
      replay.restore(rows, {**content['replay'], 'rng': replay.state()[1]['rng']})
  except _DAMAGE as error:
    raise errors.ConfigError(
      f'nothing to inherit in {path} ({_reason(error)}): it must be the checkpoint at the '
      'end of training of the layer below, with the same critic and replay capacity'
    ) from None
  replay.end_episode()
  for variable, value in assignments:
    variable.assign(value)


_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)


def _reason(error: BaseException) -> str:
  return str(error).splitlines()[0]


def _key(group: str, index: int) -> str:
  return f'{group}_{index}'


def _read(
  path: pathlib.Path, groups: dict[str, list[tf.Variable]]
) -> list[tuple[tf.Variable, np.ndarray]]:
  """Reads the values of variables, without assigning any yet."""
  assignments = []
  with np.load(path / 'agent.npz', allow_pickle=False) as saved:
    for group, variables in groups.items():
      for i, variable in enumerate(variables):
        value = saved[_key(group, i)]
        if value.shape != tuple(variable.shape):
          raise ValueError(f'another configuration: {group} has weights of other shapes')
        assignments.append((variable, value))
  return assignments


def _paths(directory: pathlib.Path) -> list[pathlib.Path]:
  return sorted(directory.glob(f'{_PREFIX}*'))
