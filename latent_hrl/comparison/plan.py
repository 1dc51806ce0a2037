"""What to compare, as a gin file describes it, and the runs that follow from it."""

import dataclasses
import json
import pathlib
import re
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import gin

from latent_hrl import checks
from latent_hrl import config
from latent_hrl import console
from latent_hrl import errors
from latent_hrl import files
from latent_hrl import run_directory

_BASE_ALONE = {'base': 1.0}
_TEXTS = checks.several(checks.TEXT)


@gin.configurable
@dataclasses.dataclass(frozen=True)
class System:
  """A way to train: a gin file of `launchers.train`, and how it spends the budget.

  In gin the scope names the system: `@sac/System()` is called `sac`.

  Attributes:
    name: Name of the system; the gin scope if empty.
    gin_file: What `launchers.train` is given.
    layers: Name to share of the environment steps, of every layer that it trains, bottom
      first; the shares add up to 1.
    bindings: More gin bindings, for this system alone.
  """

  name: str = ''
  gin_file: str = ''
  layers: Mapping[str, float] = dataclasses.field(default_factory=lambda: dict(_BASE_ALONE))
  bindings: Sequence[str] = ()

  def __post_init__(self) -> None:
    name = self.name or gin.current_scope_str()
    if not re.fullmatch(r'[\w-]+', name):
      raise errors.ConfigError(
        f'a System needs a name of letters, digits, "-" and "_", got {name!r}: write '
        '@NAME/System() in the gin file, or bind System.name'
      )
    if not self.gin_file:
      bound = config.bound_values(['System'])
      known = [owner.split('/')[0] for owner, what, _ in bound if what == 'gin_file']
      raise errors.ConfigError(
        f'there is no system {name!r}: {name}/System.gin_file is not bound'
        f'{errors.nearest(name, known)}'
      )
    if not _TEXTS.holds(self.bindings):
      raise errors.ConfigError(
        f'{name}/System.bindings must be {_TEXTS.text}, got {self.bindings!r}'
      )
    if not isinstance(self.layers, Mapping) or not _are_shares(self.layers.values()):
      raise errors.ConfigError(
        f'{name}/System.layers must map names to positive shares that add up to 1, got '
        f'{self.layers!r}'
      )
    object.__setattr__(self, 'name', name)

  def steps(self, env_steps: int) -> dict[str, int]:
    """Returns the environment steps of each layer, bottom first; they add up."""
    *lower, top = self.layers
    steps = {name: round(self.layers[name] * env_steps) for name in lower}
    return {**steps, top: env_steps - sum(steps.values())}


@dataclasses.dataclass(frozen=True)
class Run:
  """One training: a system on a task with a seed.

  Attributes:
    system: Name of the system.
    task: Gymnasium id.
    seed: Seed of the run.
    gin_file: What `launchers.train` is given.
    bindings: Gin bindings.
    steps: Environment steps of each layer, bottom first.
    directory: Its `--root_dir`.
  """

  system: str
  task: str
  seed: int
  gin_file: str
  bindings: tuple[str, ...]
  steps: Mapping[str, int]
  directory: pathlib.Path

  def __str__(self) -> str:
    return f'{self.system} on {self.task}, seed {self.seed}'

  @property
  def env_steps(self) -> int:
    """Environment steps of all layers."""
    return sum(self.steps.values())

  @property
  def metrics(self) -> pathlib.Path:
    """Where the run tells of its evaluations."""
    return run_directory.RunDirectory(self.directory).metrics

  @property
  def log(self) -> pathlib.Path:
    """What the run says, and what it says when it breaks."""
    return self.directory / 'log.txt'

  def command(self, cores: int) -> list[str]:
    """Returns the command that trains it, or goes on with it."""
    return [sys.executable, '-m', 'latent_hrl.console', 'train', *self._flags(cores)]

  def command_line(self, cores: int) -> str:
    """Returns the command as one writes it."""
    return shlex.join([*console.words('train'), *self._flags(cores)])

  def _flags(self, cores: int) -> list[str]:
    return [
      f'--root_dir={self.directory}',
      f'--gin_file={self.gin_file}',
      *(f'--gin_bindings={binding}' for binding in self.bindings),
      f'--seed={self.seed}',
      f'--cores={cores}',
    ]

  def record(self, finished: bool, facts: Mapping[str, str] | None = None) -> None:
    """Writes down what is run here, whether it is done, and by what machine.

    Args:
      finished: Whether it is done.
      facts: The machine; None to keep what was written before.
    """
    facts = self.machine() if facts is None else facts
    content = {**self._settings(), 'finished': finished, 'machine': facts}
    files.write_text(self._record, json.dumps(content, indent=2) + '\n')

  def finished(self) -> bool:
    """Returns whether this very run is done.

    Raises:
      ConfigError: If its directory holds another run.
    """
    content = self._recorded()
    if content and any(content[k] != value for k, value in self._settings().items()):
      raise errors.ConfigError(
        f'{self.directory} holds a run with other settings (run.json); use another '
        '--root_dir, or remove it'
      )
    return bool(content) and content['finished']

  def machine(self) -> dict[str, str]:
    """Returns what it ran on; empty if it has not started."""
    return self._recorded().get('machine', {})

  @property
  def _record(self) -> pathlib.Path:
    return self.directory / 'run.json'

  def _recorded(self) -> dict[str, Any]:
    if not self._record.exists():
      return {}
    try:
      content = json.loads(self._record.read_text(encoding='utf-8'))
      return {key: content[key] for key in (*self._settings(), 'finished', 'machine')}
    except (ValueError, KeyError, TypeError):
      raise errors.ConfigError(f'{self._record} is damaged; remove it to go on') from None

  def _settings(self) -> dict[str, Any]:
    return {
      'gin_file': self.gin_file,
      'gin_bindings': list(self.bindings),
      'seed': self.seed,
    }


