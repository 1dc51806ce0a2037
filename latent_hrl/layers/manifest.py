"""The manifest of a saved layer: `assets/layer.json`, read as plain data.

It holds the SHA-256 of every other file and, from format 2 on, one of itself: `sha256` is
that of the same text without this entry. So one wrong bit anywhere is found. That guards
against damage, not against forgery: whoever changes a layer can write new sums.
"""

import dataclasses
import hashlib
import importlib.metadata
import itertools
import json
import math
import pathlib
import platform
import re
from typing import Any

from latent_hrl import errors
from latent_hrl import files
from latent_hrl import observations

FORMAT_VERSION = 3
# Format 1 has no `sha256`: damage of a manifest can go unseen that is still a manifest.
# Before format 3 a graph may train on, hide an observation that is not finite, and has
# neither the signature `act` nor the function `interface`.
_READABLE = (1, 2, FORMAT_VERSION)
PATH = 'assets/layer.json'
_MAX_BYTES = 16 * 2**20
# A name becomes a gin scope and a directory.
NAME = re.compile(r'[\w-]+')
_SHA256 = re.compile('[0-9a-f]{64}')
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
    command: `entries`, what each of the first entries of its latent asks for, as `name`,
      `unit` and `scale`; and `redraw_probability`, with which a command ended after a step.
      None for a layer without a command, whose manifest does not mention it.
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
  command: dict[str, Any] | None = None

  @property
  def command_size(self) -> int:
    """n, how many entries of its latent are a command."""
    return 0 if self.command is None else len(self.command['entries'])

  def to_json(self) -> dict[str, Any]:
    """Returns it as JSON types."""
    content = dataclasses.asdict(self)
    if self.command is None:
      del content['command']
    return content


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
    format_version: Of the directory, one that this reads.
  """

  fields: observations.Fields
  action_low: tuple[float, ...]
  action_high: tuple[float, ...]
  layers: tuple[LayerRecord, ...]
  packages: dict[str, str] = dataclasses.field(default_factory=dict)
  files: dict[str, str] = dataclasses.field(default_factory=dict)
  config: str = ''
  format_version: int = FORMAT_VERSION

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

  @property
  def task_options(self) -> dict[str, Any]:
    """Keyword arguments of that task."""
    return self.layers[-1].task_options

  def to_json(self) -> str:
    """Returns the manifest as JSON text.

    Raises:
      ValueError: If a number is NaN or infinite, which JSON does not know.
      TypeError: If an option or argument is of a type that JSON does not know.
    """
    content = self._content()
    return _text({**content, 'sha256': _seal(content)})

  def _content(self) -> dict[str, Any]:
    top = self.layers[-1]
    return {
      'format_version': self.format_version,
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
      'layers': [record.to_json() for record in self.layers],
      'packages': self.packages,
      'files': self.files,
      'config': self.config,
    }


def _text(content: dict[str, Any]) -> str:
  return json.dumps(content, indent=2, allow_nan=False) + '\n'


def _seal(content: dict[str, Any]) -> str:
  return hashlib.sha256(_text(content).encode()).hexdigest()


def package_versions() -> dict[str, str]:
  """Returns the versions of Python and of the packages a layer depends on."""
  versions = {'python': platform.python_version()}
  for package in _PACKAGES:
    try:
      versions[package] = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
      continue
  return versions


def file_digests(directory: pathlib.Path) -> dict[str, str]:
  """Returns the SHA-256 of every file below a directory but the manifest."""
  return {
    path.relative_to(directory).as_posix(): files.sha256(path)
    for path in sorted(directory.rglob('*'))
    if path.is_file() and path.relative_to(directory).as_posix() != PATH
  }


def parse(directory: pathlib.Path, content: bytes) -> Manifest:
  """Reads and checks the manifest of a saved layer.

  Args:
    directory: The saved layer, for the message.
    content: The content of its `PATH`.

  Raises:
    LayerLoadError: If it is no manifest.
  """
  if len(content) > _MAX_BYTES:
    raise errors.LayerLoadError(directory, f'{PATH} is too large for a manifest')
  try:
    return _parse(content.decode('utf-8'))
  except _UnreadableFormatError as error:
    raise errors.LayerLoadError(directory, str(error)) from None
  except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
    reason = f'{type(error).__name__}: {error}'
    raise errors.LayerLoadError(directory, f'{PATH} is damaged ({reason})') from None


class _UnreadableFormatError(Exception):
  """A manifest of another format."""


def _parse(text: str) -> Manifest:
  content = json.loads(text)
  version = content['format_version']
  if type(version) is not int or version not in _READABLE:
    raise _UnreadableFormatError(
      f'format version {version} is none of {_READABLE}, which this reads'
    )
  manifest = Manifest(
    fields=tuple(
      observations.ObservationField(_typed(f['name'], str), _typed(f['size'], int))
      for f in _typed(content['observation_fields'], list)
    ),
    action_low=tuple(_typed(value, float) for value in content['action_low']),
    action_high=tuple(_typed(value, float) for value in content['action_high']),
    layers=tuple(_record(record) for record in _typed(content['layers'], list)),
    packages=_typed(content['packages'], dict),
    files=_typed(content['files'], dict),
    config=_typed(content['config'], str),
    format_version=version,
  )
  _check(manifest)
  if version == 1:  # Its first manifests knew no intervals.
    content.setdefault('interval', 1)
  for key, value in manifest._content().items():
    if key != 'layers' and content[key] != value:
      raise ValueError(f'it contradicts itself on {key}')
  if version >= 2:
    if content.pop('sha256') != _seal(content):
      raise ValueError('its own SHA-256 does not match')
    if text != manifest.to_json():
      raise ValueError('it says more than a manifest does, or something twice')
  return manifest


def _record(content: dict[str, Any]) -> LayerRecord:
  record = LayerRecord(**content)
  reads = tuple(_typed(name, str) for name in _typed(record.reads, list))
  for text in (record.name, record.task, record.reward):
    _typed(text, str)
  if _typed(record.interval, int) < 1:
    raise ValueError(f'an interval of {record.interval} steps')
  if _typed(record.env_steps, int) < 0 or _typed(record.seed, int) < 0:
    raise ValueError('negative environment steps or a negative seed')
  for options in (record.task_options, record.reward_arguments, record.evaluation):
    _typed(options, dict)
  if not NAME.fullmatch(record.name):
    raise ValueError(f'{record.name!r} is no name of a layer')
  if record.command is not None:
    _check_command(record.command)
  return dataclasses.replace(record, reads=reads)


def _check_command(command: dict[str, Any]) -> None:
  if list(command) != ['entries', 'redraw_probability']:
    raise ValueError(f'a command of {list(command)}')
  if not 0 < _typed(command['redraw_probability'], int | float) <= 1:
    raise ValueError('a command that never ends')
  if not _typed(command['entries'], list):
    raise ValueError('a command without entries')
  for entry in command['entries']:
    if list(entry) != ['name', 'unit', 'scale']:
      raise ValueError(f'an entry of a command with {list(entry)}')
    _typed(entry['name'], str), _typed(entry['unit'], str)
    _typed(entry['scale'], int | float)


def _check(manifest: Manifest) -> None:
  """Checks that the parts of a manifest fit together; raises ValueError."""
  if not manifest.layers:
    raise ValueError('no layers')
  sizes = {field.name: field.size for field in manifest.fields}
  if not sizes or len(sizes) < len(manifest.fields) or min(sizes.values()) < 1:
    raise ValueError('an observation field without a name and a size of its own')
  box = list(zip(manifest.action_low, manifest.action_high, strict=True))
  if not box or not all(low < high and math.isfinite(high - low) for low, high in box):
    raise ValueError(f'the action box is none: {box}')
  for record in manifest.layers:
    if not record.reads or not sizes.keys() >= set(record.reads):
      raise ValueError(f'layer {record.name!r} reads {record.reads} of {list(sizes)}')
  intervals = [record.interval for record in manifest.layers]
  nested = all(k % below == 0 for below, k in itertools.pairwise(intervals))
  if intervals[0] != 1 or not nested:
    raise ValueError(f'intervals of {intervals} steps do not nest')
  if any(record.command_size > manifest.dimension for record in manifest.layers):
    raise ValueError('a command of more entries than the latent has')
  *below, top = manifest.layers
  if top.digest is not None:
    raise ValueError('the top layer names a digest of itself')
  for digest in (*(record.digest for record in below), *manifest.files.values()):
    if not _SHA256.fullmatch(_typed(digest, str)):
      raise ValueError(f'{digest!r} is no SHA-256')


def _typed(value: Any, kind: Any) -> Any:
  if not isinstance(value, kind) or isinstance(value, bool):
    wanted = getattr(kind, '__name__', str(kind))
    raise TypeError(f'{str(value)[:40]!r} is not {wanted}')
  return value
