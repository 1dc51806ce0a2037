"""What to train: one layer as a gin file describes it."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import gin

from latent_hrl import agents
from latent_hrl import checks
from latent_hrl import errors
from latent_hrl import rewards
from latent_hrl.environments import symmetries
from latent_hrl.layers import manifest as manifest_lib

# What a critic judges, see `Layer.critic`.
CRITICS = ('output', 'action')
_RULES = {
  'reward_fn': checks.Rule('a reward function such as @task_reward', callable),
  'agent_fn': checks.Rule('an agent such as @create_agent', callable),
  'env_steps': checks.POSITIVE_INTEGER,
  'observation_fields': checks.Rule(
    'a list of field names, or None',
    lambda value: isinstance(value, str | None) or checks.several(checks.TEXT).holds(value),
  ),
  'task': checks.optional(checks.TEXT),
  'interval': checks.POSITIVE_INTEGER,
  'critic': checks.TEXT,
  'inherit': checks.FLAG,
  'symmetry_fn': checks.Rule(
    'the symmetry of a robot such as @AntSymmetry, or None',
    lambda value: (
      value is None or isinstance(value, type) and issubclass(value, symmetries.Symmetry)
    ),
  ),
}


@gin.configurable
@dataclasses.dataclass(frozen=True)
class Layer:
  """One layer to train: its reward, what it sees, and for how long.

  In gin the scope names the layer: `@base/Layer()` is called `base`, and every binding
  under `base/` (of the networks, the agent, the trainer) holds for this layer alone.

  Attributes:
    name: Name of the layer and of its directory; the gin scope if empty.
    reward_fn: Reward function from `latent_hrl.rewards`.
    agent_fn: What builds its agent: `create_agent`, the maximum-entropy agent on a RealNVP
      policy, or an agent of TF-Agents: `sac_agent`, `td3_agent`, `ddpg_agent`, `ppo_agent`.
    env_steps: Environment steps to train for.
    observation_fields: Names of the fields the layer reads; None for all of the task.
    task: Gymnasium id of the task it trains on; None for that of the stack. A base may come
      from a simpler task with the fields that it reads.
    interval: k; the layer puts out every k environment steps, and layers below act on that
      until then. Its rewards are summed up with γ, its discount is γ^k. 1 at the bottom,
      above it a multiple of the interval below.
    critic: What the critic of a layer above others judges: `output`, what the layer puts
      out, as in the paper; or `action`, what the layers below make of it, with the gradient
      through them. For the latter the layer reads every field that they read.
    inherit: Whether to start from critic, replay and embedding of the layer below, out of
      its checkpoint: for critics on the action and the same task, reward and fields.
    symmetry_fn: Symmetry of the robot, such as `AntSymmetry`: each transition is learned
      from in one of its views, drawn anew each time. For layers that learn from a replay of
      actions: a bottom layer, or one whose critic judges the action.
  """

  name: str = ''
  reward_fn: Callable[..., float] = rewards.task_reward
  agent_fn: Callable[..., Any] = agents.create_agent
  env_steps: int = 300_000
  observation_fields: Sequence[str] | None = None
  task: str | None = None
  interval: int = 1
  critic: str = 'output'
  inherit: bool = False
  symmetry_fn: type[symmetries.Symmetry] | None = None

  def __post_init__(self) -> None:
    scope = gin.current_scope_str()
    name = self.name or scope
    if not name:
      raise errors.ConfigError(
        'a Layer needs a name: write @NAME/Layer() in the gin file, or bind Layer.name'
      )
    if not isinstance(name, str) or not manifest_lib.NAME.fullmatch(name):
      raise errors.ConfigError(
        f'layer name {name!r} may hold letters, digits, "-" and "_" only'
      )
    if scope and name != scope:
      raise errors.ConfigError(
        f'{scope}/Layer.name is {name!r}, but a layer has the bindings of its own name: '
        f'write @{name}/Layer()'
      )
    for field, rule in _RULES.items():
      value = getattr(self, field)
      if not rule.holds(value):
        raise errors.ConfigError(f'{name}/Layer.{field} must be {rule.text}, got {value!r}')
      object.__setattr__(self, field, rule.taken(value))
    if self.critic not in CRITICS:
      raise errors.ConfigError(
        f'{name}/Layer.critic must be one of {", ".join(CRITICS)}, got {self.critic!r}'
        f'{errors.nearest(self.critic, CRITICS)}'
      )
    if self.critic == 'action' and self.interval > 1:
      raise errors.ConfigError(
        f"{name}/Layer.critic = 'action' needs {name}/Layer.interval = 1, got "
        f'{self.interval}: within an interval there are several actions to judge'
      )
    if self.inherit and self.critic != 'action':
      raise errors.ConfigError(
        f"{name}/Layer.inherit needs {name}/Layer.critic = 'action': a critic of outputs "
        'means nothing to another layer'
      )
    object.__setattr__(self, 'name', name)
