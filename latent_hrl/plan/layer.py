"""What to train: one layer as a gin file describes it."""

from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar

import gin

from latent_hrl import checks
from latent_hrl import commanded_rewards  # noqa: F401, for gin to know them.
from latent_hrl import commands
from latent_hrl import errors
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl import rewards
from latent_hrl.agents import latent_space
from latent_hrl.agents import protocol
from latent_hrl.environments import symmetries
from latent_hrl.layers import manifest as manifest_lib

# What a critic judges, see `Layer.critic`.
CRITICS = ('output', 'action')


@parameters.configurable
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
    command: How it is commanded, `@Command()`: the first entries of its latent are what
      its reward asks for (`commands`). None for a layer that is not.
  """

  gin_name: ClassVar[str] = 'Layer'

  name: str = ''
  reward_fn: Annotated[
    Callable[..., float],
    checks.Rule('a reward function such as @task_reward', callable),
  ] = rewards.task_reward
  agent_fn: Annotated[
    Callable[[], protocol.AgentConfig],
    checks.Rule('an agent such as @create_agent', callable),
  ] = latent_space.LatentSpaceConfig
  env_steps: Annotated[
    int, checks.POSITIVE_INTEGER, ranges.STEPS, parameters.Unit('environment steps')
  ] = 300_000
  observation_fields: Annotated[
    Sequence[str] | None,
    checks.Rule(
      'a list of field names, or None',
      lambda value: (
        isinstance(value, str | None) or checks.several(checks.TEXT).holds(value)
      ),
    ),
  ] = None
  task: Annotated[str | None, checks.optional(checks.TEXT)] = None
  interval: Annotated[
    int,
    checks.POSITIVE_INTEGER,
    ranges.Range(1, 100_000, 'longer than any episode'),
    parameters.Unit('environment steps'),
  ] = 1
  critic: Annotated[str, checks.one_of(CRITICS)] = 'output'
  inherit: Annotated[bool, checks.FLAG] = False
  symmetry_fn: Annotated[
    type[symmetries.Symmetry] | None,
    checks.Rule(
      'the symmetry of a robot such as @AntSymmetry, or None',
      lambda value: (
        value is None or isinstance(value, type) and issubclass(value, symmetries.Symmetry)
      ),
    ),
  ] = None
  command: Annotated[commands.CommandConfig | None, commands.RULE] = None

  def __attrs_post_init__(self) -> None:
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
