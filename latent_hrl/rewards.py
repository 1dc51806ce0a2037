"""Named reward functions of layers: pure, and configured by gin.

A reward takes a `Transition` and keyword arguments:

  base/Layer.reward_fn = @sparse_goal
  sparse_goal.radius = 0.5

or is the weighted sum of several, each of which is logged by its name:

  base/Layer.reward_fn = @weighted_sum
  weighted_sum.terms = {'planar_speed': 1.0, 'alive': 0.05, 'control_cost': -0.005}

where a name of one's own before a `/`, a scope of gin's, tells two of a kind apart:

  weighted_sum.terms = {'home/sparse_goal': 1.0, 'far/sparse_goal': 1.0}
  home/sparse_goal.goal = (0.0, 0.0)
  far/sparse_goal.goal = (9.0, 0.0)

`bind` reads the arguments out of gin once, so that a step costs a plain call and the
manifest can name them.
"""

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

import gin
import numpy as np

from latent_hrl import checks
from latent_hrl import errors
from latent_hrl import parameters
from latent_hrl import ranges

_GOAL = checks.optional(checks.several(checks.NUMBER))


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

  def terms(self, transition: Transition) -> dict[str, float]:
    """Returns the reward by term; the reward is their sum."""
    if self.name == 'weighted_sum':
      return _weighted(transition, self.arguments['terms'])
    terms = task_terms(transition.info, transition.task_reward)
    if self.name == 'task_reward' and terms:
      return {key: self.arguments['scale'] * value for key, value in terms.items()}
    return {self.name: self(transition)}


_BIND = object()
REWARDS: dict[str, Callable[..., float]] = {}
_CONFIGURABLE: dict[str, Callable[..., float]] = {}


def reward(function: Callable[..., float]) -> Callable[..., float]:
  """Registers a reward function with gin under its own name.

  Args:
    function: Takes a `Transition` and keyword arguments with defaults; returns the reward
      of one environment step.

  Returns:
    The gin-configurable function, for use as `@name` in gin files.

  Raises:
    ConfigError: If its arguments have no names that gin could bind.
  """
  name = function.__name__
  defaults = _defaults(function)

  @functools.wraps(function)
  def maybe_bind(transition, **arguments):
    if transition is _BIND:
      # Terms are bound here, where gin is in the scope of the reference.
      if name == 'weighted_sum':
        arguments = {'terms': _bind_terms(arguments.get('terms'))}
      return BoundReward(name, {**defaults, **arguments}, function)
    return function(transition, **arguments)

  parameters.register(name, function)
  REWARDS[name] = function
  _CONFIGURABLE[name] = gin.configurable(name)(maybe_bind)
  return _CONFIGURABLE[name]


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


def bind(reward_fn: Callable[..., float]) -> BoundReward:
  """Returns a reward with the arguments that gin gives it in the present scope.

  Args:
    reward_fn: A function made by `reward`.

  Raises:
    TypeError: If it is no such function.
    ConfigError: If an argument is no JSON value, or the terms of a `weighted_sum` are none
      or have no such name.
  """
  try:
    bound = reward_fn(_BIND)
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


def reward_of(term: str) -> str:
  """Returns which reward a term of a `weighted_sum` is: its name without the scope."""
  return term.rpartition('/')[2]


def _bind_terms(weights: Any) -> dict[str, dict[str, Any]]:
  """Returns weight and arguments of each term, as JSON types."""
  if not isinstance(weights, Mapping) or not weights:
    raise errors.ConfigError(
      "weighted_sum.terms must map rewards to weights, such as {'planar_speed': 1.0}, got "
      f'{weights!r}'
    )
  terms = {}
  for term, weight in weights.items():
    scope, _, name = str(term).rpartition('/')
    known = REWARDS.keys() - {'weighted_sum'}
    if name not in known:
      raise errors.ConfigError(
        f'weighted_sum.terms: there is no reward {name!r}{errors.nearest(name, known)}'
      )
    number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not number or not math.isfinite(weight):
      raise errors.ConfigError(
        f'weighted_sum.terms: the weight of {term!r} must be a number, got {weight!r}'
      )
    with gin.config_scope(scope.split('/') if scope else gin.current_scope()):
      bound = bind(_CONFIGURABLE[name])
    terms[term] = {'weight': float(weight), 'arguments': bound.arguments}
  return terms


