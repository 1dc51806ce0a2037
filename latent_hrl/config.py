"""Reads gin files and bindings; every mistake is one line that names the nearest name."""

import importlib
import inspect
import pathlib
import re
import tokenize
from collections.abc import Iterable, Sequence

import gin

from latent_hrl import errors

# What gin raises on a file or binding it does not take.
_GIN_ERRORS = (ValueError, TypeError, SyntaxError, OSError, RuntimeError, ImportError)
PROJECT_ROOT = pathlib.Path(__file__).resolve().parents[1]
# Modules whose import registers what gin files of training may name.
_CONFIGURABLES = (
  'latent_hrl.agents',
  'latent_hrl.baselines.deterministic',
  'latent_hrl.baselines.ppo',
  'latent_hrl.baselines.sac',
  'latent_hrl.environments.tasks',
  'latent_hrl.layers.spec',
  'latent_hrl.networks',
  'latent_hrl.rewards',
  'latent_hrl.training.settings',
  'latent_hrl.training.train_stack',
)


def load(
  gin_files: Sequence[str],
  gin_bindings: Sequence[str] = (),
  configurables: Sequence[str] = _CONFIGURABLES,
) -> None:
  """Replaces the gin configuration by these files and bindings.

  Args:
    gin_files: Paths; `include` in them is also looked up from the project's root.
    gin_bindings: Bindings such as `Trainer.batch_size = 128`, which override the files.
    configurables: Modules whose import registers what the files may name; those of
      training unless told otherwise.

  Raises:
    ConfigError: If a file is missing, or names something unknown.
  """
  for module in configurables:
    importlib.import_module(module)
  for path in gin_files:
    if not pathlib.Path(path).is_file() and not (PROJECT_ROOT / path).is_file():
      raise errors.ConfigError(f'there is no gin file {path!r}{_nearest_file(path)}')
  gin.clear_config()
  gin.add_config_file_search_path(str(PROJECT_ROOT))
  try:
    gin.parse_config_files_and_bindings(list(gin_files), list(gin_bindings))
  except tokenize.TokenError as error:
    raise errors.ConfigError(
      f'gin cannot read {", ".join(gin_files)} with its bindings: {error.args[0]}'
    ) from error
  except _GIN_ERRORS as error:
    raise errors.ConfigError(one_line(error)) from error


def one_line(error: BaseException) -> str:
  """Returns gin's complaint as one line, with the nearest valid name."""
  text = ' '.join(line.strip() for line in str(error).splitlines() if line.strip(' ^'))
  if isinstance(error, SyntaxError):
    place = f' in {error.filename!r}, line {error.lineno}' if error.filename else ''
    return f'gin cannot read {(error.text or "").strip()!r}{place}: {error.msg}'
  unknown = re.search(r"No configurable matching(?: reference)? '@?([^']*)'", text)
  if unknown:
    name = unknown.group(1).split('/')[-1].rstrip('()')
    return f'gin: {text.rstrip(".")}{errors.nearest(name, _configurables())}'
  parameter = re.search(r"'?([\w./]+)'? doesn't have a parameter named '(\w+)'", text)
  if parameter:
    known = _parameters(parameter.group(1).split('/')[-1])
    return f'gin: {text.rstrip(".")}{errors.nearest(parameter.group(2), known)}'
  return text


def _configurables() -> Iterable[str]:
  # gin has no public list of what is registered.
  registry = getattr(gin.config, '_REGISTRY', {})
  return {selector.split('.')[-1] for selector, _ in registry.items()}


def _parameters(name: str) -> Iterable[str]:
  try:
    return list(inspect.signature(gin.get_configurable(name)).parameters)
  except (ValueError, TypeError):
    return []


def _nearest_file(path: str) -> str:
  folder = pathlib.Path(path).parent
  folder = folder if folder.is_dir() else PROJECT_ROOT / 'gin'
  return errors.nearest(path, (str(file) for file in folder.glob('*.gin')))
