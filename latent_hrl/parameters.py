"""What gin may bind: each parameter declared once, with its default, range and source.

A parameter is a field of a configuration, or an argument of a function, whose annotation
says what a value has to be:

  @parameters.configurable
  class CriticConfig:
    gin_name: ClassVar[str] = 'TwinCriticNetwork'

    value_scale: Annotated[float, checks.POSITIVE, Unit('reward')] = 1.0

From that line follow the binding `TwinCriticNetwork.value_scale`, the error of a value that
is out of range, and its row in the reference of all bindings (docs/reference.md). What a
parameter means is in the docstring of its class or function.
"""

import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, NamedTuple, TypeVar

import attrs
import gin

from latent_hrl import checks
from latent_hrl import config
from latent_hrl import errors
from latent_hrl import ranges

_T = TypeVar('_T')
# What is ours among all that TF-Agents registers with gin.
_MODULE = 'latent_hrl'


class Unit(str):
  """Unit of a parameter, such as `environment steps`."""


class Source(str):
  """Where a default comes from: a paper, its code, a measurement under results/."""


class Parameter(NamedTuple):
  """One parameter that gin may bind.

  Attributes:
    name: Its name.
    default: Its default; `inspect.Parameter.empty` if it has to be bound.
    rule: What a value has to be.
    range: Sensible numbers; None if the rule says it all.
    unit: Unit; empty for what has none.
    source: Where the default comes from; empty if it is a matter of course.
    text: What it means, from the docstring.
  """

  name: str
  default: Any
  rule: checks.Rule
  range: ranges.Range | None
  unit: str
  source: str
  text: str


class Owner(NamedTuple):
  """A configuration or function that has parameters.

  Attributes:
    module: The module that declares it.
    text: What it is, the first line of its docstring.
    parameters: Its parameters by name.
  """

  module: str
  text: str
  parameters: dict[str, Parameter]


# By name in gin.
REGISTRY: dict[str, Owner] = {}


@typing.dataclass_transform(
  kw_only_default=True, frozen_default=True, field_specifiers=(attrs.field,)
)
def frozen(cls: type[_T]) -> type[_T]:
  """Makes a frozen class of one with annotated fields, given by keyword and checked.

  Args:
    cls: The class.
  """
  make = attrs.frozen(kw_only=True, slots=False, field_transformer=_with_rules)
  return make(cls)


@typing.dataclass_transform(
  kw_only_default=True, frozen_default=True, field_specifiers=(attrs.field,)
)
def configurable(cls: type[_T]) -> type[_T]:
  """Does the same, and makes the class known to gin by its `gin_name`.

  Made without an argument for a field, it takes what gin binds in the present scope.

  Args:
    cls: The class.
  """
  made: Any = frozen(cls)
  register(made.gin_name, made)
  return gin.configurable(made.gin_name, module=_MODULE)(made)


def register(name: str, owner: Callable[..., Any]) -> None:
  """Takes down the annotated parameters of a function or class.

  Args:
    name: Its name in gin files.
    owner: The function, or a class as `configurable` makes it.
  """
  declared = owner
  if inspect.isclass(owner) and not attrs.has(owner):
    declared = owner.__init__
  elif not inspect.isclass(owner):
    declared = inspect.unwrap(owner)
  hints = typing.get_type_hints(declared, include_extras=True)
  texts: dict[str, str] = {}
  owners = owner.__mro__ if inspect.isclass(owner) and attrs.has(owner) else (declared,)
  for one in reversed(owners):
    texts |= _documented(inspect.cleandoc(one.__doc__ or ''))
  found = {}
  for parameter in inspect.signature(owner).parameters.values():
    rule = _noted(hints.get(parameter.name), checks.Rule)
    if rule is not None:
      found[parameter.name] = Parameter(
        parameter.name,
        _default(owner, parameter),
        rule,
        _noted(hints[parameter.name], ranges.Range),
        str(_noted(hints[parameter.name], Unit) or ''),
        str(_noted(hints[parameter.name], Source) or ''),
        texts.get(parameter.name, ''),
      )
  summary = inspect.cleandoc(owner.__doc__ or '').partition('\n')[0]
  REGISTRY[name] = Owner(owner.__module__, summary, found)


