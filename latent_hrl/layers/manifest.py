"""The manifest of a saved layer: `assets/layer.json`, read as plain data."""

import dataclasses
import hashlib
import importlib.metadata
import json
import pathlib
import platform
from typing import Any

from latent_hrl import errors
from latent_hrl import observations

FORMAT_VERSION = 1
PATH = 'assets/layer.json'
_PACKAGES = (
  'tensorflow',
  'tf-keras',
  'tensorflow-probability',
  'tf-agents',
  'gymnasium',
  'mujoco',
  'numpy',
)


@dataclasses.dataclass(frozen=True)
class LayerRecord:
  """How one layer of a stack came to be.

  Attributes:
    name: Name of the layer.
    reads: Names of the observation fields it reads.
    task: Task id it was trained on.
    task_options: Keyword arguments of that task.
    reward: Name of its reward function.
    reward_arguments: Arguments of that function.
    env_steps: Environment steps it was trained for.
    seed: Seed of the run.
    evaluation: Last evaluation: return_mean, return_std, episodes, and what else was
      measured.
    digest: SHA-256 of this layer's own manifest, for a layer below; None for the top.
    interval: Environment steps for which it keeps its output.
  """

  name: str
  reads: tuple[str, ...]
  task: str
  task_options: dict[str, Any]
  reward: str
  reward_arguments: dict[str, Any]
  env_steps: int
  seed: int
  evaluation: dict[str, Any]
  digest: str | None = None
  interval: int = 1


@dataclasses.dataclass(frozen=True)
class Manifest:
  """What a saved layer is, for programs.

  Attributes:
    fields: Observation fields of the whole stack, in order.
    action_low: Lower bounds of the action box, [D].
    action_high: Upper bounds of the action box, [D].
    layers: One record a layer, bottom first; the last is the layer itself.
    packages: Versions it was made with.
    files: SHA-256 by relative path of every other file of the directory.
    config: The operative gin configuration as text, for reading only.
  """

  fields: observations.Fields
  action_low: tuple[float, ...]
  action_high: tuple[float, ...]
  layers: tuple[LayerRecord, ...]
  packages: dict[str, str] = dataclasses.field(default_factory=dict)
  files: dict[str, str] = dataclasses.field(default_factory=dict)
  config: str = ''

  @property
  def name(self) -> str:
    """Name of the top layer."""
    return self.layers[-1].name

  @property
  def depth(self) -> int:
    """Number of layers."""
    return len(self.layers)

  @property
  def dimension(self) -> int:
    """D, the size of latent and action."""
    return len(self.action_low)

  @property
  def held_outputs(self) -> int:
    """Number of layers that keep their output for more than one step."""
    return sum(record.interval > 1 for record in self.layers)

  @property
  def task(self) -> str:
    """Task id the top layer was trained on."""
    return self.layers[-1].task

  def to_json(self) -> str:
    """Returns the manifest as JSON text."""
    top = self.layers[-1]
    content = {
      'format_version': FORMAT_VERSION,
      'name': self.name,
      'depth': self.depth,
      'observation_fields': [field._asdict() for field in self.fields],
      'action_low': list(self.action_low),
      'action_high': list(self.action_high),
      'latent_size': self.dimension,
      'interval': top.interval,
      'task': top.task,
      'reward': top.reward,
      'reward_arguments': top.reward_arguments,
      'env_steps': top.env_steps,
      'seed': top.seed,
      'layers': [dataclasses.asdict(record) for record in self.layers],
      'packages': self.packages,
      'files': self.files,
      'config': self.config,
    }
    return json.dumps(content, indent=2, sort_keys=False) + '\n'


def package_versions() -> dict[str, str]:
  """Returns the versions of Python and of the packages a layer depends on."""
  versions = {'python': platform.python_version()}
  for package in _PACKAGES:
    try:
      versions[package] = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
      continue
  return versions


def sha256(path: pathlib.Path) -> str:
  """Returns the SHA-256 of a file as hexadecimal text."""
  with path.open('rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


def file_digests(directory: pathlib.Path) -> dict[str, str]:
  """Returns the SHA-256 of every file below a directory but the manifest."""
  return {
    path.relative_to(directory).as_posix(): sha256(path)
    for path in sorted(directory.rglob('*'))
    if path.is_file() and path.relative_to(directory).as_posix() != PATH
  }


def read(directory: pathlib.Path) -> Manifest:
  """Reads and checks the manifest of a saved layer.

  Args:
    directory: The saved layer.

  Raises:
    LayerLoadError: If there is none, or it is not one.
  """
  path = directory / PATH
  if not directory.is_dir():
    raise errors.LayerLoadError(directory, 'there is no such directory')
  try:
    text = path.read_text(encoding='utf-8')
  except FileNotFoundError:
    raise errors.LayerLoadError(directory, f'it is no saved layer: no {PATH}') from None
  except (OSError, UnicodeDecodeError) as error:
    raise errors.LayerLoadError(directory, f'{PATH} is unreadable: {error}') from None
  try:
    content = json.loads(text)
    version = content['format_version']
    if version != FORMAT_VERSION:
      raise errors.LayerLoadError(
        directory, f'format version {version} is not {FORMAT_VERSION}, which this reads'
      )
    manifest = _parse(content)
    if (content['depth'], content['latent_size']) != (manifest.depth, manifest.dimension):
      raise ValueError('it contradicts itself on depth or latent size')
  except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
    reason = f'{type(error).__name__}: {error}'.splitlines()[0]
    raise errors.LayerLoadError(directory, f'{PATH} is damaged ({reason})') from None
  return manifest


def _parse(content: dict[str, Any]) -> Manifest:
  records = []
  for record in content['layers']:
    record = LayerRecord(**record)
    reads = tuple(_typed(name, str) for name in _typed(record.reads, list))
    _typed(record.name, str)
    _typed(record.task, str)
    _typed(record.reward, str)
    _typed(record.env_steps, int)
    _typed(record.seed, int)
    if _typed(record.interval, int) < 1:
      raise ValueError(f'an interval of {record.interval} steps')
    if record.digest is not None:
      _typed(record.digest, str)
    _typed(record.task_options, dict)
    _typed(record.reward_arguments, dict)
    _typed(record.evaluation, dict)
    records.append(dataclasses.replace(record, reads=reads))
  if not records:
    raise ValueError('no layers')
  manifest = Manifest(
    fields=tuple(
      observations.ObservationField(_typed(f['name'], str), _typed(f['size'], int))
      for f in _typed(content['observation_fields'], list)
    ),
    action_low=tuple(float(value) for value in content['action_low']),
    action_high=tuple(float(value) for value in content['action_high']),
    layers=tuple(records),
    packages=_typed(content['packages'], dict),
    files=_typed(content['files'], dict),
    config=_typed(content['config'], str),
  )
  if len(manifest.action_low) != len(manifest.action_high) or not manifest.action_low:
    raise ValueError('the action box has no consistent size')
  return manifest


def _typed(value: Any, kind: type) -> Any:
  if not isinstance(value, kind) or isinstance(value, bool):
    raise TypeError(f'{str(value)[:40]!r} is not {kind.__name__}')
  return value
