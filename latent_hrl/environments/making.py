"""Makes gymnasium environments; whatever goes wrong there ends in one line."""

import contextlib
import dataclasses
import importlib
import numbers
import re
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import gymnasium
from gymnasium.envs import registration

from latent_hrl import environments as _registration  # noqa: F401  registers our tasks
from latent_hrl import errors
from latent_hrl.environments import rendering

# An id, an environment, or a function that makes one.
Source: TypeAlias = str | gymnasium.Env | Callable[..., gymnasium.Env]
# How the ids of well-known packages begin, and the module that registers them.
_PACKAGES = {
  'Adroit': 'gymnasium_robotics',
  'AntMaze': 'gymnasium_robotics',
  'Fetch': 'gymnasium_robotics',
  'FrankaKitchen': 'gymnasium_robotics',
  'Hand': 'gymnasium_robotics',
  'MaMuJoCo': 'gymnasium_robotics',
  'Meta-World/': 'metaworld',
  'Panda': 'panda_gym',
  'PointMaze': 'gymnasium_robotics',
  'dm_control/': 'shimmy',
}
# Ids of functions that make an environment; see `registered`.
_FUNCTIONS = 'function/'


def make(task_id: str, render_mode: str | None, options: dict[str, Any]) -> gymnasium.Env:
  """Makes an environment by its id.

  Args:
    task_id: Such as `HalfCheetah-v5`; `module:id` imports the module first.
    render_mode: `rgb_array` for pictures; None for none.
    options: Its keyword arguments.

  Raises:
    TaskError: If there is no such task, or it cannot be made.
    ConfigError: If the environment variable MUJOCO_GL keeps MuJoCo from loading.
  """
  module, _, name = task_id.rpartition(':')
  if module:
    _import(module, task_id)
  _check_length(options, task_id)
  rendering.check_gl()
  # A constructor without pictures may take no render_mode.
  pictures = {} if render_mode is None else {'render_mode': render_mode}
  try:
    # The task is checked where it is wrapped; gymnasium's own checker runs on every step.
    with _quiet_compilation():
      return gymnasium.make(name, disable_env_checker=True, **pictures, **options)
  except gymnasium.error.DependencyNotInstalled as error:
    raise errors.TaskError(
      f'task {task_id!r} needs a package that is missing: {one_line(error)}'
    ) from error
  except Exception as error:  # The constructor is the task's, and may raise anything.
    if isinstance(error, gymnasium.error.Error) and name not in gymnasium.registry:
      raise errors.TaskError(f'there is no task {task_id!r}{_hint(task_id)}') from error
    what = f'with the options {options}' if options else 'as it is'
    raise errors.TaskError(
      f'task {task_id!r} cannot be made {what}: {type_and_text(error)}'
    ) from error


def _import(module: str, task_id: str) -> None:
  """Imports the module that a task id names."""
  try:
    importlib.import_module(module)
  except Exception as error:  # It is somebody's code, and may raise anything.
    raise errors.TaskError(
      f'there is no task {task_id!r}: importing {module} fails: {type_and_text(error)}'
    ) from error


def _check_length(options: dict[str, Any], task_id: str) -> None:
  """Checks the limit of an episode, of which gymnasium takes any number."""
  steps = options.get('max_episode_steps')
  if steps is None:
    return
  whole = isinstance(steps, numbers.Integral) and not isinstance(steps, bool)
  if not whole or steps < 1:
    raise errors.TaskError(
      f'task {task_id!r}: the option max_episode_steps must be a whole number of at least '
      f'1, got {steps!r}'
    )


def _hint(task_id: str) -> str:
  """Returns what a wrong id may have meant."""
  name = task_id.rpartition(':')[2]
  if name.startswith(_FUNCTIONS):
    return '; it was made by a function: hand that over as the task'
  near = errors.nearest(name, gymnasium.registry)
  for beginning, module in _PACKAGES.items():
    if name.startswith(beginning) and ':' not in task_id:
      return f'; the package {module} registers such: write {module + ":" + name!r}'
  return near or "; for a task of your own write 'MODULE:ID', which imports MODULE first"


def registered(task: Source) -> str:
  """Returns an id by which a task can be made more than once.

  Args:
    task: An id, which stays as it is; a function that makes the environment, which is
      registered with gymnasium under its name; or an environment that gymnasium made.

  Raises:
    TaskError: If it is something else, or an environment that cannot be made again.
  """
  if isinstance(task, str):
    return task
  if isinstance(task, gymnasium.Env):
    if task.spec is None:
      raise errors.TaskError(
        f'{task} cannot be made again, as is needed here; give a function that makes it'
      )
    spec = dataclasses.replace(task.spec, kwargs=_arguments(task.spec))
    # Compared as text: arguments may be arrays.
    if repr(spec) == repr(gymnasium.registry.get(spec.id)):
      return spec.id
    return _register(spec.make, spec.id)
  if not callable(task):
    raise errors.TaskError(
      f'a task is an id, an environment or a function that makes one, got {task!r}'
    )
  name = getattr(task, '__qualname__', type(task).__name__)
  return _register(task, f'{task.__module__}.{name}')


def options_of(env: gymnasium.Env) -> dict[str, Any]:
  """Returns the arguments that gymnasium made an environment with, besides its id's own."""
  if env.spec is None:
    return {}
  known = gymnasium.registry.get(env.spec.id)
  own = {} if known is None else {key: repr(value) for key, value in known.kwargs.items()}
  arguments = _arguments(env.spec)
  return {key: value for key, value in arguments.items() if own.get(key) != repr(value)}


def _arguments(spec: registration.EnvSpec) -> dict[str, Any]:
  return {key: value for key, value in spec.kwargs.items() if key != 'render_mode'}


def _register(function: Callable[..., gymnasium.Env], name: str) -> str:
  """Registers a function that makes an environment; returns its id."""
  name = _FUNCTIONS + re.sub(r'[^\w.]+', '_', name) + '-v0'
  gymnasium.registry.pop(name, None)  # Of the same name, in a notebook perhaps: the newer.
  gymnasium.register(name, entry_point=function, order_enforce=False)
  return name


@contextlib.contextmanager
def _quiet_compilation() -> Iterator[None]:
  """Drops what MuJoCo says of gymnasium's model files; what it says of a run stays.

  Current MuJoCo calls attributes of the stock models deprecated, once a copy of the task,
  and leaves a log file in the working directory.
  """
  try:
    import mujoco
  except ImportError:
    yield
    return
  handler = mujoco.get_mju_user_warning()
  mujoco.set_mju_user_warning(lambda message: None)
  try:
    yield
  finally:
    mujoco.set_mju_user_warning(handler)


def one_line(error: BaseException) -> str:
  """Returns the text of an error on one line."""
  return ' '.join(str(error).split())


def type_and_text(error: BaseException) -> str:
  """Returns the type of an error and its text; of one without, the line that raised it."""
  text, name = one_line(error), type(error).__name__
  if text:
    return f'{name}: {text}'
  *_, place = traceback.extract_tb(error.__traceback__) or [None]
  return name if place is None else f'{name}: {place.line} ({place.filename})'
