"""What to train: one layer as a gin file describes it."""

import dataclasses
from collections.abc import Callable, Sequence

import gin

from latent_hrl import errors
from latent_hrl import rewards


@gin.configurable
@dataclasses.dataclass(frozen=True)
class Layer:
  """One layer to train: its reward, what it sees, and for how long.

  In gin the scope names the layer: `@base/Layer()` is called `base`, and every binding
  under `base/` (of the networks, the agent, the trainer) holds for this layer alone.

  Attributes:
    name: Name of the layer and of its directory; the gin scope if empty.
    reward_fn: Reward function from `latent_hrl.rewards`.
    env_steps: Environment steps to train for.
    observation_fields: Names of the fields the layer reads; None for all of the task.
  """

  name: str = ''
  reward_fn: Callable[..., float] = rewards.task_reward
  env_steps: int = 300_000
  observation_fields: Sequence[str] | None = None

  def __post_init__(self) -> None:
    name = self.name or gin.current_scope_str()
    if not name:
      raise errors.ConfigError(
        'a Layer needs a name: write @NAME/Layer() in the gin file, or bind Layer.name'
      )
    if not name.replace('_', '').replace('-', '').isalnum():
      raise errors.ConfigError(
        f'layer name {name!r} may hold letters, digits, "-" and "_" only'
      )
    if self.env_steps < 1:
      raise errors.ConfigError(
        f'{name}/Layer.env_steps must be at least 1, got {self.env_steps}'
      )
    if not callable(self.reward_fn):
      raise errors.ConfigError(
        f'{name}/Layer.reward_fn must be a reward function such as @task_reward, got '
        f'{self.reward_fn!r}'
      )
    object.__setattr__(self, 'name', name)
