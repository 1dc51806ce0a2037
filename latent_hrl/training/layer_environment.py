"""A task as one layer sees it, for TF-Agents' own drivers and agents."""

import gymnasium
import numpy as np
from tf_agents.environments import py_environment
from tf_agents.specs import array_spec
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts

from latent_hrl.evaluation import episodes as episodes_lib


class LayerEnvironment(py_environment.PyEnvironment):
  """What a layer reads in, what it puts out as action; a step is one of its decisions.

  A layer with an interval of k decides every k environment steps: their rewards are summed
  up with γ, the discount of a step is γ^(k-1), the agent's own γ the last factor.
  """

  def __init__(
    self,
    env: gymnasium.Env,
    own_where: np.ndarray,
    time_step_spec: ts.TimeStep,
    action_spec: tensor_spec.BoundedTensorSpec,
    seed: int,
    interval: int = 1,
    gamma: float = 1.0,
  ):
    """Binds the task.

    Args:
      env: The task with the layer's reward; its action is what the layer puts out.
      own_where: Indices of the task's observation that this layer reads.
      time_step_spec: What the layer reads.
      action_spec: What it puts out.
      seed: Seed of the first episode.
      interval: k, environment steps from one decision to the next.
      gamma: Discount per environment step within them.
    """
    super().__init__(handle_auto_reset=True)
    self._env = env
    self._own_where = own_where
    self._observation_spec = tensor_spec.to_nest_array_spec(time_step_spec.observation)
    self._action_spec = tensor_spec.to_nest_array_spec(action_spec)
    self._seed: int | None = seed
    self._interval = interval
    self._gamma = gamma
    self._episode = episodes_lib.Episode()
    self._ended: list[episodes_lib.Episode] = []
    self.env_steps = 0

  def observation_spec(self) -> array_spec.ArraySpec:
    """Spec of what the layer reads, float32 [O]."""
    return self._observation_spec

  def action_spec(self) -> array_spec.BoundedArraySpec:
    """Spec of what the layer puts out, float32 [D]."""
    return self._action_spec

  def take_episodes(self) -> list[episodes_lib.Episode]:
    """Returns the episodes that ended since the last call."""
    ended, self._ended = self._ended, []
    return ended

  def _reset(self) -> ts.TimeStep:
    observation, _ = self._env.reset(seed=self._seed)
    self._seed = None
    self._episode = episodes_lib.Episode()
    return ts.restart(observation[self._own_where])

  def _step(self, output: np.ndarray) -> ts.TimeStep:
    # TF-Agents' PPO acts beyond the box, the saved layer does not.
    output = np.clip(output, self._action_spec.minimum, self._action_spec.maximum)
    rewards: list[float] = []
    terminated = truncated = False
    while len(rewards) < self._interval and not (terminated or truncated):
      seen, reward, terminated, truncated, info = self._env.step(output)
      self._episode.add_step(reward, info)
      rewards.append(reward)
    self.env_steps += len(rewards)
    if terminated or truncated:
      self._episode.end(info)
      self._ended.append(self._episode)
    reward = np.float32(rewards @ self._gamma ** np.arange(len(rewards)))
    discount = np.float32(self._gamma ** (len(rewards) - 1))
    observation = seen[self._own_where]
    if terminated:
      return ts.termination(observation, reward)
    if truncated:
      return ts.truncation(observation, reward, discount)
    return ts.transition(observation, reward, discount)