def _weighted(
  transition: Transition, terms: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
  return {
    name: term['weight'] * float(REWARDS[reward_of(name)](transition, **term['arguments']))
    for name, term in terms.items()
  }


def task_terms(info: Mapping[str, Any], task_reward: float) -> dict[str, float]:
  """Returns the terms of a task's own reward.

  Args:
    info: The task's `info`; ours name the terms as `reward_terms`.
    task_reward: Their sum. What has another sum, or is something else that a task of others
      calls so, is no terms.

  Returns:
    Name to value; empty where the task tells none.
  """
  terms = info.get('reward_terms')
  try:
    found = {str(name): float(value) for name, value in terms.items()}  # type: ignore[union-attr]
  except (AttributeError, TypeError, ValueError):
    return {}
  return found if math.isclose(sum(found.values()), task_reward, abs_tol=1e-6) else {}


def _info(transition: Transition, key: str) -> float:
  if key not in transition.info:
    raise MissingQuantityError(f'info[{key!r}]')
  return float(transition.info[key])


def _field(observation: Mapping[str, np.ndarray], name: str) -> np.ndarray:
  if name not in observation:
    raise MissingQuantityError(f'the observation field {name!r}')
  return observation[name]


@reward
def weighted_sum(
  transition: Transition, terms: Mapping[str, Mapping[str, Any]] | None = None
) -> float:
  """The sum of other rewards, each times its weight.

  Args:
    transition: The step.
    terms: By name of the reward, maybe after a scope; in gin its weight, and the reward's
      own bindings hold: `{'planar_speed': 1.0, 'far/sparse_goal': 2.0}`. `bind` makes of
      each weight the `weight` and the `arguments` of that reward.
  """
  return sum(_weighted(transition, terms or {}).values())


@reward
def task_reward(
  transition: Transition,
  scale: Annotated[float, checks.NUMBER, ranges.REWARD_WEIGHT] = 1.0,
) -> float:
  """The task's own reward.

  Args:
    transition: The step.
    scale: What it is multiplied with.
  """
  return scale * transition.task_reward


@reward
def task_term(transition: Transition, name: Annotated[str, checks.TEXT] = '') -> float:
  """One term of the task's own reward, `info['reward_terms'][name]` (docs/tasks.md).

  Args:
    transition: The step.
    name: The term.
  """
  terms = transition.info.get('reward_terms', {})
  if name not in terms:
    raise MissingQuantityError(f"info['reward_terms'][{name!r}]")
  return terms[name]


@reward
def alive(transition: Transition) -> float:
  """1 for each step that does not end the episode."""
  return 0.0 if transition.terminated else 1.0


@reward
def control_cost(transition: Transition) -> float:
  """Σ a², a in the environment's units: a cost, so its weight is negative."""
  action = np.asarray(transition.action, dtype=np.float64)
  return float(action @ action)


@reward
def forward_velocity(transition: Transition) -> float:
  """Velocity along x in m/s."""
  return _info(transition, 'x_velocity')


@reward
def planar_speed(transition: Transition) -> float:
  """|v_xy| in m/s, in any direction; on a planar task such as HalfCheetah it is |v_x|."""
  return float(
    np.hypot(_info(transition, 'x_velocity'), transition.info.get('y_velocity', 0.0))
  )


def _goal_distance(transition: Transition, goal: Any) -> float:
  position = _field(transition.next_observation, 'position')
  if goal is None:
    # The goal that the step was for: on arrival the next observation may show another one.
    goal = _field(transition.observation, 'goal')
  goal = np.asarray(goal, np.float64)
  if len(position) < len(goal):
    raise MissingQuantityError(f"a 'position' of the goal's {len(goal)} coordinates")
  return float(np.linalg.norm(position[: len(goal)] - goal))


@reward
def goal_distance(
  transition: Transition,
  goal: Annotated[tuple[float, ...] | None, _GOAL] = None,
  weight: Annotated[
    float, checks.NUMBER, ranges.REWARD_WEIGHT, parameters.Source('code')
  ] = 0.3,
  offset: Annotated[float, checks.NUMBER, ranges.REWARD_WEIGHT, parameters.Unit('m')] = 0.0,
) -> float:
  """weight · (offset - distance from field `position` to the goal), a dense reward.

  Args:
    transition: The step.
    goal: Coordinates of the goal; None reads the observation field `goal`.
    weight: Reward per unit of distance.
    offset: Distance that is worth 0, such as the goal's distance from the start.
  """
  return weight * (offset - _goal_distance(transition, goal))


@reward
def sparse_goal(
  transition: Transition,
  goal: Annotated[tuple[float, ...] | None, _GOAL] = None,
  radius: Annotated[
    float,
    checks.POSITIVE,
    ranges.Range(1e-6, 1e6, 'no float32 position comes that near, or goes that far'),
    parameters.Unit('m'),
    parameters.Source('code'),
  ] = 0.25,
  weight: Annotated[
    float, checks.NUMBER, ranges.REWARD_WEIGHT, parameters.Source('code')
  ] = 0.3,
) -> float:
  """`weight` within `radius` of the goal, else 0.

  Args:
    transition: The step.
    goal: Coordinates of the goal; None reads the observation field `goal`.
    radius: Distance at which the goal counts as reached.
    weight: The reward there.
  """
  return weight if _goal_distance(transition, goal) <= radius else 0.0
