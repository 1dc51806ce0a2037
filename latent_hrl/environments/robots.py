"""The stock MuJoCo robots of gymnasium as parts of navigation tasks.

The model, its gears, masses and time steps are gymnasium's; only scenery is added to it.
The numbers of the paper's tasks were made for other models of the same robots, see
docs/tasks.md.
"""

import collections
import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.envs.mujoco import ant_v5
from gymnasium.envs.mujoco import humanoid_v5
from gymnasium.envs.mujoco import mujoco_env
from gymnasium.envs.mujoco import swimmer_v5

from latent_hrl.environments import maps

# Adds scenery to the model before it is compiled.
Scenery = Callable[[mujoco.MjSpec], None]


@dataclasses.dataclass(frozen=True)
class Robot:
  """A stock robot.

  Attributes:
    env_class: gymnasium's environment.
    options: Its arguments: proprioception holds joint positions and velocities only.
    healthy_z: Range of the torso's height in m outside of which it has fallen; None if it
      cannot fall.
    heading: Index in qpos where the heading lives: the quaternion of a free joint, or a
      hinge.
    free_joint: Whether `heading` is a quaternion.
  """

  env_class: type[mujoco_env.MujocoEnv]
  options: dict[str, Any]
  healthy_z: tuple[float, float] | None
  heading: int
  free_joint: bool


_NO_EXTRAS = {
  'include_cinert_in_observation': False,
  'include_cvel_in_observation': False,
  'include_qfrc_actuator_in_observation': False,
  'include_cfrc_ext_in_observation': False,
}
ROBOTS = {
  'swimmer': Robot(swimmer_v5.SwimmerEnv, {}, None, heading=2, free_joint=False),
  'ant': Robot(
    ant_v5.AntEnv,
    {'include_cfrc_ext_in_observation': False, 'terminate_when_unhealthy': False},
    healthy_z=(0.2, 1.0),
    heading=3,
    free_joint=True,
  ),
  'humanoid': Robot(
    humanoid_v5.HumanoidEnv,
    {**_NO_EXTRAS, 'terminate_when_unhealthy': False},
    healthy_z=(0.8, 2.0),
    heading=3,
    free_joint=True,
  ),
}


def _make(robot: Robot, scenery: Sequence[Scenery], **options: Any) -> mujoco_env.MujocoEnv:
  """Makes the stock environment, with scenery in its model."""
  if not scenery:
    return robot.env_class(**robot.options, **options)

  class WithScenery(robot.env_class):  # type: ignore[name-defined]
    def _initialize_simulation(self):
      spec = mujoco.MjSpec.from_file(self.fullpath)
      for add in scenery:
        add(spec)
      model = spec.compile()
      model.vis.global_.offwidth = self.width
      model.vis.global_.offheight = self.height
      return model, mujoco.MjData(model)

  return WithScenery(**robot.options, **options)


