"""Checkpoints of a layer in training: everything a run needs to go on exactly.

A checkpoint is a directory that appears whole or not at all: weights and arrays as NumPy
files, the rest as JSON with the SHA-256 of every file, of the replay's rows as well, which
lie beside it (`replay_store`). No pickle.
"""

import hashlib
import json
import pathlib
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from latent_hrl import errors
from latent_hrl import files
from latent_hrl.agents import latent_space_state
from latent_hrl.agents import protocol
from latent_hrl.training import replay as replay_lib
from latent_hrl.training import replay_store

_PREFIX = 'step_'
_DAMAGED = 'damaged_'
_ARRAYS = ('agent.npz', 'state.npz')


class Checkpoints:
  """Writes and restores the checkpoints of one layer."""

  def __init__(
    self,
    directory: pathlib.Path,
    agent: protocol.OffPolicyAgent,
    replay: replay_lib.ReplayBuffer,
    run: dict[str, Any] | None = None,
    keep: int = 2,
  ):
    """Binds the state to save.

    Args:
      directory: Where the checkpoints of this layer live.
      agent: Its variables are saved, optimisers included.
      replay: Its rows are saved, each once.
      run: What the run is (seed, task, ...), JSON types; a checkpoint of another run is
        refused.
      keep: How many checkpoints stay.
    """
    self._directory = directory
    self._agent = agent
    self._replay = replay
    self._store = replay_store.ReplayStore(directory / 'replay')
    self._run = json.loads(json.dumps(run or {}))  # As it is read again, without tuples.
    self._keep = keep

  @property
  def begun(self) -> bool:
    """Whether the layer's training has begun in this directory."""
    return self._directory.exists()

  def begin(self) -> None:
    """Makes the directory: from now on it has."""
    with files.told(self._directory):
      self._directory.mkdir(parents=True, exist_ok=True)

  def save(
    self,
    env_steps: int,
    state: dict[str, Any],
    arrays: Mapping[str, np.ndarray] | None = None,
  ) -> None:
    """Writes a checkpoint, then prunes old ones.

    Args:
      env_steps: Environment steps so far, which names it.
      state: The rest of the state, JSON types.
      arrays: More of it.
    """
    chunks = self._store.write(self._replay)
    variables = {
      _key(group, i): variable.numpy()
      for group, variables in self._agent.state_parts.items()
      for i, variable in enumerate(variables)
    }
    with files.replacing_directory(self._directory / f'{_PREFIX}{env_steps:010d}') as path:
      for name, content in zip(_ARRAYS, (variables, arrays or {}), strict=True):
        np.savez(path / name, **content)  # type: ignore[arg-type]
      content = {
        'run': self._run,
        'objective': self._agent.objective,
        'env_steps': env_steps,
        'replay': self._replay.scalars,
        'chunks': [chunk._asdict() for chunk in chunks],
        'sha256': {name: files.sha256(path / name) for name in _ARRAYS},
        **state,
      }
      # A line of its own, so that the sum is over the very text.
      text = json.dumps(content)
      (path / 'state.json').write_text(f'{text}\n{_seal(text)}\n', encoding='utf-8')
    self._prune()

  def _prune(self) -> None:
    paths = _paths(self._directory)
    for old in paths[: -self._keep]:
      shutil.rmtree(old)
    needed: set[str] = set()
    for path in paths[-self._keep :]:
      try:
        needed |= {chunk['name'] for chunk in _read_state(path)['chunks']}
      except _DAMAGE:
        return  # Whatever it was that it needs, stays.
    self._store.prune(needed)

  def restore(self) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """Restores the newest checkpoint that is intact; others are set aside.

    Returns:
      The state that was saved, with `env_steps`, and the arrays; None if there is no
      checkpoint.

    Raises:
      ConfigError: If the checkpoint belongs to another configuration, or none is intact.
    """
    files.sweep(self._directory)
    files.sweep(self._directory / 'replay')
    paths = _paths(self._directory)
    for path in reversed(paths):
      try:
        state = _read_state(path)
        theirs, mine = _different(state['run'], self._run)
        if theirs or mine:
          raise errors.ConfigError(
            f'checkpoint {path} was written by a run with {theirs}, this one has {mine}; '
            'use another --root_dir'
          )
        agent, arrays = (_read_arrays(path, name, state) for name in _ARRAYS)
        assignments = _assignments(agent, self._agent.state_parts)
        chunks = [replay_store.Chunk(**chunk) for chunk in state['chunks']]
        self._store.restore(self._replay, chunks, state['replay'])
      except _DAMAGE as error:
        aside = path.with_name(_DAMAGED + path.name)
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)
        print(
          f'checkpoint {path} is damaged ({_reason(error)}): set aside as {aside.name}',
          flush=True,
        )
        continue
      for variable, value in assignments:
        variable.assign(value)
      return state, arrays
    if paths:
      raise errors.ConfigError(
        f'no checkpoint in {self._directory} is intact; they are kept as {_DAMAGED}*, and '
        'the same command starts this layer again from the beginning'
      )
    return None


def reaches(directory: pathlib.Path, env_steps: int) -> bool:
  """Returns whether the checkpoints of a layer go as far as its training.

  A layer is saved before the last checkpoint, which a kill may prevent. Where nothing is
  left of checkpoints, or none are kept, nothing is missing.

  Args:
    directory: The checkpoints of the layer.
    env_steps: How long it is to be trained.
  """
  if not directory.is_dir() or not any(directory.iterdir()):
    return True
  steps = [int(path.name.removeprefix(_PREFIX)) for path in _paths(directory)]
  return max(steps, default=-1) >= env_steps


