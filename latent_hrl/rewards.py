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

`bind` reads the arguments out of gin once (`reward_binding`).
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import gin
import numpy as np

from latent_hrl import checks
from latent_hrl import errors
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl import reward_binding

# What a module with rewards of its own needs.
BoundReward = reward_binding.BoundReward
MissingQuantityError = reward_binding.MissingQuantityError
REWARDS = reward_binding.REWARDS
Reward = reward_binding.Reward
Transition = reward_binding.Transition
bind = reward_binding.bind
reward = reward_binding.reward

_GOAL = checks.optional(checks.several(checks.NUMBER))


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
    known = [name for name, one in REWARDS.items() if not isinstance(one, WeightedSum)]
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
      bound = bind(REWARDS[name])
    terms[term] = {'weight': float(weight), 'arguments': bound.arguments}
  return terms


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


class WeightedSum(Reward):
  """The sum of other rewards, which are bound with it."""

  def _bound(self, **arguments: Any) -> BoundReward:
    return BoundReward(self, {'terms': _bind_terms(arguments.get('terms'))})

  def terms(self, transition: Transition, **arguments: Any) -> dict[str, float]:
    """See `Reward`."""
    return {
      name: term['weight'] * _reward_of(name)(transition, **term['arguments'])
      for name, term in (arguments['terms'] or {}).items()
    }

  def parts(self, arguments: dict[str, Any]) -> list[tuple[Reward, dict[str, Any], float]]:
    """See `Reward`."""
    return [
      (_reward_of(name), term['arguments'], term['weight'])
      for name, term in arguments['terms'].items()
    ]

  def is_known(self, arguments: Mapping[str, Any]) -> bool:
    """See `Reward`."""
    return all(name.rpartition('/')[2] in REWARDS for name in arguments['terms'])


def _reward_of(term: str) -> Reward:
  """Returns the reward of a term, whose name may follow a scope."""
  return REWARDS[term.rpartition('/')[2]]


class TaskReward(Reward):
  """The task's own reward, which may have terms of its own."""

  def terms(self, transition: Transition, **arguments: Any) -> dict[str, float]:
    """See `Reward`."""
    terms = task_terms(transition.info, transition.task_reward)
    scaled = {key: arguments['scale'] * value for key, value in terms.items()}
    return scaled or super().terms(transition, **arguments)


def _weighted_sum(
  transition: Transition, terms: Mapping[str, Mapping[str, Any]] | None = None
) -> float:
  """The sum of other rewards, each times its weight.

  Args:
    transition: The step.
    terms: By name of the reward, maybe after a scope; in gin its weight, and the reward's
      own bindings hold: `{'planar_speed': 1.0, 'far/sparse_goal': 2.0}`. `bind` makes of
      each weight the `weight` and the `arguments` of that reward.
  """
  return sum(weighted_sum.terms(transition, terms=terms).values())


def _task_reward(
  transition: Transition,
  scale: Annotated[float, checks.NUMBER, ranges.REWARD_WEIGHT] = 1.0,
) -> float:
  """The task's own reward.

  Args:
    transition: The step.
    scale: What it is multiplied with.
  """
  return scale * transition.task_reward


weighted_sum = WeightedSum(_weighted_sum, 'weighted_sum').register()
task_reward = TaskReward(_task_reward, 'task_reward').register()


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