def registered(owner: _T) -> _T:
  """Registers a function or class under its own name; a decorator above gin's."""
  made: Any = owner
  register(made.__name__, made)
  return owner


def values(config: Any) -> dict[str, Any]:
  """Returns the fields of a configuration by name, those within it as dictionaries too."""
  return attrs.asdict(config)


def check_bindings(unchecked_ranges: bool = False) -> None:
  """Checks every value that gin holds, in any scope, before anything is built.

  Integers are made of `6e5` where they are meant.

  Args:
    unchecked_ranges: Whether to take numbers outside of their sensible ranges.

  Raises:
    ConfigError: If a value is of a wrong type, an impossible number, or outside of its
      sensible range.
  """
  for owner, name, value in list(config.bound_values(REGISTRY)):
    parameter = REGISTRY[owner.split('/')[-1]].parameters.get(name)
    if parameter is None:
      continue
    taken = check(f'{owner}.{name}', parameter.rule, value)
    if repr(taken) != repr(value):
      with gin.unlock_config():
        gin.bind_parameter(f'{owner}.{name}', taken)
    problem = parameter.range.problem(value) if parameter.range else ''
    if problem and not unchecked_ranges:
      raise errors.ConfigError(f'{owner}.{name} must be {problem}, got {value!r}')


def check(what: str, rule: checks.Rule, value: Any) -> Any:
  """Checks one value.

  Args:
    what: Its name, for the message, such as `base/create_agent.gamma`.
    rule: What it has to be.
    value: The value.

  Returns:
    What is taken for it, such as the integer 600000 for `6e5`.

  Raises:
    ConfigError: If it is not.
  """
  if not rule.holds(value):
    hint = errors.nearest(str(value), rule.choices)
    raise errors.ConfigError(f'{what} must be {rule.text}, got {value!r}{hint}')
  return rule.taken(value)


def _with_rules(cls: type, fields: list[attrs.Attribute]) -> list[attrs.Attribute]:
  """Gives the fields of a class the rules of their annotations."""
  hints = typing.get_type_hints(cls, include_extras=True)
  rules = {field.name: _noted(hints[field.name], checks.Rule) for field in fields}
  return [field.evolve(converter=_converter(field, rules[field.name])) for field in fields]


def _converter(field: attrs.Attribute, rule: checks.Rule | None) -> Any:
  if rule is None:
    return None

  def convert(value: Any, instance: Any) -> Any:
    owner = getattr(instance, 'gin_name', type(instance).__name__)
    scoped = '/'.join([*gin.current_scope(), owner])
    return check(f'{scoped}.{field.name}', rule, value)

  return attrs.Converter(convert, takes_self=True)


def _noted(hint: Any, kind: type[_T]) -> _T | None:
  """Returns the note of a kind in an `Annotated` type, if there is one."""
  if typing.get_origin(hint) is not Annotated:
    return None
  notes = (note for note in hint.__metadata__ if isinstance(note, kind))
  return next(notes, None)


def _default(owner: Any, parameter: inspect.Parameter) -> Any:
  """Returns the default, that of a field made by a factory included."""
  if not attrs.has(owner):
    required = parameter.default is gin.REQUIRED
    return inspect.Parameter.empty if required else parameter.default
  default: Any = attrs.fields_dict(owner)[parameter.name].default
  if hasattr(default, 'factory'):
    return default.factory()
  return inspect.Parameter.empty if default is attrs.NOTHING else default


def _documented(docstring: str) -> Mapping[str, str]:
  """Returns what a docstring's `Args:` or `Attributes:` say, by name, each one line."""
  return {name: ' '.join(lines) for name, lines in _entries(docstring)}


def _entries(docstring: str) -> Iterator[tuple[str, list[str]]]:
  inside, entry = False, None
  for line in docstring.splitlines():
    if line in ('Args:', 'Attributes:'):
      inside = True
    elif inside and line and not line.startswith(' '):
      inside = False
    start = re.match(r' {2}(\w+): (.*)', line) if inside else None
    if start:
      if entry:
        yield entry
      entry = (start[1], [start[2]])
    elif inside and entry and line.strip():
      entry[1].append(line.strip())
  if entry:
    yield entry
