"""Any gymnasium task with a Box action space, as one flat observation of named fields."""

import math
import operator
from collections.abc import Mapping
from typing import Annotated, Any, SupportsIndex

import gin
import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium import utils

from latent_hrl import checks
from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import parameters
from latent_hrl.environments import boxes
from latent_hrl.environments import making
from latent_hrl.environments import rendering

_RESET = 'gymnasium wants reset(*, seed=None, options=None) -> observation, info'
_STEP = 'gymnasium wants step(action) -> observation, reward, terminated, truncated, info'


class Task(gymnasium.Wrapper, utils.RecordConstructorArgs):
  """A gymnasium task whose observation is one flat float32 vector of named fields.

  A Box observation is one field, `observation`; a Dict of Boxes has one field per entry,
  in the order of the space. What the task sends is checked, since a NaN or a wrong shape
  would otherwise poison the replay without a word.

  What `info` may tell is in docs/tasks.md.
  """

  def __init__(
    self,
    env: gymnasium.Env,
    task_id: str | None = None,
    options: dict[str, Any] | None = None,
  ):
    """Wraps an environment.

    Args:
      env: The environment.
      task_id: Its id, for messages and manifests; None for what gymnasium knows it by.
      options: The keyword arguments it was made with, for manifests; None for what
        gymnasium knows of them.

    Raises:
      TaskError: If the action space is no bounded Box vector or an observation is no Box.
    """
    utils.RecordConstructorArgs.__init__(self, task_id=task_id, options=options)
    gymnasium.Wrapper.__init__(self, env)
    if task_id is None:
      task_id = type(env.unwrapped).__name__ if env.spec is None else env.spec.id
    self.task_id = task_id
    self.options = making.options_of(env) if options is None else dict(options)
    self.action_space = boxes.action_box(env.action_space, task_id)
    self.fields, self.observation_space = boxes.fields_of(env.observation_space, task_id)
    inner = find(env)
    if inner is not None and inner.observation_space == env.observation_space:
      self.fields = inner.fields  # A flat vector does not tell their names.
    self._slices = observations.slices(self.fields)
    self._is_dict = isinstance(env.observation_space, spaces.Dict)
    self._last: np.ndarray | None = None
    rendering.isolate(env)

  def __setstate__(self, state: dict[str, Any]) -> None:
    """Takes what pickle and copy tell; the environment's renderer is a new one."""
    self.__dict__.update(state)
    rendering.isolate(self.env)

  @property
  def last_observation(self) -> np.ndarray:
    """The observation of the last reset or step, float32 [O], for reading.

    What reset and step return may be changed by who gets it, this may not.

    Raises:
      TaskError: If no episode has begun.
    """
    if self._last is None:
      raise errors.TaskError(f'task {self.task_id!r} has to be reset before its first step')
    return self._last

  def split(self, observation: np.ndarray) -> dict[str, np.ndarray]:
    """Returns views of a flat observation [O] by field name."""
    return {name: observation[where] for name, where in self._slices.items()}

  def position(self, observation: np.ndarray, info: Mapping[str, Any]) -> np.ndarray | None:
    """Returns where the robot is: x and y in m, [2]; None if the task does not tell.

    Args:
      observation: float32 [O]; its field `position`, if there is one.
      info: The task's info; gymnasium's MuJoCo tasks have `x_position` and some
        `y_position`.
    """
    if 'position' in self._slices:
      place = observation[self._slices['position']][:2].astype(np.float64)
      return np.pad(place, (0, 2 - len(place)))
    if 'x_position' in info:
      return np.array([info['x_position'], info.get('y_position', 0.0)], np.float64)
    return None

  def reset(self, *, seed: SupportsIndex | None = None, options: dict | None = None):
    """Starts an episode; see `gymnasium.Env.reset`. The observation is float32 [O]."""
    try:
      number = None if seed is None else operator.index(seed)
      returned = self.env.reset(seed=number, options=options)
    except errors.TaskError:
      raise
    except Exception as error:
      raise self._broken('reset', error) from error
    observation, info = self._parts(returned, 2, _RESET)
    return self._observed(observation), self._info(info)

  def step(self, action: np.ndarray):
    """Takes a step; see `gymnasium.Env.step`. The action is float32 [D].

    Raises:
      TaskError: If the task returns a NaN, an infinity, a wrong shape or a wrong type.
    """
    try:
      returned = self.env.step(boxes.native_action(action, self.env.action_space))
    except errors.TaskError:
      raise
    except Exception as error:
      raise self._broken('step', error) from error
    observation, reward, terminated, truncated, info = self._parts(returned, 5, _STEP)
    return (
      self._observed(observation),
      self._reward(reward),
      bool(terminated),
      bool(truncated),
      self._info(info),
    )

  def _broken(self, what: str, error: Exception) -> errors.TaskError:
    reason = making.type_and_text(error)
    # gymnasium's own wrappers meet tasks of the old interface first.
    if isinstance(error, ValueError) and 'values to unpack' in reason:
      reason = f'{reason}; {_STEP if what == "step" else _RESET}'
    elif what == 'reset' and "keyword argument 'seed'" in reason:
      reason = f'{reason}; {_RESET}'
    return errors.TaskError(f'task {self.task_id!r} failed in {what}: {reason}')

  def _parts(self, returned: Any, count: int, wanted: str) -> tuple[Any, ...]:
    if not isinstance(returned, tuple) or len(returned) != count:
      what = (
        f'{len(returned)} values' if isinstance(returned, tuple) else f'a {type(returned)}'
      )
      raise errors.TaskError(f'task {self.task_id!r} returned {what}; {wanted}')
    return returned

  def _reward(self, reward: Any) -> float:
    """Returns a reward as a number; some tasks send it in an array."""
    try:
      number = float(np.asarray(reward, np.float64).item())
    except (TypeError, ValueError):
      number = math.nan
    if not math.isfinite(number):
      raise errors.TaskError(f'task {self.task_id!r} returned the reward {reward!r}')
    return number

  def _info(self, info: Any) -> dict[str, Any]:
    if info is None:
      return {}
    if not isinstance(info, Mapping):
      raise errors.TaskError(
        f'task {self.task_id!r} returned the info {info!r}, which is no dict'
      )
    return dict(info)

  def _observed(self, observation: Any) -> np.ndarray:
    flat = self._flatten(observation)
    self._last = flat.copy()
    return flat

  def _flatten(self, observation: Any) -> np.ndarray:
    if self._is_dict:
      if not isinstance(observation, Mapping):
        raise errors.TaskError(
          f'task {self.task_id!r} returned an observation of type '
          f'{type(observation).__name__} instead of a dict of its fields'
        )
      for field in self.fields:
        if np.size(observation.get(field.name, ())) != field.size:
          raise errors.TaskError(
            f'task {self.task_id!r} returned no {field.size} entries for observation field '
            f'{field.name!r}'
          )
      observation = np.concatenate([np.ravel(observation[f.name]) for f in self.fields])
    try:
      # A copy: the task may write its next observation into the same array.
      flat = np.array(observation, dtype=np.float32).reshape(-1)
    except (TypeError, ValueError) as error:
      raise errors.TaskError(
        f'task {self.task_id!r} returned an observation of type '
        f'{type(observation).__name__}: {making.type_and_text(error)}'
      ) from error
    if flat.shape != self.observation_space.shape:
      raise errors.TaskError(
        f'task {self.task_id!r} returned an observation of {flat.size} entries instead of '
        f'{self.observation_space.shape[0]}'
      )
    if not np.isfinite(flat).all():
      where = ', '.join(
        name for name, part in self.split(flat).items() if not np.isfinite(part).all()
      )
      raise errors.TaskError(
        f'task {self.task_id!r} returned NaN or infinity in observation field {where}'
      )
    return flat


