"""Reads gin files and bindings; every mistake is one line that names the nearest name."""

import contextlib
import copy
import importlib
import inspect
import pathlib
import re
import tokenize
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

import gin

from latent_hrl import errors

PROJECT_ROOT = pathlib.Path(__file__).resolve().parents[1]
gin.add_config_file_search_path(str(PROJECT_ROOT))
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
  with mistakes():
    try:
      gin.parse_config_files_and_bindings(list(gin_files), list(gin_bindings))
    except (tokenize.TokenError, UnicodeDecodeError) as error:
      raise errors.ConfigError(
        f'gin cannot read {", ".join(gin_files)} with its bindings: {error}'
      ) from error
    # Makes the layers: what one of them refuses is known now.
    layers = [v for _, name, v in bound_values(('train_stack',)) if name == 'layers']
  _check_scopes(layers[0] if layers else None)


@contextlib.contextmanager
def mistakes() -> Iterator[None]:
  """Tells in one line what gin, or what it calls with a user's values, does not take.

  For code that runs nothing but configuration: any exception is the user's to mend. A gin
  file may import a module, which may raise anything.
  """
  try:
    yield
  except errors.LatentHrlError:
    raise  # The first line says it all; gin appends where it was.
  except Exception as error:
    raise errors.ConfigError(one_line(error)) from error


def _check_scopes(layers: object) -> None:
  """Checks that each scope with bindings is one that something is made in.

  gin takes `bse/Trainer.batch_size = 3` for a scope that nobody has entered yet, and the
  layer `base` would silently train with another number.
  """
  bindings = _bindings()
  known = {
    reference.scoped_selector.rpartition('/')[0]
    for reference in gin.config.iterate_references(bindings)
  }
  known |= {getattr(layer, 'name', '') for layer in _as_list(layers)}
  for _, name, terms in bound_values(('weighted_sum',)):
    if name == 'terms' and isinstance(terms, Mapping):
      known |= {str(term).rpartition('/')[0] for term in terms}
  # What a stack or a comparison leaves out may keep its bindings; a slip looks alike.
  left_out = {
    scope for scope, selector in bindings if selector.endswith(('.Layer', '.System'))
  } - known
  for scope in sorted(left_out):
    hint = errors.nearest(scope, known)
    if hint:
      print(f'note: nothing is made with the bindings of {scope!r}{hint}', flush=True)
  known |= left_out
  for scope, selector in bindings:
    if scope and selector != 'gin.macro' and scope not in known:
      name = selector.split('.')[-1]
      raise errors.ConfigError(
        f'{scope}/{name}: there is no layer {scope!r}{errors.nearest(scope, known)}'
      )


def bound_values(configurables: Container[str]) -> Iterator[tuple[str, str, Any]]:
  """Yields what is bound, in any scope: such as `base/Trainer`, `batch_size` and 128.

  Args:
    configurables: The names to look for, without scope.

  Raises:
    ConfigError: If a value refers to what cannot be made.
  """
  for (scope, selector), values in _bindings().items():
    name = selector.split('.')[-1]
    if name not in configurables:
      continue
    for parameter, value in values.items():
      with mistakes():
        resolved = copy.deepcopy(value)  # References and macros become what they stand for.
      yield f'{scope}/{name}'.lstrip('/'), parameter, resolved


def _bindings() -> Mapping[tuple[str, str], Mapping[str, Any]]:
  # gin has no public way to list them.
  return getattr(gin.config, '_CONFIG', {})


def _as_list(value: object) -> list:
  return list(value) if isinstance(value, list | tuple) else [value]


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
  macro = re.search("No bindings specified for '(.*)/gin.macro'", text)
  if macro:
    return f'gin: %{macro.group(1)} has no value'
  parameter = re.search(r"'?([\w./]+)'? doesn't have a parameter named '(\w+)'", text)
  if parameter:
    known = _parameters(parameter.group(1).split('/')[-1])
    return f'gin: {text.rstrip(".")}{errors.nearest(parameter.group(2), known)}'
  if isinstance(error, RecursionError):
    return 'gin: a file includes itself, or a value refers to itself or is nested too deep'
  if isinstance(error, LookupError | AttributeError | NameError):
    return f'{type(error).__name__}: {text}'  # Alone, it would be a bare name.
  return text or type(error).__name__


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