class RobotEnv(gymnasium.Env):
  """A robot in the plane with the fields `proprioception` and `position` (x, y in m).

  Proprioception is everything but x and y: joint positions and velocities in the stock
  order. A layer that reads it alone works in every task of the same robot.

  Subclasses say what is rewarded: `_terms` returns named terms, whose sum is the reward;
  each is in `info['reward_terms']`.
  """

  metadata = {'render_modes': ['human', 'rgb_array'], 'render_fps': 20}

  def __init__(
    self,
    robot: str,
    scenery: Scenery | None = None,
    random_heading: bool = False,
    max_tilt: float | None = None,
    max_height: float | None = None,
    maze: str | Sequence[str] | None = None,
    cell: float = 3.0,
    corridor: float | None = None,
    wall_height: float = 1.0,
    render_mode: str | None = None,
  ):
    """Builds the robot.

    Args:
      robot: One of `ROBOTS`.
      scenery: Adds marks to the model.
      random_heading: Whether an episode starts with any heading instead of along x.
      max_tilt: Angle in degrees between the torso's axis and the vertical at which it has
        fallen. Without one, None, an Ant on its back is not: its torso is not below 0.2 m.
      max_height: Height of the torso in m above which it has fallen, instead of the robot's
        own; a lower one in training leaves a margin for what comes after.
      maze: A name of `maps.MAPS` or the rows of a map, whose walls are in the way; None is
        the open.
      cell: Distance in m from one cell of the map to the next.
      corridor: Width of a corridor of one cell in m; None is the size of a cell.
      wall_height: Height of the walls in m.
      render_mode: None, `human` or `rgb_array`.

    Raises:
      ValueError: If there is no such map, the robot cannot tilt or fall, or would have
        fallen at any height.
    """
    self._robot = ROBOTS[robot]
    if max_tilt is not None and not self._robot.free_joint:
      raise ValueError(f'max_tilt: the {robot} cannot tilt')
    self._healthy_z = self._robot.healthy_z
    if max_height is not None:
      if self._healthy_z is None:
        raise ValueError(f'max_height: the {robot} cannot fall')
      if max_height <= self._healthy_z[0]:
        raise ValueError(
          f'max_height {max_height} must be above {self._healthy_z[0]} m, below which the '
          f'{robot} has fallen'
        )
      self._healthy_z = (self._healthy_z[0], max_height)
    self._lowest_axis = -np.inf if max_tilt is None else np.cos(np.radians(max_tilt))
    self.maze = None if maze is None else maps.read(maze, cell, corridor)
    parts = [] if scenery is None else [scenery]
    # The model's camera follows the robot; a maze is seen as a whole.
    options: dict[str, Any] = {}
    if self.maze is not None:
      parts.append(functools.partial(self.maze.add_walls, height=wall_height))
      options = {'default_camera_config': self.maze.camera(), 'camera_id': -1}
    self._sim = _make(self._robot, parts, render_mode=render_mode, **options)
    self._random_heading = random_heading
    self.render_mode = render_mode
    self.metadata = {**self.metadata, 'render_fps': self._sim.metadata['render_fps']}
    self.action_space = self._sim.action_space
    # Ordered: gymnasium sorts the names of a plain dict.
    self.observation_space = spaces.Dict(collections.OrderedDict(self._fields()))

  def _fields(self) -> dict[str, spaces.Box]:
    size = self._sim.observation_space.shape[0]
    return {'proprioception': unbounded(size), 'position': unbounded(2)}

  @property
  def position(self) -> np.ndarray:
    """x and y of the torso in m, [2]."""
    return self._sim.data.qpos[:2].copy()

  @property
  def simulation(self) -> mujoco_env.MujocoEnv:
    """gymnasium's environment inside, with MuJoCo's model and data."""
    return self._sim

  def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
    """Puts the robot at the origin; see `gymnasium.Env.reset`."""
    super().reset(seed=seed)
    # One seed gives everything: the stock environment's noise follows from ours.
    proprioception, _ = self._sim.reset(seed=int(self.np_random.integers(2**31)))
    if self._random_heading:
      proprioception = self._turn(self.np_random.uniform(-np.pi, np.pi))
    return self._observation(proprioception), {}

  def _turn(self, angle: float) -> np.ndarray:
    """Turns the robot about the vertical; returns its proprioception."""
    qpos, where = self._sim.data.qpos.copy(), self._robot.heading
    if self._robot.free_joint:
      turn = np.array([np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2)])
      old = qpos[where : where + 4].copy()
      mujoco.mju_mulQuat(qpos[where : where + 4], turn, old / np.linalg.norm(old))
    else:
      qpos[where] += angle
    self._sim.set_state(qpos, self._sim.data.qvel.copy())
    return self._sim._get_obs()

  def step(self, action: np.ndarray):
    """Takes a step; see `gymnasium.Env.step`."""
    proprioception, _, _, _, stock = self._sim.step(action)
    fallen = self._fallen()
    info = {
      'x_velocity': stock['x_velocity'],
      'y_velocity': stock['y_velocity'],
      'turn_rate': self._turn_rate(),
      'fallen': fallen,
    }
    terms, arrived = self._terms(np.asarray(action, np.float64), info)
    info['reward_terms'] = terms
    observation = self._observation(proprioception)
    return observation, float(sum(terms.values())), fallen or arrived, False, info

  def _terms(
    self, action: np.ndarray, info: dict[str, Any]
  ) -> tuple[dict[str, float], bool]:
    """Returns the reward by name, and whether the task is done."""
    raise NotImplementedError

  def _turn_rate(self) -> float:
    """Returns the rate about the robot's own axis in rad/s, counterclockwise."""
    # A free joint has three numbers of velocity, then the spin in the torso's frame.
    where = 5 if self._robot.free_joint else self._robot.heading
    return float(self._sim.data.qvel[where])

  def _fallen(self) -> bool:
    if self._healthy_z is None:
      return False
    low, high = self._healthy_z
    state = self._sim.data.qpos
    if not (np.isfinite(state).all() and low <= state[2] <= high):
      return True
    # Height of the tip of the torso's axis: 1 upright, -1 on its back.
    _, x, y, _ = state[self._robot.heading : self._robot.heading + 4]
    return bool(1 - 2 * (x**2 + y**2) < self._lowest_axis)

  def _observation(self, proprioception: np.ndarray) -> dict[str, np.ndarray]:
    return {'proprioception': proprioception, 'position': self.position}

  def render(self) -> np.ndarray | None:
    """Returns a picture, uint8 [H, W, 3], for `rgb_array`."""
    return self._sim.render()

  def close(self) -> None:
    """Closes the window and the simulation."""
    self._sim.close()


def unbounded(size: int) -> spaces.Box:
  """Returns the space of a field of `size` numbers without limits."""
  return spaces.Box(-np.inf, np.inf, (size,), np.float64)
