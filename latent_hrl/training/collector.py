"""Collects experience of one layer: environment steps in, transitions out.

Every episode starts from a seed of its own. So the state of a task in the middle of an
episode, whatever the task, is that seed and the actions since: taken again, they lead to
the same place.
"""

import collections
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import gymnasium
import numpy as np
from gymnasium import spaces

from latent_hrl import commands
from latent_hrl.evaluation import episodes as episodes_lib


class Act(Protocol):
  """The layer on all layers below, for one episode: see `policy.SteppedPolicy`."""

  held: np.ndarray

  def __call__(
    self, observation: np.ndarray, latent: np.ndarray, step: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """Returns the layer's output and the action, each [1, D]."""


class Transition(NamedTuple):
  """One decision of a layer, and what followed until its next one.

  Attributes:
    observation: float32 [O], the fields that the layer reads, behind them its command.
    output: float32 [D], what the critic judges: what the layer put out, or the action.
    reward: The layer's reward, Σ γⁱ r over the steps until the next decision.
    discount: 0 after a termination, otherwise γʲ⁻¹ for j steps (a time limit included): the
      agent's own γ is the last factor.
    next_observation: float32 [O], at the next decision or the end of the episode.
    episode_ends: Whether the next transition starts another episode.
    measured: What a commanded reward looks at beside the command, float32 [m]; None if
      commands are not drawn anew in learning.
  """

  observation: np.ndarray
  output: np.ndarray
  reward: float
  discount: float
  next_observation: np.ndarray
  episode_ends: bool
  measured: np.ndarray | None = None


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
    noise_damping: float = 1.0,
    commander: commands.Commander | None = None,
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
      noise_damping: θ of the process z ← (1 - θ) z + N(0, I) that latents follow; with 1
        each is drawn anew.
      commander: What draws the layer's commands; None for a layer that has none. Only with
        an interval of 1 do transitions hold what was measured.
    """
    self._env = env
    self._act = act
    self._stack_where = stack_where
    self._own_where = own_where
    self._hold_latent_steps = hold_latent_steps
    self._seed = seed
    self._episodes_begun = 0
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
    self._keep = np.float32(1.0 - noise_damping)
    self._commander = commander
    self._command = np.zeros(0 if commander is None else commander.size, np.float32)
    self._commands: list[np.ndarray] = []
    self._episode = episodes_lib.Episode()
    self._ended: list[episodes_lib.Episode] = []
    self._actions: list[np.ndarray] = []
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
      self._begin()
    if self._commander is not None:
      self._command = self._commander.next(self._command, self._step_of_episode, self._rng)
    output, action = self._draw_uniform() if uniform else self._draw()
    return self._take(action, action if self._store_action else output)

  def _begin(self) -> None:
    """Starts an episode."""
    sequence = np.random.SeedSequence([self._seed, self._episodes_begun])
    self._episodes_begun += 1
    seed = int(sequence.generate_state(1)[0])
    self._observation, _ = self._env.reset(seed=seed)
    self._step_of_episode = 0
    self._episode = episodes_lib.Episode()
    self._actions = []
    self._commands = []

  def _take(self, action: np.ndarray, stored: np.ndarray) -> Transition | None:
    """Takes a step; returns the transition that it completes, if it does."""
    assert self._observation is not None
    if self._commander is not None:
      self._commander.tell(self._env, self._command)
      self._commands.append(self._command)
    if self._step_of_episode % self._interval == 0:
      self._decided_at = self._seen(self._observation)
      self._rewards = []
    self._actions.append(action)
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
      observation=self._decided_at,
      output=stored,
      reward=float(self._rewards @ self._gamma ** np.arange(steps)),
      discount=0.0 if terminated else self._gamma ** (steps - 1),
      next_observation=self._seen(next_observation),
      episode_ends=episode_ends,
      measured=info.get('measured') if self._interval == 1 else None,
    )

  def _draw_uniform(self) -> tuple[np.ndarray, np.ndarray]:
    drawn = self._rng.uniform(self._box.low, self._box.high, self._box.shape)
    action = np.asarray(drawn, np.float32)
    return action, action

  def _seen(self, observation: np.ndarray) -> np.ndarray:
    """Returns what the layer reads of an observation, and its command."""
    own = observation[self._own_where]
    return np.concatenate([own, self._command]) if self._command.size else own

  def _draw(self) -> tuple[np.ndarray, np.ndarray]:
    assert self._observation is not None
    if self._step_of_episode % self._hold_latent_steps == 0:
      drawn = np.asarray(self._rng.standard_normal(self._latent.shape, np.float32))
      self._latent = self._keep * self._latent + drawn
    if self._command.size:
      noise = self._latent[:, self._command.size :]
      self._latent = np.concatenate([self._command[np.newaxis], noise], axis=-1)
    observation = self._observation[np.newaxis, self._stack_where]
    step = np.full(1, self._step_of_episode, np.int32)
    output, action = self._act(observation, self._latent, step)
    return output[0], action[0]

  def take_episodes(self) -> list[episodes_lib.Episode]:
    """Returns the episodes that ended since the last call."""
    ended, self._ended = self._ended, []
    return ended

  def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Returns the state, the running episode included, as JSON types and arrays."""
    running = self._observation is not None
    scalars = {
      'rng': self._rng.bit_generator.state,
      # The running episode is begun again.
      'episodes_begun': self._episodes_begun - running,
      'ended': [episode.measures() for episode in self._ended],
    }
    arrays = {'latent': self._latent, 'held': self._act.held}
    if self._observation is not None:
      arrays |= {'actions': np.array(self._actions), 'observation': self._observation}
    if self._commander is not None:
      arrays |= {'command': self._command, 'commands': np.array(self._commands)}
    return scalars, arrays

  def restore(self, scalars: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bool:
    """Takes back what `state` returned, and the steps of the running episode again.

    Returns:
      Whether they led to the same place. If not, the task is not repeatable, and the next
      step begins a new episode.

    Raises:
      TaskError: If the task breaks its contract.
    """
    self._rng.bit_generator.state = scalars['rng']
    self._episodes_begun = scalars['episodes_begun']
    self._latent = arrays['latent']
    self._observation = None
    repeated = True
    if 'actions' in arrays:
      self._begin()
      for step, action in enumerate(arrays['actions']):
        if self._observation is not None:
          if self._commander is not None:
            self._command = arrays['commands'][step]
          self._take(action, action)
      repeated = self._observation is not None and np.array_equal(
        self._observation, arrays['observation']
      )
      if not repeated:
        self._observation = None
    self._act.held = arrays['held']
    self._command = arrays.get('command', self._command)
    self._ended = [
      episodes_lib.Episode(**{**measures, 'terms': collections.Counter(measures['terms'])})
      for measures in scalars['ended']
    ]
    return repeated
