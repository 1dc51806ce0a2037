"""Named reward functions of layers: pure, and configured by gin.

A reward takes a `Transition` and keyword arguments:

  base/Layer.reward_fn = @planar_speed
  planar_speed.alive_bonus = 0.05

`bind` reads the arguments out of gin once, so that a step costs a plain call and the
manifest can name them.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import gin
import numpy as np


class Transition(NamedTuple):
  """What a reward may look at.

  Attributes:
    observation: Field name to float32 vector, before the step.
    action: float32 [D], in the environment's units.
    next_observation: Field name to float32 vector, after the step.
    task_reward: The task's own reward.
    terminated: Whether the task ended here for a reason other than its time limit.
    info: The task's `info` of this step.
  """

  observation: Mapping[str, np.ndarray]
  action: np.ndarray
  next_observation: Mapping[str, np.ndarray]
  task_reward: float
  terminated: bool
  info: Mapping[str, Any]


class MissingQuantityError(Exception):
  """A reward needs a field or an info entry that the task does not give."""


class BoundReward(NamedTuple):
  """A reward with its arguments.

  Attributes:
    name: Name of the reward function.
    arguments: Its keyword arguments, defaults included; JSON types.
    function: The pure function.
  """

  name: str
  arguments: dict[str, Any]
  function: Callable[..., float]

  def __call__(self, transition: Transition) -> float:
    return float(self.function(transition, **self.arguments))


_BIND = object()
REWARDS: dict[str, Callable[..., float]] = {}


def reward(function: Callable[..., float]) -> Callable[..., float]:
  """Registers a reward function with gin under its own name.

  Args:
    function: Takes a `Transition` and keyword arguments with defaults; returns the reward
      of one environment step.

  Returns:
    The gin-configurable function, for use as `@name` in gin files.
  """
  name = function.__name__
  defaults = {
    key: parameter.default
    for key, parameter in inspect.signature(function).parameters.items()
    if key != 'transition'
  }

  @functools.wraps(function)
  def maybe_bind(transition, **arguments):
    if transition is _BIND:
      return BoundReward(name, {**defaults, **arguments}, function)
    return function(transition, **arguments)

  REWARDS[name] = function
  return gin.configurable(name)(maybe_bind)


def bind(reward_fn: Callable[..., float]) -> BoundReward:
  """Returns a reward with the arguments that gin gives it in the present scope.

  Args:
    reward_fn: A function made by `reward`.

  Raises:
    TypeError: If it is no such function.
  """
  try:
    bound = reward_fn(_BIND)
  except (AttributeError, TypeError):
    bound = None
  if not isinstance(bound, BoundReward):
    raise TypeError(
      f'{getattr(reward_fn, "__name__", reward_fn)!r} is no reward function; decorate it '
      'with latent_hrl.rewards.reward'
    )
  return bound


def _info(transition: Transition, key: str) -> float:
  if key not in transition.info:
    raise MissingQuantityError(f'info[{key!r}]')
  return float(transition.info[key])


def _field(transition: Transition, name: str) -> np.ndarray:
  if name not in transition.next_observation:
    raise MissingQuantityError(f'the observation field {name!r}')
  return transition.next_observation[name]


def _common_terms(
  transition: Transition, alive_bonus: float, control_cost_weight: float
) -> float:
  action = np.asarray(transition.action, dtype=np.float64)
  alive = 0.0 if transition.terminated else alive_bonus
  return alive - control_cost_weight * float(action @ action)


@reward
def task_reward(transition: Transition, scale: float = 1.0) -> float:
  """The task's own reward times `scale`."""
  return scale * transition.task_reward


@reward
def forward_velocity(
  transition: Transition,
  weight: float = 1.0,
  alive_bonus: float = 0.0,
  control_cost_weight: float = 0.0,
) -> float:
  """Velocity along x (m/s), plus a bonus per step alive, minus weight · Σ a²."""
  speed = _info(transition, 'x_velocity')
  return weight * speed + _common_terms(transition, alive_bonus, control_cost_weight)


@reward
def planar_speed(
  transition: Transition,
  weight: float = 1.0,
  alive_bonus: float = 0.05,
  control_cost_weight: float = 0.005,
) -> float:
  """|v_xy| (m/s) in any direction, plus a bonus per step alive, minus weight · Σ a².

  The defaults are those of the multi-direction Ant (docs/method.md: alive 0.05, control
  0.5 · 0.01), without the contact cost. On a planar task such as HalfCheetah it is |v_x|.
  """
  speed = np.hypot(_info(transition, 'x_velocity'), transition.info.get('y_velocity', 0.0))
  return weight * speed + _common_terms(transition, alive_bonus, control_cost_weight)


def _goal_distance(transition: Transition, goal: Any) -> float:
  position = _field(transition, 'position')
  goal = _field(transition, 'goal') if goal is None else np.asarray(goal, np.float64)
  if len(position) < len(goal):
    raise MissingQuantityError(f"a 'position' of the goal's {len(goal)} coordinates")
  return float(np.linalg.norm(position[: len(goal)] - goal))


@reward
def goal_distance(
  transition: Transition,
  goal: tuple[float, ...] | None = None,
  weight: float = 0.3,
  offset: float = 0.0,
) -> float:
  """weight · (offset - distance from field `position` to the goal), a dense reward.

  Args:
    transition: The step.
    goal: Coordinates of the goal; None reads the observation field `goal`.
    weight: Reward per unit of distance (0.3 in docs/method.md).
    offset: Distance that is worth 0, such as the goal's distance from the start.
  """
  return weight * (offset - _goal_distance(transition, goal))


@reward
def sparse_goal(
  transition: Transition,
  goal: tuple[float, ...] | None = None,
  radius: float = 0.25,
  weight: float = 0.3,
) -> float:
  """`weight` within `radius` of the goal, else 0.

  Args:
    transition: The step.
    goal: Coordinates of the goal; None reads the observation field `goal`.
    radius: Distance at which the goal counts as reached (0.25 in docs/method.md).
    weight: The reward there (0.3 in docs/method.md).
  """
  return weight if _goal_distance(transition, goal) <= radius else 0.0
