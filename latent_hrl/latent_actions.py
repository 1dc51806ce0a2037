"""The latent of a frozen layer as an action space, so that any agent can act on it."""

import copy
import math
import pathlib
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium import utils
from scipy import special

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import stack
from latent_hrl.environments import tasks
from latent_hrl.layers import load
from latent_hrl.layers import policy as policy_lib

# Five standard deviations of the prior reach every action for practical purposes.
LATENT_BOUND = 5.0

# Wrappers of gymnasium that change observations and are no `ObservationWrapper`.
_OTHER_OBSERVATIONS = (
  gymnasium.wrappers.FrameStackObservation | gymnasium.wrappers.MaxAndSkipObservation
)
# See `LatentActions`.
Bound = float | Literal['prior'] | None


class LatentActions:
  """How an action stands for a latent.

  `prior`: the action is in [-1, 1]^D and the latent its normal quantile,

    z = Φ⁻¹((1 + a) / 2), at most `LATENT_BOUND` away from 0.

  An agent that explores uniformly then draws from the layer's prior, N(0, I), for which the
  layer was trained. And the entropy of a policy in this box is its negative KL divergence
  from the prior, but for a constant: a maximum-entropy agent stays as near to what the
  layer does by itself as its reward lets it.

  A number b: the action is the latent, in [-b, b]^D. None: the latent, without bounds.
  """

  def __init__(self, bound: Bound, dimension: int):
    """Reads `bound`.

    Args:
      bound: See the class.
      dimension: D.

    Raises:
      ConfigError: If it is none of these.
    """
    self._quantile = bound == 'prior'
    limit = 1.0 if bound == 'prior' else math.inf if bound is None else bound
    number = isinstance(limit, int | float | np.number) and not isinstance(limit, bool)
    if not number or not limit > 0:
      raise errors.ConfigError(
        f"bound must be 'prior', a number above 0 or None, got {bound!r}"
      )
    self.space = spaces.Box(-float(limit), float(limit), (dimension,), np.float32)

  def latents(self, actions: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the latents of actions.

    Args:
      actions: Of the given shape, [D] or [B, D]. What is outside the box is moved to its
        boundary.
      shape: The shape.

    Returns:
      float32, of the same shape.

    Raises:
      StackError: If the shape is another one, or a number is not finite.
    """
    try:
      values = np.asarray(actions, np.float32)
    except (TypeError, ValueError) as error:
      raise errors.StackError(f'{actions!r} is no latent action: {error}') from None
    if values.shape != shape:
      raise errors.StackError(
        f'a latent action of shape {values.shape} where the layer takes {shape}'
      )
    values = np.clip(values, self.space.low, self.space.high)
    if not np.isfinite(values).all():
      raise errors.StackError(f'the latent action {values.tolist()} is not finite')
    if not self._quantile:
      return values
    quantiles = special.ndtri((1 + values.astype(np.float64)) / 2)
    return np.clip(quantiles, -LATENT_BOUND, LATENT_BOUND).astype(np.float32)


class CompiledLayer:
  """A layer as a policy that is compiled on its first call and goes to other processes."""

  def __init__(self, layer: load.SavedLayer, batch: int):
    """Keeps the layer; see `SavedLayer.policy`."""
    self._layer = layer
    self._batch = batch
    self._policy: policy_lib.SteppedPolicy | None = None
    self._held: np.ndarray | None = None

  def __call__(
    self, observation: np.ndarray, latent: np.ndarray, step: np.ndarray
  ) -> np.ndarray:
    """Returns the actions [B, D]; see `SteppedPolicy`."""
    if self._policy is None:
      self._policy = self._layer.policy(self._batch)
      if self._held is not None:
        self._policy.held = self._held
    return self._policy(observation, latent, step)[1]

  def __getstate__(self) -> dict[str, Any]:
    """Leaves out what is compiled; what layers with an interval hold stays."""
    held = self._held if self._policy is None else self._policy.held
    return {**self.__dict__, '_policy': None, '_held': copy.copy(held)}


class LatentActionWrapper(gymnasium.Wrapper, utils.RecordConstructorArgs):
  """A task whose action is the latent of a frozen layer.

  The layer reads the observation of the task itself, whatever wrappers make of it for the
  agent above. `info` has the last executed `action`, the `latent`, and in `steps` how many
  environment steps were taken.
  """

  def __init__(
    self,
    env: gymnasium.Env,
    layer: load.SavedLayer | str | pathlib.Path,
    bound: Bound = 'prior',
    *,
    interval: int = 1,
    gamma: float = 1.0,
  ):
    """Wraps a task.

    Args:
      env: A task of `make_task`, maybe in wrappers, or any environment, which the layer has
        to fit.
      layer: The frozen layer, with all layers below it, or where it is saved.
      bound: The action space; see `LatentActions`.
      interval: k, environment steps for which a latent is held. Their rewards are summed
        up.
      gamma: Discount per environment step within them; an agent's discount for a step here
        is gamma ** k.

    Raises:
      LayerLoadError: If the layer cannot be loaded.
      TaskError: If the environment is no task for layers.
      StackError: If the layer does not fit the task.
      ConfigError: If an argument is out of its range.
    """
    if not isinstance(layer, load.SavedLayer):
      layer = load.load_layer(layer)
    utils.RecordConstructorArgs.__init__(
      self,
      # The path, since a spec is text.
      layer=str(pathlib.Path(layer.path).resolve()),
      bound=bound,
      interval=interval,
      gamma=gamma,
    )
    if _acts_on_latents(env):
      raise errors.StackError(
        'the actions are latents already; a saved layer brings its lower layers along'
      )
    task = tasks.find(env)
    if task is None:
      name = changes_observation(env)
      if name is not None:
        raise errors.StackError(
          f'{name} changes the observation that the layer reads; make it '
          f'{name}(latent_hrl.make_task(...), ...): the layer reads inside of it'
        )
      env = task = tasks.make_task(env)
    gymnasium.Wrapper.__init__(self, env)
    stack.check_fits(layer.manifest, env)
    whole = isinstance(interval, int | np.integer) and not isinstance(interval, bool)
    if not whole or interval < 1:
      raise errors.ConfigError(
        f'interval must be a whole number of at least 1, got {interval!r}'
      )
    if not 0 <= gamma <= 1:
      raise errors.ConfigError(f'gamma must lie between 0 and 1, got {gamma!r}')
    self._actions = LatentActions(bound, layer.dimension)
    self.action_space = self._actions.space
    self._task = task
    self._policy = CompiledLayer(layer, batch=1)
    self._indices = observations.indices(task.fields, layer.fields)
    self._interval = interval
    self._gamma = gamma
    self._step = np.zeros(1, np.int32)

  def reset(self, *, seed: int | None = None, options: dict | None = None):
    """Starts an episode; see `gymnasium.Env.reset`."""
    self._step[:] = 0
    return self.env.reset(seed=seed, options=options)

  def step(self, action: np.ndarray):
    """Holds the latent of an action, float32 [D]; see `gymnasium.Env.step`.

    Raises:
      StackError: If the action is of another shape, or not finite.
      TaskError: If the task was not reset, or breaks its contract.
    """
    latent = self._actions.latents(action, self.action_space.shape)
    total, steps = 0.0, 0
    terminated = truncated = False
    while steps < self._interval and not (terminated or truncated):
      seen = self._task.last_observation[np.newaxis, self._indices]
      executed = self._policy(seen, latent[np.newaxis], self._step)[0]
      observation, reward, terminated, truncated, info = self.env.step(executed)
      total += self._gamma**steps * float(reward)
      steps += 1
      self._step += 1
    info = {**info, 'action': executed, 'latent': latent, 'steps': steps}
    return observation, total, terminated, truncated, info


def _acts_on_latents(env: gymnasium.Env) -> bool:
  while isinstance(env, gymnasium.Wrapper):
    if isinstance(env, LatentActionWrapper):
      return True
    env = env.env
  return False


def changes_observation(env: gymnasium.Env) -> str | None:
  """Returns the name of a wrapper that changes the observation of the task inside.

  What is in what `gymnasium.make` or `make_task` returns is part of the task.

  Args:
    env: An environment, maybe in wrappers.
  """
  inside = (gymnasium.wrappers.OrderEnforcing, tasks.Task)
  while isinstance(env, gymnasium.Wrapper) and not isinstance(env, inside):
    changes = isinstance(env, gymnasium.ObservationWrapper | _OTHER_OBSERVATIONS)
    if changes or env.observation_space != env.env.observation_space:
      return type(env).__name__
    env = env.env
  return None
