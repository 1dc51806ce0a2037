"""The AntMaze of gymnasium-robotics with this package's field names, an optional extra."""

import collections
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium import utils

# Their names in the order of ours: what a layer from another Ant task reads comes first.
FIELDS = {
  'proprioception': 'observation',
  'position': 'achieved_goal',
  'goal': 'desired_goal',
}


def make(maze: str = 'UMaze', **kwargs: Any) -> gymnasium.Env:
  """Makes `AntMaze_*-v5` without contact forces, under our field names.

  Its `proprioception` [27] is that of this package's Ant tasks, so their layers work in it.
  It ends on arrival, and brings its own time limit, 700 steps in the U maze.

  Args:
    maze: Which of `AntMaze_*-v5`, such as `UMaze`, `Medium` or `Large_Diverse_GR`.
    **kwargs: Arguments of that task, such as `reward_type='dense'`.

  Raises:
    DependencyNotInstalled: If gymnasium-robotics is missing.
  """
  try:
    import gymnasium_robotics
  except ImportError as error:
    raise gymnasium.error.DependencyNotInstalled(
      'gymnasium-robotics; run: pip install gymnasium-robotics'
    ) from error
  gymnasium.register_envs(gymnasium_robotics)
  options = {'include_cfrc_ext_in_observation': False, 'continuing_task': False}
  env = gymnasium.make(
    f'AntMaze_{maze}-v5', disable_env_checker=True, **{**options, **kwargs}
  )
  return _OurFields(env)


class _OurFields(gymnasium.Wrapper, utils.RecordConstructorArgs):
  """Renames the fields of the observation and puts them in our order."""

  def __init__(self, env: gymnasium.Env):
    utils.RecordConstructorArgs.__init__(self)
    gymnasium.Wrapper.__init__(self, env)
    theirs = env.observation_space
    assert isinstance(theirs, spaces.Dict)
    self.observation_space = spaces.Dict(
      collections.OrderedDict((mine, theirs[name]) for mine, name in FIELDS.items())
    )

  def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
    """Starts an episode; see `gymnasium.Env.reset`."""
    observation, info = self.env.reset(seed=seed, options=options)
    return self._renamed(observation), info

  def step(self, action: np.ndarray):
    """Takes a step; see `gymnasium.Env.step`."""
    observation, *rest = self.env.step(action)
    return self._renamed(observation), *rest

  def _renamed(self, observation: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {mine: observation[name] for mine, name in FIELDS.items()}
