"""Go from goal to goal: what a layer learns to steer on."""

from typing import Any

import numpy as np

from latent_hrl.environments import goals


class WaypointsEnv(goals.GoalEnv):
  """A goal somewhere around the start, and on arrival another one, till the time is up.

  To follow them is to turn while running. The reward is the sum of

    progress  speed towards the goal in m/s, from the last step to this one, up to a limit
    alive     a bonus for each step without a fall
    control   -½ · weight · Σ a²

  `info['arrivals']` counts goals reached, `info['success']` is whether there was one.
  """

  def __init__(
    self,
    robot: str,
    disc_radius: float = 12.0,
    alive_bonus: float = 0.0,
    control_weight: float = 0.01,
    radius: float = 1.0,
    max_speed: float | None = None,
    **kwargs: Any,
  ):
    """Builds the task.

    Args:
      robot: One of `robots.ROBOTS`.
      disc_radius: Goals lie within this distance of the start in m, uniformly; in a maze in
        the middle of any cell without a wall.
      alive_bonus: Reward for each step without a fall.
      control_weight: Weight of the squared action.
      radius: Distance in m at which the goal counts as reached.
      max_speed: Speed in m/s beyond which no more is earned; None rewards any. With a limit
        in reach, a steady gait pays more than a faster one that falls.
      **kwargs: See `robots.RobotEnv`.

    Raises:
      ValueError: If goals lie so close that wherever it is, all may be reached already, or
        `max_speed` is not positive.
    """
    super().__init__(robot, radius, **kwargs)
    if max_speed is not None and max_speed <= 0:
      raise ValueError(f'max_speed {max_speed} must be positive, or none is rewarded')
    self._max_speed = np.inf if max_speed is None else max_speed
    self._cells: np.ndarray | None = None
    width = 2 * disc_radius
    if self.maze is not None:
      cells = self.maze.free()
      self._cells = cells[np.linalg.norm(cells, axis=1) <= disc_radius]
      width = max(np.linalg.norm(self._cells - cell, axis=1).max() for cell in self._cells)
    if width <= 2 * radius:
      raise ValueError(
        f'disc_radius {disc_radius} is too small: goals must lie more than two radii '
        f'({2 * radius} m) apart'
      )
    self._disc_radius = disc_radius
    self._alive_bonus = alive_bonus
    self._control_weight = control_weight
    self._arrivals = 0
    self._last_distance = 0.0

  def _draw_goal(self) -> np.ndarray:
    """Returns a goal that is not reached yet."""
    while True:
      if self._cells is None:
        angle = self.np_random.uniform(-np.pi, np.pi)
        distance = self._disc_radius * np.sqrt(self.np_random.uniform())
        goal = distance * np.array([np.cos(angle), np.sin(angle)])
      else:
        goal = self._cells[self.np_random.integers(len(self._cells))]
      if np.linalg.norm(goal - self.position) > self._radius:
        return goal

  def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
    """Starts an episode with a first goal; see `gymnasium.Env.reset`."""
    observation, info = super().reset(seed=seed, options=options)
    self._arrivals = 0
    self._last_distance = self._distance()
    return observation, {**info, 'arrivals': 0}

  def _terms(
    self, action: np.ndarray, info: dict[str, Any]
  ) -> tuple[dict[str, float], bool]:
    distance = self._distance()
    speed = (self._last_distance - distance) / self._sim.dt
    terms = {
      'progress': min(speed, self._max_speed),
      'alive': 0.0 if info['fallen'] else self._alive_bonus,
      'control': -0.5 * self._control_weight * float(action @ action),
    }
    if distance <= self._radius:
      self._arrivals += 1
      self._move_goal()
    self._last_distance = self._distance()
    info['arrivals'] = self._arrivals
    info['success'] = self._arrivals > 0
    return terms, False
