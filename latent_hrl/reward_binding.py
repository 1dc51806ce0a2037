"""A reward as an object: a pure function, bound once to what gin gives its arguments.

A step costs a plain call then, and the manifest can name the arguments.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import gin
import numpy as np

from latent_hrl import checks
from latent_hrl import errors
from latent_hrl import parameters


class Transition(NamedTuple):
  """What a reward may look at.

  Attributes:
    observation: Field name to float32 vector, before the step.
    action: float32 [D], in the environment's units.
    next_observation: Field name to float32 vector, after the step.
    task_reward: The task's own reward.
    terminated: Whether the task ended here for a reason other than its time limit.
    info: The task's `info` of this step.
    command: What the layer was told to do in this step, float32 [n]; None for a layer that
      has no command (`commands`).
  """

  observation: Mapping[str, np.ndarray]
  action: np.ndarray
  next_observation: Mapping[str, np.ndarray]
  task_reward: float
  terminated: bool
  info: Mapping[str, Any]
  command: np.ndarray | None = None


class MissingQuantityError(Exception):
  """A reward needs a field or an info entry that the task does not give."""


class Reward:
  """A named reward: a pure function, to be bound to the arguments that gin gives it.

  Attributes:
    name: Its name in gin files.
  """

  def __init__(self, function: Callable[..., float], name: str = ''):
    """Takes the function; nobody knows the reward by its name before `register`.

    Args:
      function: Takes a `Transition` and keyword arguments; returns the reward of one
        environment step.
      name: Its name in gin files; that of the function if empty.

    Raises:
      ConfigError: If its arguments have no names that gin could bind.
    """
    functools.update_wrapper(self, function)
    self.name = self.__name__ = name or function.__name__
    self.function = function
    self._defaults = _defaults(function)
    self.bind: Callable[[], BoundReward] = self._bound

  def __call__(self, transition: Transition, **arguments: Any) -> float:
    return float(self.function(transition, **arguments))

  def register(self) -> 'Reward':
    """Makes it known to gin: `@name` stands for `bind`, whose arguments gin fills in."""

    def bind(**arguments):
      return self._bound(**arguments)

    bind.__name__, bind.__doc__ = self.name, self.function.__doc__
    _, *arguments = inspect.signature(self.function).parameters.values()
    bind.__signature__ = inspect.Signature(arguments)  # type: ignore[attr-defined]
    parameters.register(self.name, self.function)
    self.bind = gin.configurable(self.name, module=self.function.__module__)(bind)
    REWARDS[self.name] = self
    return self

  def _bound(self, **arguments: Any) -> 'BoundReward':
    return BoundReward(self, {**self._defaults, **arguments})

  def terms(self, transition: Transition, **arguments: Any) -> dict[str, float]:
    """Returns the reward by term; the reward is their sum."""
    return {self.name: self(transition, **arguments)}

  def parts(
    self, arguments: dict[str, Any]
  ) -> list[tuple['Reward', dict[str, Any], float]]:
    """Returns what it is the sum of: rewards, their arguments and weights."""
    return [(self, arguments, 1.0)]

  def is_known(self, arguments: Mapping[str, Any]) -> bool:
    """Whether all that a manifest records of it is registered."""
    del arguments
    return self.name in REWARDS


class BoundReward(NamedTuple):
  """A reward with its arguments.

  Attributes:
    reward: The reward.
    arguments: Its keyword arguments, defaults included; JSON types.
  """

  reward: Reward
  arguments: dict[str, Any]

  def __repr__(self) -> str:
    return f'@{self.name}()'

  @property
  def name(self) -> str:
    """Name of the reward."""
    return self.reward.name

  def __call__(self, transition: Transition) -> float:
    return self.reward(transition, **self.arguments)

  def terms(self, transition: Transition) -> dict[str, float]:
    """Returns the reward by term; the reward is their sum."""
    return self.reward.terms(transition, **self.arguments)


REWARDS: dict[str, Reward] = {}


def reward(function: Callable[..., float]) -> Reward:
  """Registers a reward function with gin under its own name; see `Reward`.

  Args:
    function: Takes a `Transition` and keyword arguments with defaults; returns the reward
      of one environment step.

  Raises:
    ConfigError: If its arguments have no names that gin could bind.
  """
  return Reward(function).register()


def _defaults(function: Callable[..., float]) -> dict[str, Any]:
  """Returns the arguments after the transition, with `inspect.Parameter.empty` for none."""
  _, *parameters = inspect.signature(function).parameters.values() or (None,)
  for parameter in parameters:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
      raise errors.ConfigError(
        f'reward {function.__name__!r} takes {parameter}: a reward takes the transition, '
        'then arguments with names, such as `radius: float = 0.25`'
      )
  return {parameter.name: parameter.default for parameter in parameters}


def bind(reward_fn: Any) -> BoundReward:
  """Returns a reward with the arguments that gin gives it in the present scope.

  Args:
    reward_fn: What `reward` made, or gin's reference to it, called or not.

  Raises:
    TypeError: If it is no such function.
    ConfigError: If an argument is no JSON value, or the terms of a `weighted_sum` are none
      or have no such name.
  """
  bound = reward_fn
  if not isinstance(bound, BoundReward):  # As `@name()` is already.
    # What gin makes of `@name` binds when called, in the scope of the reference.
    binder = reward_fn.bind if isinstance(reward_fn, Reward) else reward_fn
    try:
      bound = binder()
    except (AttributeError, TypeError):
      bound = None
  if not isinstance(bound, BoundReward):
    raise TypeError(
      f'{_name(reward_fn)!r} is no reward function; decorate it '
      'with latent_hrl.rewards.reward'
    )
  for key, value in bound.arguments.items():
    if value is inspect.Parameter.empty:
      raise errors.ConfigError(
        f'reward {bound.name!r}: {key!r} has no default; bind {bound.name}.{key}'
      )
    if not checks.is_json(value):
      shown = ' '.join(repr(value).split())
      raise errors.ConfigError(
        f'reward {bound.name!r}: no manifest can record {key} = {shown}; use numbers, '
        'text, lists and dictionaries'
      )
  return bound


def _name(what: Any) -> str:
  """Returns the name by which a gin file refers to something."""
  return str(getattr(what, 'gin_name', None) or getattr(what, '__name__', what))
