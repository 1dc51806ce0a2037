"""Move, in whatever direction: what a locomotion layer is trained on."""

from typing import Any

import numpy as np

from latent_hrl.environments import robots


class DirectionsEnv(robots.RobotEnv):
  """Rewards speed in the plane, in any direction, and has no goal.

  The reward is the sum of

    speed      |v_xy| in m/s; for the swimmer signed by the direction along x. v is the
               velocity of the step, or a running mean of it
    alive      a bonus for each step without a fall
    control    -½ · weight · Σ a²
    contact    -½ · weight · Σ clip(contact force, -1, 1)²
    deviation  -½ · weight · v_z²

  Source: the multi-direction tasks of Haarnoja et al. (2018), section 5 (docs/tasks.md).
  """

  def __init__(
    self,
    robot: str,
    alive_bonus: float = 0.0,
    control_weight: float = 0.01,
    contact_weight: float = 0.0,
    deviation_weight: float = 0.0,
    signed_speed: bool = False,
    averaging_time: float = 0.0,
    **kwargs: Any,
  ):
    """Builds the task.

    Args:
      robot: One of `robots.ROBOTS`.
      alive_bonus: Reward for each step without a fall.
      control_weight: Weight of the squared action.
      contact_weight: Weight of the squared, clipped contact forces.
      deviation_weight: Weight of the squared vertical velocity.
      signed_speed: Whether moving against x counts as negative speed.
      averaging_time: Time constant in s of an exponential mean of the velocity, so that
        going to and fro earns nothing; 0 takes the velocity of each step.
      **kwargs: See `robots.RobotEnv`.
    """
    super().__init__(robot, **kwargs)
    self._alive_bonus = alive_bonus
    self._control_weight = control_weight
    self._contact_weight = contact_weight
    self._deviation_weight = deviation_weight
    self._signed_speed = signed_speed
    self._keep = np.exp(-self._sim.dt / averaging_time) if averaging_time else 0.0
    self._velocity = np.zeros(2)

  def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
    """Starts an episode at rest; see `gymnasium.Env.reset`."""
    self._velocity = np.zeros(2)
    return super().reset(seed=seed, options=options)

  def _terms(
    self, action: np.ndarray, info: dict[str, Any]
  ) -> tuple[dict[str, float], bool]:
    now = np.array([info['x_velocity'], info['y_velocity']])
    self._velocity = self._keep * self._velocity + (1 - self._keep) * now
    speed = float(np.hypot(*self._velocity))
    if self._signed_speed:
      speed = float(np.copysign(speed, self._velocity[0]))
    terms = {
      'speed': speed,
      'alive': 0.0 if info['fallen'] else self._alive_bonus,
      'control': -0.5 * self._control_weight * float(action @ action),
    }
    data = self._sim.data
    if self._contact_weight:
      forces = np.clip(data.cfrc_ext, -1.0, 1.0)
      terms['contact'] = -0.5 * self._contact_weight * float(np.sum(forces**2))
    if self._deviation_weight:
      terms['deviation'] = -0.5 * self._deviation_weight * float(data.qvel[2] ** 2)
    return terms, False
