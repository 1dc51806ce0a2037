"""A point mass and four goals that are worth the same: small, quick, multi-modal."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

GOALS = np.array([[4.0, 4.0], [-4.0, 4.0], [-4.0, -4.0], [4.0, -4.0]])
# The point stays within [-ARENA, ARENA]²; along its walls every direction ends at a goal.
ARENA = 4.75


class MultiGoalEnv(gymnasium.Env):
  """A point mass in the plane, four goals on the diagonals, at (±4, ±4) from the start.

  The action moves the point, at most `step_size` along each axis. The reward is the same
  for every goal: minus the distance to the nearest goal in units of the goal distance,
  minus a small cost of the action, plus `goal_reward` on arrival, which ends the episode.
  So the best policy has four modes at the start, which a unimodal one cannot express.

  The observation is one field, `position` [2]. `info` names the goal reached as `goal`
  (0 to 3: north-east, north-west, south-west, south-east; -1 for none) and says `success`.

  Source: the multi-goal task of Haarnoja et al., "Reinforcement Learning with Deep
  Energy-Based Policies" (2017), section 5.1, with own numbers.
  """

  metadata = {'render_modes': ['rgb_array'], 'render_fps': 10}

  def __init__(
    self,
    step_size: float = 0.5,
    goal_radius: float = 1.0,
    goal_reward: float = 10.0,
    action_cost: float = 0.05,
    render_mode: str | None = None,
  ):
    """Creates the task.

    Args:
      step_size: Distance moved along an axis by an action of 1.
      goal_radius: Distance at which a goal counts as reached.
      goal_reward: Reward on arrival, equal for all goals.
      action_cost: Weight of the squared action.
      render_mode: None or `rgb_array`.
    """
    self.observation_space = spaces.Dict(
      {'position': spaces.Box(-ARENA, ARENA, shape=(2,), dtype=np.float32)}
    )
    self.action_space = spaces.Box(-1.0, 1.0, shape=(2,), dtype=np.float32)
    self.render_mode = render_mode
    self._step_size = step_size
    self._goal_radius = goal_radius
    self._goal_reward = goal_reward
    self._action_cost = action_cost
    self._path: list[np.ndarray] = []
    self._position = np.zeros(2)

  def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
    """Puts the point at the origin; see `gymnasium.Env.reset`."""
    super().reset(seed=seed)
    self._position = np.zeros(2)
    self._path = [self._position]
    return self._observation(), {'goal': -1, 'success': False}

  def step(self, action: np.ndarray):
    """Moves the point; see `gymnasium.Env.step`."""
    action = np.clip(np.asarray(action, dtype=np.float64), -1.0, 1.0)
    self._position = np.clip(self._position + self._step_size * action, -ARENA, ARENA)
    self._path.append(self._position)
    distances = np.linalg.norm(GOALS - self._position, axis=1)
    nearest = int(np.argmin(distances))
    reached = bool(distances[nearest] < self._goal_radius)
    reward = -distances[nearest] / np.linalg.norm(GOALS[nearest])
    reward -= self._action_cost * float(action @ action)
    reward += self._goal_reward * reached
    info = {'goal': nearest if reached else -1, 'success': reached}
    return self._observation(), float(reward), reached, False, info

  def render(self) -> np.ndarray | None:
    """Returns the path so far as an RGB picture, uint8 [320, 320, 3]."""
    if self.render_mode != 'rgb_array':
      return None
    size, scale = 320, 20.0
    image = np.full((size, size, 3), 255, dtype=np.uint8)
    rows, columns = np.mgrid[0:size, 0:size]

    def disc(center: np.ndarray, radius: float, color: tuple[int, int, int]) -> None:
      x, y = size / 2 + scale * center[0], size / 2 - scale * center[1]
      image[(columns - x) ** 2 + (rows - y) ** 2 <= (scale * radius) ** 2] = color

    for goal in GOALS:
      disc(goal, self._goal_radius, (190, 225, 190))
    for position in self._path:
      disc(position, 0.12, (120, 150, 210))
    disc(self._position, 0.25, (200, 60, 40))
    return image

  def _observation(self) -> dict[str, np.ndarray]:
    return {'position': self._position.astype(np.float32)}
