"""Collects experience of one layer: environment steps in, transitions out."""

from collections.abc import Callable
from typing import NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

# Maps an observation [1, O] and a latent [1, D] to the layer's output and the action, each
# [1, D], all float32.
Act = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


class Transition(NamedTuple):
  """One step of a layer.

  Attributes:
    observation: float32 [O], the fields that the layer reads.
    output: float32 [D], what the layer put out: action or latent of the layer below.
    reward: The layer's reward.
    discount: 0 after a termination, 1 otherwise (a time limit included).
    next_observation: float32 [O].
    episode_ends: Whether the next transition starts another episode.
  """

  observation: np.ndarray
  output: np.ndarray
  reward: float
  discount: float
  next_observation: np.ndarray
  episode_ends: bool


class Collector:
  """Steps one environment with one policy; all it shares with learning are weights."""

  def __init__(
    self,
    env: gymnasium.Env,
    act: Act,
    stack_where: np.ndarray,
    own_where: np.ndarray,
    hold_latent_steps: int,
    seed: int,
    noise_seed: int,
  ):
    """Binds task and policy; nothing runs yet.

    Args:
      env: The task with the layer's reward.
      act: The layer on top of its lower layers.
      stack_where: Indices of the task's observation that `act` takes.
      own_where: Indices of the task's observation that this layer reads.
      hold_latent_steps: Environment steps for which a latent is kept.
      seed: Seed of the environment.
      noise_seed: Seed of latents and uniform actions.
    """
    self._env = env
    self._act = act
    self._stack_where = stack_where
    self._own_where = own_where
    self._hold_latent_steps = hold_latent_steps
    self._env_seed: int | None = seed
    self._rng = np.random.default_rng(noise_seed)
    self._observation: np.ndarray | None = None
    assert isinstance(env.action_space, spaces.Box)  # So does every `Task`.
    self._box = env.action_space
    self._latent = np.zeros((1, self._box.shape[0]), np.float32)
    self._latent_steps = 0

  def collect(self, steps: int, uniform: bool = False) -> list[Transition]:
    """Takes environment steps; an episode may span several calls.

    Args:
      steps: How many.
      uniform: Whether to draw actions uniformly from the box instead of acting.

    Returns:
      The transitions in order.

    Raises:
      TaskError: If the task breaks its contract.
    """
    return [self._step(uniform) for _ in range(steps)]

  def _step(self, uniform: bool) -> Transition:
    if self._observation is None:
      self._observation, _ = self._env.reset(seed=self._env_seed)
      self._env_seed = None
      self._latent_steps = 0
    observation = self._observation
    if uniform:
      drawn = self._rng.uniform(self._box.low, self._box.high, self._box.shape)
      output = action = np.asarray(drawn, np.float32)
    else:
      if self._latent_steps % self._hold_latent_steps == 0:
        self._latent = np.asarray(self._rng.standard_normal(self._latent.shape, np.float32))
      self._latent_steps += 1
      outputs = self._act(observation[np.newaxis, self._stack_where], self._latent)
      output, action = outputs[0][0], outputs[1][0]
    next_observation, reward, terminated, truncated, _ = self._env.step(action)
    episode_ends = terminated or truncated
    self._observation = None if episode_ends else next_observation
    return Transition(
      observation=observation[self._own_where],
      output=output,
      reward=float(reward),
      discount=0.0 if terminated else 1.0,
      next_observation=next_observation[self._own_where],
      episode_ends=episode_ends,
    )

  def state(self) -> dict:
    """Returns the state of the noise as JSON types; the running episode is not in it."""
    return dict(self._rng.bit_generator.state)

  def restore(self, state: dict) -> None:
    """Takes back what `state` returned; the next episode starts from a seed of its own."""
    self._rng.bit_generator.state = state
    self._observation = None
    self._env_seed = int(self._rng.integers(2**31))
