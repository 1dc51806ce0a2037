"""Reads gin files and bindings; every mistake is one line that names the nearest name."""

import contextlib
import copy
import difflib
import importlib
import inspect
import io
import pathlib
import re
import tokenize
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

import gin

from latent_hrl import errors
from latent_hrl import renamed
from latent_hrl import resources

PROJECT_ROOT = resources.ROOT
_GIN_FOLDER = PROJECT_ROOT / 'gin'
gin.add_config_file_search_path(str(PROJECT_ROOT))
# Modules whose import registers what gin files of training may name.
_CONFIGURABLES = (
  'latent_hrl.agents.ddpg',
  'latent_hrl.agents.latent_space',
  'latent_hrl.agents.ppo',
  'latent_hrl.agents.sac',
  'latent_hrl.agents.td3',
  'latent_hrl.environments.tasks',
  'latent_hrl.flows.gaussian',
  'latent_hrl.flows.neural_spline',
  'latent_hrl.flows.real_nvp',
  'latent_hrl.plan.layer',
  'latent_hrl.rewards',
  'latent_hrl.commands',
  'latent_hrl.commanded_rewards',
  'latent_hrl.plan.settings',
  'latent_hrl.training.train_stack',
)


def register(configurables: Sequence[str] = _CONFIGURABLES) -> None:
  """Makes the names of this library known to gin.

  Args:
    configurables: Modules whose import registers them; those of training unless told
      otherwise.
  """
  for module in configurables:
    importlib.import_module(module)


def load(
  gin_files: Sequence[str],
  gin_bindings: Sequence[str] = (),
  configurables: Sequence[str] = _CONFIGURABLES,
) -> None:
  """Replaces the gin configuration by these files and bindings.

  It registers the names of this library first, which `gin.parse_config_file` alone does
  not know before the modules are imported. `latent_hrl.load_config` is the same function.

  Args:
    gin_files: Paths; those of shipped files from anywhere, as `gin/half_cheetah.gin` or
      `half_cheetah.gin`. `include` in them is looked up beside the file that includes, then
      as the paths themselves.
    gin_bindings: Bindings such as `OffPolicy.batch_size = 128`, which override the files.
    configurables: Modules whose import registers what the files may name; those of
      training unless told otherwise.

  Raises:
    ConfigError: If a file is missing, or names something unknown.
  """
  register(configurables)
  for path in gin_files:
    if _found(path) is None:
      raise errors.ConfigError(f'there is no gin file {path!r}{_nearest_file(path)}')
  _read_our_way()
  gin.clear_config()
  with mistakes():
    try:
      bindings = [_in_present_names(binding) for binding in gin_bindings]
      gin.parse_config_files_and_bindings(list(gin_files), bindings)
    except (tokenize.TokenError, UnicodeDecodeError) as error:
      raise errors.ConfigError(
        f'gin cannot read {", ".join(gin_files)} with its bindings: {error}'
      ) from error
    # Makes the layers: what one of them refuses is known now.
    layers = [v for _, name, v in bound_values(('train_stack',)) if name == 'layers']
  _check_scopes(layers[0] if layers else None)
  _note_unread_macros()


load_config = load  # Its name in `latent_hrl`, where `load` alone would say too little.

# Files that are being read, the innermost last.
_READING: list[pathlib.Path] = []


def _found(path: str) -> pathlib.Path | None:
  """Returns the file that `path` means to the file being read; None if there is none."""
  folder = _READING[-1].parent if _READING else pathlib.Path()
  shipped = (PROJECT_ROOT, _GIN_FOLDER)
  # A shipped file includes shipped ones, whatever lies where the launcher was started.
  started = () if folder.is_relative_to(_GIN_FOLDER) else (pathlib.Path(),)
  files = (base / path for base in (folder, *started, *shipped))
  return next((file for file in files if file.is_file()), None)


@contextlib.contextmanager
def _open(path: str) -> Iterator[IO[str]]:
  """Opens a gin file for gin, which parses it and what it includes before it is closed."""
  file = _found(path) or pathlib.Path(path)
  text = file.read_text(encoding='utf-8-sig')  # Without the mark that editors leave.
  _READING.append(file)
  try:
    yield io.StringIO(_in_present_names(text))
  finally:
    _READING.pop()


