"""Collects experience of one layer: environment steps in, transitions out."""

from collections.abc import Callable
from typing import NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from latent_hrl.evaluation import rollout

# Maps an observation [1, O], a latent [1, D], both float32, and the step of the episode
# [1], int32, to the layer's output and the action, each [1, D].
Act = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


class Transition(NamedTuple):
  """One decision of a layer, and what followed until its next one.

  Attributes:
    observation: float32 [O], the fields that the layer reads.
    output: float32 [D], what the critic judges: what the layer put out, or the action.
    reward: The layer's reward, Σ γⁱ r over the steps until the next decision.
    discount: 0 after a termination, otherwise γʲ⁻¹ for j steps (a time limit included): the
      agent's own γ is the last factor.
    next_observation: float32 [O], at the next decision or the end of the episode.
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
    interval: int = 1,
    gamma: float = 1.0,
    store_action: bool = False,
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
      interval: k, environment steps from one decision of the layer to the next.
      gamma: Discount per environment step within them.
      store_action: Whether transitions hold the action instead of the layer's output.
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
    latent_shape = (1, self._box.shape[0])
    self._latent = np.asarray(self._rng.standard_normal(latent_shape, np.float32))
    self._step_of_episode = 0
    self._interval = interval
    self._gamma = gamma
    self._store_action = store_action
    self._episode = rollout.Episode()
    self._ended: list[rollout.Episode] = []
    # The decision that is being carried out.
    self._decided_at: np.ndarray | None = None
    self._rewards: list[float] = []

  def collect(self, steps: int, uniform: bool = False) -> list[Transition]:
    """Takes environment steps; an episode or an interval may span several calls.

    Args:
      steps: How many.
      uniform: Whether to draw actions uniformly from the box instead of acting.

    Returns:
      The transitions that were completed, in order.

    Raises:
      TaskError: If the task breaks its contract.
    """
    taken = (self._step(uniform) for _ in range(steps))
    return [transition for transition in taken if transition is not None]

  def _step(self, uniform: bool) -> Transition | None:
    if self._observation is None:
      self._observation, _ = self._env.reset(seed=self._env_seed)
      self._env_seed = None
      self._step_of_episode = 0
      self._episode = rollout.Episode()
    if self._step_of_episode % self._interval == 0:
      self._decided_at = self._observation
      self._rewards = []
    output, action = self._draw_uniform() if uniform else self._draw()
    self._step_of_episode += 1
    next_observation, reward, terminated, truncated, info = self._env.step(action)
    self._episode.add_step(reward, info)
    episode_ends = terminated or truncated
    if episode_ends:
      self._episode.end(info)
      self._ended.append(self._episode)
    self._observation = None if episode_ends else next_observation
    self._rewards.append(reward)
    if self._step_of_episode % self._interval and not episode_ends:
      return None
    steps = len(self._rewards)
    assert self._decided_at is not None
    return Transition(
      observation=self._decided_at[self._own_where],
      output=action if self._store_action else output,
      reward=float(self._rewards @ self._gamma ** np.arange(steps)),
      discount=0.0 if terminated else self._gamma ** (steps - 1),
      next_observation=next_observation[self._own_where],
      episode_ends=episode_ends,
    )

  def _draw_uniform(self) -> tuple[np.ndarray, np.ndarray]:
    drawn = self._rng.uniform(self._box.low, self._box.high, self._box.shape)
    action = np.asarray(drawn, np.float32)
    return action, action

  def _draw(self) -> tuple[np.ndarray, np.ndarray]:
    assert self._observation is not None
    if self._step_of_episode % self._hold_latent_steps == 0:
      self._latent = np.asarray(self._rng.standard_normal(self._latent.shape, np.float32))
    observation = self._observation[np.newaxis, self._stack_where]
    step = np.full(1, self._step_of_episode, np.int32)
    output, action = self._act(observation, self._latent, step)
    return output[0], action[0]

  def take_episodes(self) -> list[rollout.Episode]:
    """Returns the episodes that ended since the last call."""
    ended, self._ended = self._ended, []
    return ended

  def state(self) -> dict:
    """Returns the state of the noise as JSON types; the running episode is not in it."""
    return dict(self._rng.bit_generator.state)

  def restore(self, state: dict) -> None:
    """Takes back what `state` returned; the next episode starts from a seed of its own."""
    self._rng.bit_generator.state = state
    self._observation = None
    self._env_seed = int(self._rng.integers(2**31))
