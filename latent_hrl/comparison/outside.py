"""Results of other programs and papers, as files; docs/comparing.md has the schema."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from latent_hrl import config
from latent_hrl import errors
from latent_hrl import files
from latent_hrl.comparison import curves

VERSION = 1
_KEYS = {'version', 'system', 'source', 'note', 'results'}
_RESULT_KEYS = {'task', 'measured_on', 'seed', 'seeds', 'env_steps', 'returns', 'wall_s'}


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
  """One run of an outside system, or the mean of several.

  Attributes:
    task: The task of a comparison that it is laid beside.
    measured_on: The task it was measured on.
    curve: Its evaluations; of a paper often a single one.
    seed: Seed of the run; None for a mean.
    seeds: Number of seeds of the mean; 1 for a run.
  """

  task: str
  measured_on: str
  curve: curves.Curve
  seed: int | None = None
  seeds: int = 1

  def point(self, env_steps: int) -> tuple[float, float]:
    """Returns steps and return of the first evaluation from a budget on, or the last."""
    steps = self.curve.env_steps
    index = min(int(np.searchsorted(steps, env_steps)), steps.size - 1)
    return float(steps[index]), float(self.curve.returns[index])


@dataclasses.dataclass(frozen=True, eq=False)
class Outside:
  """What somebody else measured of one system.

  Attributes:
    system: Name for people.
    source: Where it is from: an address, a citation or a command.
    results: Runs, which enter the statistics, and means, which are drawn as lines.
    note: What a reader has to know, such as other versions of the tasks.
  """

  system: str
  source: str
  results: Sequence[Result]
  note: str = ''


def read(path: str | pathlib.Path) -> Outside:
  """Reads a file of outside results.

  Args:
    path: The file; also looked up from the project's root.

  Raises:
    ConfigError: If it is missing, or does not follow the schema.
  """
  file = pathlib.Path(path)
  file = file if file.is_file() else config.PROJECT_ROOT / path
  try:
    content = json.loads(file.read_text(encoding='utf-8'))
    return _parse(content)
  except OSError as error:
    raise errors.ConfigError(f'{path} cannot be read: {error.strerror}') from None
  except (ValueError, RecursionError, OverflowError) as error:
    raise errors.ConfigError(f'{path} is no JSON: {error}') from None
  except errors.ConfigError as error:
    raise errors.ConfigError(f'{path}: {error}') from None


def write(outside: Outside, path: pathlib.Path) -> None:
  """Writes a file of outside results."""
  content = {
    'version': VERSION,
    'system': outside.system,
    'source': outside.source,
    'note': outside.note,
    'results': [_to_json(result) for result in outside.results],
  }
  files.write_text(path, json.dumps(content, indent=1) + '\n')


def _to_json(result: Result) -> dict[str, Any]:
  curve = result.curve
  content: dict[str, Any] = {'task': result.task}
  if result.measured_on != result.task:
    content['measured_on'] = result.measured_on
  if result.seed is None:
    content['seeds'] = result.seeds
  else:
    content['seed'] = result.seed
  content['env_steps'] = [int(step) for step in curve.env_steps]
  content['returns'] = curve.returns.tolist()
  if curve.wall_s is not None:
    content['wall_s'] = curve.wall_s.tolist()
  return content


def _parse(content: Any) -> Outside:
  _check_keys(content, _KEYS, 'the file')
  if content.get('version') != VERSION:
    raise errors.ConfigError(f'version must be {VERSION}, got {content.get("version")!r}')
  results = _get(content, 'results', list)
  return Outside(
    system=_name(content, 'system'),
    source=_get(content, 'source', str),
    note=_get(content, 'note', str, ''),
    results=[_parse_result(result, f'results[{i}]') for i, result in enumerate(results)],
  )


def _parse_result(content: Any, where: str) -> Result:
  _check_keys(content, _RESULT_KEYS, where)
  if ('seed' in content) == ('seeds' in content):
    raise errors.ConfigError(
      f'{where} needs either seed, the number of a run, or seeds, how many a mean is of'
    )
  try:
    task = _name(content, 'task')
    return Result(
      task=task,
      measured_on=_get(content, 'measured_on', str, task),
      curve=_parse_curve(content),
      seed=_count(content, 'seed', 0) if 'seed' in content else None,
      seeds=_count(content, 'seeds', 1) if 'seeds' in content else 1,
    )
  except errors.ConfigError as error:
    raise errors.ConfigError(f'{where}: {error}') from None


def _parse_curve(content: Mapping[str, Any]) -> curves.Curve:
  numbers = {
    key: _get(content, key, list)
    for key in ('env_steps', 'returns', 'wall_s')
    if key != 'wall_s' or key in content
  }
  for key, values in numbers.items():
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
      raise errors.ConfigError(f'{key} must be numbers')
    if key != 'returns' and any(v < 0 for v in values):
      raise errors.ConfigError(f'{key} must be 0 or more')
  return curves.Curve(**numbers)


def _check_keys(content: Any, known: set[str], where: str) -> None:
  if not isinstance(content, dict):
    raise errors.ConfigError(f'{where} must be a JSON object')
  for key in content.keys() - known:
    raise errors.ConfigError(f'{where} has no {key!r}{errors.nearest(key, known)}')


def _name(content: Mapping[str, Any], key: str) -> str:
  name = _get(content, key, str)
  if not name.strip():
    raise errors.ConfigError(f'{key} must not be empty')
  return name


def _count(content: Mapping[str, Any], key: str, low: int) -> int:
  count = _get(content, key, int)
  if count < low:
    raise errors.ConfigError(f'{key} must be {low} or more, got {count}')
  return count


def _get(content: Mapping[str, Any], key: str, kind: type, default: Any = None) -> Any:
  value = content.get(key, default)
  if not isinstance(value, kind) or isinstance(value, bool):
    name = {str: 'text', list: 'a list', int: 'a whole number'}[kind]
    raise errors.ConfigError(f'{key} must be {name}, got {value!r}')
  return value
