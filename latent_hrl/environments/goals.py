"""Go somewhere: a goal drawn anew for each episode, rewarded densely or on arrival."""

import functools
from typing import Any

import mujoco
import numpy as np
from gymnasium import spaces

from latent_hrl.environments import robots

_MARK = 'goal'


def add_mark(
  spec: mujoco.MjSpec, name: str, position: tuple[float, float], radius: float
) -> None:
  """Adds a green disc that touches nothing, as `name`; `position` and `radius` in m."""
  body = spec.worldbody.add_body(name=name, pos=[*position, 0.0], mocap=True)
  body.add_site(
    name=name,
    type=mujoco.mjtGeom.mjGEOM_CYLINDER,
    size=[radius, 0.01, 0.0],
    rgba=[0.2, 0.75, 0.3, 0.6],
  )


class GoalEnv(robots.RobotEnv):
  """A robot with a goal in the plane, which it sees as the field `goal` (x, y in m).

  `info['success']` says whether it is there.
  """

  def __init__(self, robot: str, radius: float, **kwargs: Any):
    """Builds the task.

    Args:
      robot: One of `robots.ROBOTS`.
      radius: Distance in m at which the goal counts as reached.
      **kwargs: See `robots.RobotEnv`.
    """
    mark = functools.partial(add_mark, name=_MARK, position=(0.0, 0.0), radius=radius)
    self._radius = radius
    self._goal = np.zeros(2)
    super().__init__(robot, scenery=mark, **kwargs)

  def _fields(self) -> dict[str, spaces.Box]:
    return {**super()._fields(), 'goal': robots.unbounded(2)}

  def _draw_goal(self) -> np.ndarray:
    """Returns a new goal, [2]."""
    raise NotImplementedError

  def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
    """Starts an episode with a new goal; see `gymnasium.Env.reset`."""
    super().reset(seed=seed, options=options)
    self._move_goal()
    return self._observation(self._sim._get_obs()), {'success': False}

  def _move_goal(self) -> None:
    """Draws a goal and puts the mark there."""
    self._goal = self._draw_goal()
    data = self._sim.data
    data.mocap_pos[self._sim.model.body(_MARK).mocapid[0], :2] = self._goal
    # Where it is drawn. MuJoCo computes that in the next step; a picture may come before.
    data.body(_MARK).xpos[:2] = self._goal
    data.site(_MARK).xpos[:2] = self._goal

  def _distance(self) -> float:
    return float(np.linalg.norm(self.position - self._goal))

  def _observation(self, proprioception: np.ndarray) -> dict[str, np.ndarray]:
    return {**super()._observation(proprioception), 'goal': self._goal.copy()}


class RandomGoalEnv(GoalEnv):
  """A goal on a circle around the start.

  The reward is dense, weight · (circle radius - distance), or sparse, `weight` within the
  goal radius and 0 elsewhere; the episode goes on after arrival.

  Source: the goal tasks of Haarnoja et al. (2018), section 5 (docs/tasks.md).
  """

  def __init__(
    self,
    robot: str,
    circle_radius: float,
    half_angle: float = np.pi,
    sparse: bool = False,
    weight: float = 0.3,
    radius: float = 0.25,
    **kwargs: Any,
  ):
    """Builds the task.

    Args:
      robot: One of `robots.ROBOTS`.
      circle_radius: Distance of the goal from the start in m.
      half_angle: The goal lies within this angle of the x axis, in radians.
      sparse: Whether only arrival is rewarded.
      weight: See the class.
      radius: Distance in m at which the goal counts as reached.
      **kwargs: See `robots.RobotEnv`.
    """
    super().__init__(robot, radius, **kwargs)
    self._circle_radius = circle_radius
    self._half_angle = half_angle
    self._sparse = sparse
    self._weight = weight

  def _draw_goal(self) -> np.ndarray:
    angle = self.np_random.uniform(-self._half_angle, self._half_angle)
    return self._circle_radius * np.array([np.cos(angle), np.sin(angle)])

  def _terms(
    self, action: np.ndarray, info: dict[str, Any]
  ) -> tuple[dict[str, float], bool]:
    distance = self._distance()
    info['success'] = distance <= self._radius
    if self._sparse:
      return {'arrival': self._weight * info['success']}, False
    return {'approach': self._weight * (self._circle_radius - distance)}, False
