"""Any gymnasium task with a Box action space, as one flat observation of named fields."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import gin
import gymnasium
import numpy as np
from gymnasium import spaces

from latent_hrl import environments as _registration  # noqa: F401  registers our tasks
from latent_hrl import errors
from latent_hrl import observations


class Task(gymnasium.Wrapper):
  """A gymnasium task whose observation is one flat float32 vector of named fields.

  A Box observation is one field, `observation`; a Dict of Boxes has one field per entry,
  in the order of the space. What the task sends is checked, since a NaN or a wrong shape
  would otherwise poison the replay without a word.
  """

  def __init__(self, env: gymnasium.Env, task_id: str, options: dict[str, Any]):
    """Wraps an environment.

    Args:
      env: The environment.
      task_id: Its id, for messages and manifests.
      options: The keyword arguments it was made with, for manifests.

    Raises:
      TaskError: If the action space is no bounded Box vector or an observation is no Box.
    """
    super().__init__(env)
    self.task_id = task_id
    self.options = dict(options)
    action_space = env.action_space
    if not isinstance(action_space, spaces.Box) or len(action_space.shape) != 1:
      raise errors.TaskError(
        f'task {task_id!r} has the action space {action_space}; a layer needs a Box with '
        'one dimension (continuous actions)'
      )
    # Formats that know no unbounded box write the largest float.
    limit = np.finfo(np.float32).max
    if not np.all(np.maximum(-action_space.low, action_space.high) < limit):
      raise errors.TaskError(
        f'task {task_id!r} has an unbounded action space; give it a bounded Box with '
        'gymnasium.wrappers.TransformAction'
      )
    if np.any(action_space.low >= action_space.high):
      raise errors.TaskError(f'task {task_id!r} has an empty action box {action_space}')
    self._is_dict = isinstance(env.observation_space, spaces.Dict)
    parts = (
      dict(env.observation_space.spaces)
      if self._is_dict
      else {'observation': env.observation_space}
    )
    for name, space in parts.items():
      if not isinstance(space, spaces.Box) or 0 in space.shape:
        raise errors.TaskError(
          f'task {task_id!r}: observation field {name!r} is {space}, not a Box of numbers'
        )
    self.fields = tuple(
      observations.ObservationField(name, int(np.prod(space.shape)))
      for name, space in parts.items()
    )
    self._slices = observations.slices(self.fields)
    low = np.concatenate([np.ravel(space.low) for space in parts.values()])
    high = np.concatenate([np.ravel(space.high) for space in parts.values()])
    self.observation_space = spaces.Box(
      low.astype(np.float32), high.astype(np.float32), dtype=np.float32
    )
    self.action_space = spaces.Box(
      action_space.low.astype(np.float32),
      action_space.high.astype(np.float32),
      dtype=np.float32,
    )

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

  def reset(self, *, seed: int | None = None, options: dict | None = None):
    """Starts an episode; see `gymnasium.Env.reset`. The observation is float32 [O]."""
    try:
      observation, info = self.env.reset(seed=seed, options=options)
      return self._flatten(observation), info
    except errors.TaskError:
      raise
    except Exception as error:
      raise self._broken('reset', error) from error

  def step(self, action: np.ndarray):
    """Takes a step; see `gymnasium.Env.step`. The action is float32 [D].

    Raises:
      TaskError: If the task returns a NaN, an infinity, a wrong shape or a wrong type.
    """
    try:
      observation, reward, terminated, truncated, info = self.env.step(action)
      if not np.isfinite(reward):
        raise errors.TaskError(f'task {self.task_id!r} returned the reward {reward}')
      return (
        self._flatten(observation),
        float(reward),
        bool(terminated),
        bool(truncated),
        info,
      )
    except errors.TaskError:
      raise
    except Exception as error:
      raise self._broken('step', error) from error

  def _broken(self, what: str, error: Exception) -> errors.TaskError:
    return errors.TaskError(
      f'task {self.task_id!r} failed in {what}: {type(error).__name__}: {_one_line(error)}'
    )

  def _flatten(self, observation: Any) -> np.ndarray:
    if self._is_dict:
      for field in self.fields:
        if np.size(observation.get(field.name, ())) != field.size:
          raise errors.TaskError(
            f'task {self.task_id!r} returned no {field.size} entries for observation field '
            f'{field.name!r}'
          )
      observation = np.concatenate([np.ravel(observation[f.name]) for f in self.fields])
    # A copy: the task may write its next observation into the same array.
    flat = np.array(observation, dtype=np.float32).reshape(-1)
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


@gin.configurable(denylist=['task_id', 'render_mode'])
def make_task(
  task_id: str, render_mode: str | None = None, options: dict[str, Any] | None = None
) -> Task:
  """Makes a task by its gymnasium id.

  Args:
    task_id: Such as `HalfCheetah-v5`; `module:id` imports the module first.
    render_mode: `rgb_array` for pictures.
    options: Keyword arguments of the environment, such as
      `{'include_cfrc_ext_in_observation': False}` for Ant-v5.

  Raises:
    TaskError: If the id is unknown, its packages are missing, or the task does not fit.
  """
  options = dict(options or {})
  try:
    # The task is checked here, once; gymnasium's own checker runs on every step.
    with _quiet_compilation():
      # A constructor without pictures may take no render_mode.
      rendering = {} if render_mode is None else {'render_mode': render_mode}
      env = gymnasium.make(task_id, disable_env_checker=True, **rendering, **options)
  except gymnasium.error.DependencyNotInstalled as error:
    raise errors.TaskError(
      f'task {task_id!r} needs a package that is missing: {_one_line(error)}'
    ) from error
  except (gymnasium.error.Error, ModuleNotFoundError) as error:
    if task_id in gymnasium.registry:  # It is there, and wants another one that is not.
      raise errors.TaskError(
        f'task {task_id!r} cannot be made with the options {options}: {_one_line(error)}'
      ) from error
    hint = errors.nearest(str(task_id), gymnasium.registry)
    raise errors.TaskError(f'there is no task {task_id!r}{hint}') from error
  except Exception as error:  # The constructor is the task's, and may raise anything.
    raise errors.TaskError(
      f'task {task_id!r} does not take the options {options}: {_one_line(error)}'
    ) from error
  return Task(env, task_id, options)


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


def _one_line(error: BaseException) -> str:
  return ' '.join(str(error).split())