def _in_present_names(text: str) -> str:
  """Exchanges names that have changed, and says so once each."""
  lines = [renamed.current(line) for line in text.splitlines(keepends=True)]
  for note in dict.fromkeys(note for _, note in lines if note):
    print(f'note: {note}', flush=True)
  return ''.join(line for line, _ in lines)


def _read_our_way() -> None:
  """Puts `_open` before the plain one that gin begins with; once is enough."""
  # `gin.register_file_reader` puts what it is given last.
  readers = getattr(gin.config, '_FILE_READERS', [])
  if not any(reader is _open for reader, _ in readers):
    readers.insert(0, (_open, lambda path: _found(path) is not None))


def operative() -> str:
  """Returns the configuration of this run as a gin file that trains the same again.

  First every binding: gin's own operative configuration tells only of what was made in
  this process, and a resumed run does not make a finished layer again. Then every parameter
  that was used, with the defaults.
  """
  return (
    f'# Every binding.\n\n{gin.config_str()}\n'
    f'# Every parameter that was used, defaults included.\n\n{gin.operative_config_str()}'
  )


def defaults(configurable: str) -> dict[str, Any]:
  """Returns the parameters of a configurable that have defaults, and the defaults."""
  parameters = inspect.signature(gin.get_configurable(configurable)).parameters
  return {
    name: parameter.default
    for name, parameter in parameters.items()
    if parameter.default is not inspect.Parameter.empty
  }


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


@contextlib.contextmanager
def bound(values: Mapping[str, Any]) -> Iterator[None]:
  """Binds values on top of what is bound, while the body runs.

  Args:
    values: By name, such as `OffPolicy.batch_size`.

  Raises:
    ConfigError: If there is no such name.
  """
  bindings = _bindings()
  before = {key: dict(parameters) for key, parameters in bindings.items()}
  try:
    with mistakes(), gin.unlock_config():
      for name, value in values.items():
        gin.bind_parameter(name, value)
    yield
  finally:
    bindings.clear()
    bindings.update(before)


def _check_scopes(layers: object) -> None:
  """Checks that each scope with bindings is one that something is made in.

  gin takes `bse/OffPolicy.batch_size = 3` for a scope that nobody has entered yet, and the
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


def _note_unread_macros() -> None:
  """Notes each `name = value` that nothing reads: maybe a parameter without its owner."""
  bindings = _bindings()
  read = {ref.scoped_selector for ref in gin.config.iterate_references(bindings)}
  for scope, selector in bindings:
    if selector != 'gin.macro' or f'{scope}/{selector}' in read:
      continue
    owners = {
      parameter: owner
      for owner in sorted(_configurables(ours=True))
      for parameter in _parameters(owner)
    }
    near = difflib.get_close_matches(scope, owners, n=1)
    hint = f'; did you mean {owners[near[0]]}.{near[0]}?' if near else ''
    print(f'note: nothing reads {scope!r}{hint}', flush=True)


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


def _bindings() -> dict[tuple[str, str], Mapping[str, Any]]:
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


def _configurables(ours: bool = False) -> Iterable[str]:
  """Returns the names that are registered: all, or those of this library alone."""
  # gin has no public list of what is registered.
  registry = getattr(gin.config, '_REGISTRY', {})
  start = 'latent_hrl.' if ours else ''
  return {name.split('.')[-1] for name, _ in registry.items() if name.startswith(start)}


def _parameters(name: str) -> Iterable[str]:
  try:
    return list(inspect.signature(gin.get_configurable(name)).parameters)
  except (ValueError, TypeError):
    return []


def _nearest_file(path: str) -> str:
  """Returns the hint for a gin file that is not there."""
  wanted = pathlib.Path(path)
  # Names alone: the likeness of whole paths depends on where the folder lies.
  for folder in (wanted.parent, _GIN_FOLDER):
    names = [file.name for file in folder.glob('*.gin')]
    for name in difflib.get_close_matches(wanted.name, names, n=1):
      return f'; did you mean {_as_written(folder / name)!r}?'
  return ''


def _as_written(file: pathlib.Path) -> str:
  """Returns the path by which `load` finds a file; short for those of the project."""
  if file.is_relative_to(PROJECT_ROOT):
    return file.relative_to(PROJECT_ROOT).as_posix()
  return str(file)
