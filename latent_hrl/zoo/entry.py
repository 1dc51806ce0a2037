"""What the zoo tells of a layer: the file `entry.json` beside it, read as plain data."""

import dataclasses
import json
import pathlib
import re
from typing import Any

from latent_hrl import errors

FILE = 'entry.json'
LAYER = 'layer'
CARD = 'README.md'
# A robot or task, then what the layer does there.
NAME = re.compile(r'[a-z0-9_]+/[a-z0-9_]+')
_MAX_BYTES = 2**20


@dataclasses.dataclass(frozen=True)
class Entry:
  """A layer of the zoo.

  Attributes:
    name: Such as `ant/base`.
    purpose: What it is for, in one line.
    task: Gymnasium id of the task it was trained on.
    task_options: Keyword arguments of that task.
    layers: Names of its layers, bottom first.
    env_steps: Environment steps of each.
    seeds: Seed of each.
    interval: Environment steps for which it keeps its output.
    reads: Observation fields of the whole stack.
    action_low: Lower bounds of the action box.
    action_high: Upper bounds of the action box.
    evaluation: What `latent-hrl-eval --layer=zoo:NAME` measured: `return_mean`,
      `return_std`, `episodes`, and what the task tells besides.
    latents: What the latents do; see `latents.measure`.
    commit: Commit of the code that trained it; empty if that is not known.
    command: The command that trained it; empty if that is not known.
    limits: What to know before standing on it, a sentence each.
    sha256: SHA-256 of the layer's manifest, which covers its other files.
    size: Bytes of the layer.
    license: SPDX identifier.
    folder: Where it lies; not part of the file.
  """

  name: str
  purpose: str
  task: str
  task_options: dict[str, Any]
  layers: tuple[str, ...]
  env_steps: tuple[int, ...]
  seeds: tuple[int, ...]
  interval: int
  reads: tuple[str, ...]
  action_low: tuple[float, ...]
  action_high: tuple[float, ...]
  evaluation: dict[str, Any]
  latents: dict[str, Any]
  commit: str
  command: str
  limits: tuple[str, ...]
  sha256: str
  size: int
  license: str
  folder: pathlib.Path = pathlib.Path()

  @property
  def depth(self) -> int:
    """Number of layers."""
    return len(self.layers)

  @property
  def path(self) -> pathlib.Path:
    """Directory of the saved layer."""
    return self.folder / LAYER

  @property
  def card(self) -> pathlib.Path:
    """Its page."""
    return self.folder / CARD

  @property
  def result(self) -> str:
    """What it reached, such as `6,468 ± 47`."""
    found = self.evaluation
    text = f'{found["return_mean"]:,.0f} ± {found["return_std"]:,.0f}'
    if 'success_rate' in found:
      text += f', {found["success_rate"]:.1%} arrive'
    return text

  def to_json(self) -> str:
    """Returns the content of the file."""
    content = dataclasses.asdict(self)
    del content['folder']
    return json.dumps(content, indent=2, allow_nan=False) + '\n'


def read(folder: pathlib.Path) -> Entry:
  """Reads the entry in a folder.

  Raises:
    ConfigError: If it is damaged.
  """
  path = folder / FILE
  try:
    content = path.read_bytes()
    if len(content) > _MAX_BYTES:
      raise ValueError('it is too large')
    return _parse(json.loads(content), folder)
  except OSError as error:
    raise errors.ConfigError(f'{path} cannot be read: {error.strerror}') from None
  except (ValueError, TypeError, KeyError, RecursionError) as error:
    reason = ' '.join(str(error).split())
    raise errors.ConfigError(f'{path} is no entry of the zoo: {reason}') from None


def _parse(content: Any, folder: pathlib.Path) -> Entry:
  known = {field.name: field.type for field in dataclasses.fields(Entry)}
  del known['folder']
  if not isinstance(content, dict) or content.keys() != known.keys():
    raise ValueError(f'it does not have the entries {", ".join(known)}')
  values = {name: _typed(name, known[name], value) for name, value in content.items()}
  entry = Entry(**values, folder=folder)
  for name in ('return_mean', 'return_std', 'episodes'):
    _typed(name, float, float(entry.evaluation[name]))
  return entry


def _typed(name: str, kind: Any, value: Any) -> Any:
  """Returns a JSON value as the type of a field."""
  if getattr(kind, '__origin__', None) is tuple:
    if not isinstance(value, list):
      raise TypeError(f'{name} is no list')
    return tuple(_typed(name, kind.__args__[0], item) for item in value)
  kind = getattr(kind, '__origin__', kind)
  if not isinstance(value, kind) or isinstance(value, bool):
    raise TypeError(f'{name} is {str(value)[:40]!r}, no {kind.__name__}')
  return value