def find(env: gymnasium.Env) -> Task | None:
  """Returns the task inside wrappers; None if there is none."""
  while not isinstance(env, Task):
    if not isinstance(env, gymnasium.Wrapper):
      return None
    env = env.env
  return env


@parameters.registered
@gin.configurable(denylist=['task_id', 'render_mode'])
def make_task(
  task_id: making.Source,
  *,
  render_mode: str | None = None,
  options: Annotated[dict[str, Any] | None, checks.optional(checks.OPTIONS)] = None,
) -> Task:
  """Makes a task by its gymnasium id, or of an environment.

  Args:
    task_id: An id such as `HalfCheetah-v5`, where `module:id` imports the module first; an
      environment; or a function that makes one, which is called with the options.
    render_mode: `rgb_array` for pictures.
    options: Keyword arguments of the environment, such as
      `{'include_cfrc_ext_in_observation': False}` for Ant-v5.

  Raises:
    TaskError: If the id is unknown, its packages are missing, or the task does not fit.
  """
  options = dict(options or {})
  if isinstance(task_id, gymnasium.Env):
    if options or render_mode:
      raise errors.TaskError(
        f'{task_id} is made already; options and render_mode are for the id of a task'
      )
    return task_id if isinstance(task_id, Task) else Task(task_id)
  task_id = making.registered(task_id)
  return Task(making.make(task_id, render_mode, options), task_id, options)
