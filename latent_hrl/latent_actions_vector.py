"""The latent of a frozen layer as the action space of a vector environment."""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import utils

from latent_hrl import errors
from latent_hrl import latent_actions
from latent_hrl import observations
from latent_hrl import stack
from latent_hrl.environments import boxes
from latent_hrl.environments import tasks
from latent_hrl.layers import load


class LatentActionVectorWrapper(gymnasium.vector.VectorWrapper):
  """A vector environment whose actions are latents of a frozen layer.

  One call decodes the whole batch, in this process: the workers of an `AsyncVectorEnv` need
  no TensorFlow. Each episode begins with a decision of every layer below, in all three
  autoreset modes. `info` has the executed `action` and the `latent`, [B, D] each, and by
  gymnasium's custom in `_action` and `_latent` for which environments: not for those that
  started an episode instead.

  To hold a latent for several steps, put a `LatentActionWrapper` into each environment.
  """

  def __init__(
    self,
    env: gymnasium.vector.VectorEnv,
    layer: load.SavedLayer | str | pathlib.Path,
    bound: latent_actions.Bound = 'prior',
  ):
    """Wraps a vector environment.

    Args:
      env: Of tasks that the layer fits, by `gymnasium.make` or `make_task`.
      layer: The frozen layer, with all layers below it, or where it is saved.
      bound: The action space of one environment; see `latent_actions.LatentActions`.

    Raises:
      LayerLoadError: If the layer cannot be loaded.
      TaskError: If the environments are no tasks for layers.
      StackError: If the layer does not fit, or what it would read was changed on the way.
      ConfigError: If `bound` is none.
    """
    super().__init__(env)
    if not isinstance(layer, load.SavedLayer):
      layer = load.load_layer(layer)
    self._mode = env.metadata.get('autoreset_mode', gymnasium.vector.AutoresetMode.DISABLED)
    task_id, self._fields = _look_into(env)
    box = env.single_action_space
    stack.check_fits_parts(layer.manifest, task_id, self._fields, box)
    self._box = box
    self._actions = latent_actions.LatentActions(bound, layer.dimension)
    self.single_action_space = self._actions.space
    self.action_space = utils.batch_space(self._actions.space, env.num_envs)
    self._policy = latent_actions.CompiledLayer(layer, env.num_envs)
    self._indices = observations.indices(self._fields, layer.fields)
    self._observation: np.ndarray | None = None
    self._step = np.zeros(env.num_envs, np.int32)
    self._ended = np.zeros(env.num_envs, bool)

  def reset(
    self,
    *,
    seed: int | Sequence[int] | None = None,
    options: dict[str, Any] | None = None,
  ):
    """Starts episodes, of those in `options['reset_mask']` if it is there."""
    mask = (options or {}).get('reset_mask', np.ones(self.num_envs, bool))
    observation, infos = self.env.reset(seed=seed, options=options)
    self._observation = boxes.flat_batch(observation, self._fields)
    self._step[mask] = 0
    self._ended[mask] = False
    return observation, infos

  def step(self, actions: np.ndarray):
    """Decodes actions, float32 [B, D], and takes a step; see `VectorEnv.step`.

    Raises:
      StackError: If the actions are of another shape, or not finite.
      TaskError: If nothing was reset, or an observation is not finite.
    """
    if self._observation is None:
      raise errors.TaskError('the environments have to be reset before their first step')
    latents = self._actions.latents(actions, self.action_space.shape)
    observations.check_finite(self._observation, self._fields)
    seen = self._observation[:, self._indices]
    executed = self._policy(seen, latents, self._step)
    observation, rewards, terminated, truncated, infos = self.env.step(
      boxes.native_action(executed, self._box)
    )
    self._observation = boxes.flat_batch(observation, self._fields)
    ended = np.logical_or(terminated, truncated)
    modes = gymnasium.vector.AutoresetMode
    # In the mode NEXT_STEP the step after the last one is a reset: nothing was executed.
    acted = ~self._ended if self._mode == modes.NEXT_STEP else np.ones_like(ended)
    begun = ended if self._mode == modes.SAME_STEP else ~acted
    self._step = np.where(begun, 0, self._step + 1).astype(np.int32)
    self._ended = ended
    told = {'action': executed, 'latent': latents, '_action': acted, '_latent': acted}
    return observation, rewards, terminated, truncated, {**infos, **told}


def _look_into(env: gymnasium.vector.VectorEnv) -> tuple[str, observations.Fields]:
  """Returns task id and fields of the environments; refuses what changes observations."""
  while isinstance(env, gymnasium.vector.VectorWrapper):
    if isinstance(env, gymnasium.vector.VectorObservationWrapper):
      raise errors.StackError(
        f'{type(env).__name__} changes the observations that the layer reads; put it '
        'around the LatentActionVectorWrapper'
      )
    env = env.env
  makers: Sequence[Callable[[], gymnasium.Env]] = getattr(env, 'env_fns', ())
  if not hasattr(env, 'envs') and not makers:
    return str(env), boxes.fields_of(env.single_observation_space, str(env))[0]
  # Those of a process pool are not at hand.
  one = env.envs[0] if hasattr(env, 'envs') else makers[0]()
  try:
    name = latent_actions.changes_observation(one)
    if name is not None:
      raise errors.StackError(
        f'{name} in the environments changes the observation that the layer reads; put '
        'such a wrapper around the LatentActionVectorWrapper'
      )
    task = tasks.find(one) or tasks.Task(one)
    return task.task_id, task.fields
  finally:
    if not hasattr(env, 'envs'):
      one.close()