_SYSTEM = checks.Rule('@NAME/System()', lambda value: isinstance(value, System))
_RULES = {
  'systems': checks.several(_SYSTEM),
  'tasks': _TEXTS,
  'env_steps': checks.POSITIVE_INTEGER,
  'seeds': checks.POSITIVE_INTEGER,
  'references': _TEXTS,
}


@gin.configurable('compare')
@dataclasses.dataclass(frozen=True)
class Comparison:
  """What to compare; `compare.NAME` in gin.

  Attributes:
    systems: The systems.
    tasks: Gymnasium ids.
    env_steps: Environment steps of every run, all its layers together.
    seeds: Number of seeds; they are 0, 1, 2, ...
    references: Files of outside results (docs/comparing.md).
    returns: Task to the returns whose first reach is told; a task that is not there has
      half and nine tenths of the way from the untrained to the best.
  """

  systems: Sequence[System] = gin.REQUIRED
  tasks: Sequence[str] = gin.REQUIRED
  env_steps: int = gin.REQUIRED
  seeds: int = 3
  references: Sequence[str] = ()
  returns: Mapping[str, Sequence[float]] = dataclasses.field(default_factory=dict)

  def __post_init__(self) -> None:
    for key, rule in _RULES.items():
      if not rule.holds(getattr(self, key)):
        raise errors.ConfigError(
          f'compare.{key} must be {rule.text}, got {getattr(self, key)!r}'
        )
      object.__setattr__(self, key, rule.taken(getattr(self, key)))
    names = [system.name for system in self.systems]
    for key, values in (('systems', names), ('tasks', self.tasks)):
      if not values or len(set(values)) < len(values):
        raise errors.ConfigError(
          f'compare.{key} must name at least one, and none twice, got {list(values)}'
        )
    if not isinstance(self.returns, Mapping):
      raise errors.ConfigError(
        f'compare.returns must map tasks to lists of returns, got {self.returns!r}'
      )
    targets = checks.several(checks.NUMBER)
    for task, returns in self.returns.items():
      if not targets.holds(returns):
        raise errors.ConfigError(
          f'compare.returns of {task!r} must be {targets.text}, got {returns!r}'
        )
      if task not in self.tasks:
        raise errors.ConfigError(
          f'compare.returns names {task!r}, which is not in compare.tasks'
          f'{errors.nearest(task, self.tasks)}'
        )

  def runs(self, root_dir: pathlib.Path) -> list[Run]:
    """Returns all runs; those of one seed together, so that a first picture comes early."""
    return [
      self._run(system, task, seed, root_dir)
      for seed in range(self.seeds)
      for task in self.tasks
      for system in self.systems
    ]

  def _run(self, system: System, task: str, seed: int, root_dir: pathlib.Path) -> Run:
    steps = system.steps(self.env_steps)
    return Run(
      system.name,
      task,
      seed,
      gin_file=system.gin_file,
      bindings=(
        *system.bindings,
        f'train_stack.task = {json.dumps(task)}',
        *(f'{layer}/Layer.env_steps = {count}' for layer, count in steps.items()),
      ),
      steps=steps,
      directory=root_dir / 'runs' / system.name / file_name(task) / f'seed_{seed}',
    )


def _are_shares(values: Collection[Any]) -> bool:
  numbers = [value for value in values if isinstance(value, int | float) and value > 0]
  return len(numbers) == len(values) and abs(sum(numbers) - 1) < 1e-6


def file_name(name: str) -> str:
  """Returns a name as the name of a file, such as that of a task with its namespace."""
  return re.sub(r'[^\w.-]+', '_', name)