def inherit(
  directory: pathlib.Path,
  env_steps: int,
  agent: protocol.OffPolicyAgent,
  replay: replay_lib.ReplayBuffer,
  critic_network: Mapping[str, Any],
  agent_name: str = 'create_agent',
) -> list[str]:
  """Takes `agent.inherited_parts` and the replay from the checkpoint of the layer below.

  Args:
    directory: The checkpoints of that layer.
    env_steps: How long it was trained.
    agent: Agent of the new layer, its critic on the executed action.
    replay: Its empty replay.
    critic_network: Parameters of its critic, defaults included: the scale of the values
      does not show in the weights.
    agent_name: Name of what built the new agent; only the same hands its critic on.

  Returns:
    Names of the parts that came along; an embedding of other widths does not.

  Raises:
    ConfigError: If there is no such checkpoint, or it does not fit.
  """
  path = directory / f'{_PREFIX}{env_steps:010d}'
  try:
    state = _read_state(path)
    if state['run']['judged'] != 'action':
      raise ValueError('its critic does not judge the action')
    run = state['run']
    if run.get('agent', agent_name) != agent_name or run['critic_network'] is None:
      raise ValueError(f'its agent is @{run.get("agent")}, this one @{agent_name}')
    theirs, mine = _different(
      run['critic_network'],
      json.loads(json.dumps(critic_network)),
    )
    if theirs or mine:
      raise ValueError(f'its critic has {theirs}, this one {mine}')
    taken = _take(path, state, agent, agent.inherited_parts(state['objective']), replay)
  except _DAMAGE as error:
    raise errors.ConfigError(
      f'nothing to inherit in {path} ({_reason(error)}): it must be the checkpoint at the '
      'end of training of the layer below, with the same critic, discount and replay '
      'capacity'
    ) from None
  replay.end_episode()
  return taken


def take(
  path: pathlib.Path, agent: protocol.OffPolicyAgent, parts: Sequence[str]
) -> list[str]:
  """Takes some parts of an agent from a checkpoint of any layer.

  Args:
    path: The checkpoint, a directory step_N.
    agent: The agent.
    parts: Names of its `state_parts`.

  Returns:
    Names of the parts that came along; an embedding of other widths does not.

  Raises:
    ConfigError: If there is no such checkpoint, it is damaged, or it does not fit.
  """
  try:
    return _take(path, _read_state(path), agent, parts)
  except _DAMAGE as error:
    raise errors.ConfigError(
      f'no checkpoint to read in {path} ({_reason(error)})'
    ) from None


def _take(
  path: pathlib.Path,
  state: dict[str, Any],
  agent: protocol.OffPolicyAgent,
  parts: Sequence[str],
  replay: replay_lib.ReplayBuffer | None = None,
) -> list[str]:
  """Takes parts of the agent, and the rows of the replay, once all is known to fit."""
  arrays = _read_arrays(path, _ARRAYS[0], state)
  groups = {name: agent.state_parts[name] for name in parts}
  # A policy may embed the state in another way than the one that it takes from.
  for name in set(groups) & set(latent_space_state.EMBEDDINGS):
    if not _agree(arrays, name, groups[name]):
      del groups[name]
  assignments = _assignments(arrays, groups)
  if replay is not None:
    chunks = [replay_store.Chunk(**chunk) for chunk in state['chunks']]
    scalars = {**state['replay'], 'rng': replay.scalars['rng']}
    replay_store.ReplayStore(path.parent / 'replay').restore(replay, chunks, scalars)
  for variable, value in assignments:
    variable.assign(value)
  return list(groups)


_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)


def _different(first: dict, second: dict) -> tuple[dict, dict]:
  """Returns of two dictionaries the entries that are not the same in both."""
  keys = [k for k in {**first, **second} if first.get(k) != second.get(k)]
  return {k: first.get(k) for k in keys}, {k: second.get(k) for k in keys}


def _reason(error: BaseException) -> str:
  return str(error).splitlines()[0] if str(error) else type(error).__name__


def _key(group: str, index: int) -> str:
  return f'{group}_{index}'


def _seal(text: str) -> str:
  return hashlib.sha256(text.encode()).hexdigest()


def _read_state(path: pathlib.Path) -> dict[str, Any]:
  lines = (path / 'state.json').read_text(encoding='utf-8').splitlines()
  if len(lines) != 2 or _seal(lines[0]) != lines[1]:
    raise ValueError('state.json is damaged: its SHA-256 does not match')
  return json.loads(lines[0])


def _read_arrays(
  path: pathlib.Path, name: str, state: dict[str, Any]
) -> dict[str, np.ndarray]:
  if files.sha256(path / name) != state['sha256'][name]:
    raise ValueError(f'{name} is damaged: its SHA-256 does not match')
  with np.load(path / name, allow_pickle=False) as saved:
    return dict(saved)


def _agree(
  saved: Mapping[str, np.ndarray], group: str, variables: list[tf.Variable]
) -> bool:
  """Returns whether a group was saved with as many weights of the same shapes."""
  own = {_key(group, i): tuple(v.shape) for i, v in enumerate(variables)}
  return own == {k: v.shape for k, v in saved.items() if k.rpartition('_')[0] == group}


def _assignments(
  saved: Mapping[str, np.ndarray], groups: dict[str, list[tf.Variable]]
) -> list[tuple[tf.Variable, np.ndarray]]:
  """Returns variables with their values, without assigning any yet."""
  assignments = []
  for group, variables in groups.items():
    if not _agree(saved, group, variables):
      raise errors.ConfigError(
        f'another configuration: {group} has other weights; use another --root_dir'
      )
    assignments += [(v, saved[_key(group, i)]) for i, v in enumerate(variables)]
  return assignments


def _paths(directory: pathlib.Path) -> list[pathlib.Path]:
  return sorted(directory.glob(f'{_PREFIX}*'))
