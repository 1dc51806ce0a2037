"""A task as a TF-Agents environment, for TF-Agents' own drivers, actors and agents."""

import gymnasium
import numpy as np
from gymnasium import spaces
from tf_agents.environments import py_environment
from tf_agents.specs import array_spec
from tf_agents.trajectories import time_step as ts

from latent_hrl.environments import tasks


def _spec(space: spaces.Box, name: str) -> array_spec.BoundedArraySpec:
  limit = np.finfo(np.float32).max
  return array_spec.BoundedArraySpec(
    shape=space.shape,
    dtype=np.float32,
    minimum=np.clip(space.low, -limit, limit),
    maximum=np.clip(space.high, -limit, limit),
    name=name,
  )


class GymnasiumEnvironment(py_environment.PyEnvironment):
  """Adapts a gymnasium environment with Box spaces to TF-Agents.

  A termination ends the episode with discount 0; a time limit ends it with `discount`, so
  that an agent bootstraps from the last observation.
  """

  def __init__(self, env: gymnasium.Env, discount: float = 1.0, seed: int | None = None):
    """Wraps an environment.

    Args:
      env: A `Task`, a wrapper around one, any environment with Box observations and
        actions, or one with a Dict of Boxes, which it makes a `Task` of.
      discount: Discount of every step that is no termination.
      seed: Seed of the first reset.

    Raises:
      TaskError: If the environment is no task for layers.
    """
    super().__init__(handle_auto_reset=True)
    box_spaces = (env.observation_space, env.action_space)
    if not all(isinstance(space, spaces.Box) for space in box_spaces):
      env = tasks.make_task(env)
    self._env = env
    self._discount = np.float32(discount)
    self._seed = seed
    self._observation_spec = _spec(env.observation_space, 'observation')
    self._action_spec = _spec(env.action_space, 'action')

  def observation_spec(self) -> array_spec.BoundedArraySpec:
    """Spec of the observation, float32."""
    return self._observation_spec

  def action_spec(self) -> array_spec.BoundedArraySpec:
    """Spec of the action, float32."""
    return self._action_spec

  def _reset(self) -> ts.TimeStep:
    observation, _ = self._env.reset(seed=self._seed)
    self._seed = None
    return ts.restart(np.float32(observation))

  def _step(self, action: np.ndarray) -> ts.TimeStep:
    observation, reward, terminated, truncated, _ = self._env.step(action)
    observation, reward = np.float32(observation), np.float32(reward)
    if terminated:
      return ts.termination(observation, reward)
    if truncated:
      return ts.truncation(observation, reward, self._discount)
    return ts.transition(observation, reward, self._discount)

  def seed(self, seed: int) -> None:
    """Seeds the next reset."""
    self._seed = seed

  def render(self, mode: str = 'rgb_array') -> np.ndarray:
    """Returns a picture, uint8 [H, W, 3]; the task needs `render_mode='rgb_array'`."""
    if mode != 'rgb_array':
      raise NotImplementedError(f'render mode {mode!r}; only rgb_array is supported.')
    return self._env.render()

  def close(self) -> None:
    """Closes the environment inside."""
    self._env.close()
