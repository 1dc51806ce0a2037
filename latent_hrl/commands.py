"""A command in the latent: what a layer is told while it trains, and by whom later.

A layer may declare that the first n entries of its latent are a command:

  z = (c, ε),    c ∈ Rⁿ ~ N(0, I) held and redrawn at random times,    ε ~ N(0, I) noise

Its reward looks at c, and so does its critic, Q(s, c, u). The policy sees c through its
latent alone, u = f((c, ε); s). So the frozen layer is like any other: invertible in the
whole latent, with the prior N(0, I), and the layer above commands by what it puts out.

The reward of a transition is a pure function of c and of what was measured in it. So a
transition can be learned from as if another command had been given, exactly.

Source: for commands drawn anew in learning, Andrychowicz et al., "Hindsight Experience
Replay" (2017), with commands of the prior instead of those achieved.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np

from latent_hrl import checks
from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl import rewards


@parameters.configurable
class CommandConfig:
  """How a layer is commanded while it trains.

  Attributes:
    redraw_probability: With which a command ends after each environment step; a sixtieth
      holds it for 60 steps on average.
    relabeled_share: Share of the transitions of a batch whose command is drawn anew, with
      the reward that it brings.
  """

  gin_name: ClassVar[str] = 'Command'

  redraw_probability: Annotated[
    float,
    checks.SHARE,
    ranges.Range(1e-6, 1, 'below, no episode sees a second command'),
    parameters.Source('prototype'),
  ] = 1 / 60
  relabeled_share: Annotated[float, checks.FROM_0_TO_1, parameters.Source('prototype')] = (
    0.5
  )


RULE = checks.optional(
  checks.Rule('@Command()', lambda value: isinstance(value, CommandConfig))
)


class Entry(NamedTuple):
  """What one entry of a command asks for.

  Attributes:
    name: In words, such as `velocity along x`.
    unit: Unit of what is reached.
    scale: The most that is asked for, in that unit; the entry itself is standard normal.
  """

  name: str
  unit: str
  scale: float


class CommandedReward(rewards.Reward):
  """A reward of motion along a command: a pure function of what was measured and of it.

  Attributes:
    measured_size: m, how many numbers it looks at beside the command.
    field: What critics read the command as: `turning_command` where it turns with the
      world, as a velocity in the plane does; `fixed_command` where it keeps to an axis of
      the world; `command` where no turn of the world touches it.
    value: Maps measured [N, m], command [N, n] and the reward's arguments to rewards [N].
  """

  def __init__(
    self,
    value: Callable[..., np.ndarray],
    entries: Sequence[str],
    unit: str,
    quantities: Sequence[str],
    field: str = 'fixed_command',
  ):
    """Takes the function; see `commanded` for arguments and errors."""
    self.value = value
    self.measured_size = len(quantities)
    self.field = field
    self._names, self._unit, self._quantities = entries, unit, quantities
    _, _, *arguments = inspect.signature(value).parameters.values()
    if not {'limit', 'overshoot'} <= {argument.name for argument in arguments}:
      raise errors.ConfigError(
        f'commanded reward {value.__name__!r} takes measured, command, limit and '
        'overshoot: what a command asks for has to have an end'
      )
    if len(entries) != len(quantities):
      raise errors.ConfigError(
        f'commanded reward {value.__name__!r} has {len(entries)} entries, but '
        f'{len(quantities)} quantities that would follow them'
      )
    transition = inspect.Parameter('transition', inspect.Parameter.POSITIONAL_OR_KEYWORD)

    @functools.wraps(value)
    def of_step(transition: rewards.Transition, **given: Any) -> float:
      if transition.command is None:
        raise rewards.MissingQuantityError('a command, Layer.command = @Command()')
      measured = self.measure(transition)[np.newaxis]
      return float(value(measured, transition.command[np.newaxis], **given)[0])

    of_step.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
      [transition, *arguments]
    )
    super().__init__(of_step)

  def measure(self, transition: rewards.Transition) -> np.ndarray:
    """Returns what it looks at beside the command, [m]."""
    for name in self._quantities:
      if name not in transition.info:
        raise rewards.MissingQuantityError(f'info[{name!r}]')
    return np.array([float(transition.info[name]) for name in self._quantities])

  def entries(self, arguments: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Returns what each entry of the command asks for, given the reward's arguments."""
    return tuple(Entry(name, self._unit, arguments['limit']) for name in self._names)


def commanded(
  entries: Sequence[str],
  unit: str,
  quantities: Sequence[str],
  field: str = 'fixed_command',
) -> Callable[[Callable[..., np.ndarray]], CommandedReward]:
  """Returns what makes a reward of a function, and gin know it by that name.

  The function maps measured [N, n], command [N, n] and its arguments to rewards [N]: of
  motion along the command up to a limit, `limit` the most that is asked for, less
  `overshoot` for each unit beyond.

  Args:
    entries: What each entry of the command asks for, in words; there are n.
    unit: Unit of what is reached.
    quantities: Entries of the task's `info` that should follow, one for each entry.
    field: How the command behaves where the world is turned; see `CommandedReward`.

  Raises:
    ConfigError: If the function has no such arguments, or there is not one quantity for
      each entry.
  """

  def register(value: Callable[..., np.ndarray]) -> CommandedReward:
    reward = CommandedReward(value, entries, unit, quantities, field)
    reward.register()
    return reward

  return register


class Part(NamedTuple):
  """The part of a bound reward that looks at the command.

  Attributes:
    reward: The reward.
    arguments: Its arguments.
    weight: What it is multiplied with.
  """

  reward: CommandedReward
  arguments: dict[str, Any]
  weight: float

  @property
  def entries(self) -> tuple[Entry, ...]:
    """What each entry of the command asks for; there are n."""
    return self.reward.entries(self.arguments)

  @property
  def field(self) -> observations.ObservationField:
    """The command as a field that critics read behind the observation."""
    return observations.ObservationField(self.reward.field, len(self.entries))

  def measure(self, transition: rewards.Transition) -> np.ndarray:
    """Returns what it looks at beside the command, float32 [m]."""
    return np.asarray(self.reward.measure(transition), np.float32)

  def value(self, measured: np.ndarray, command: np.ndarray) -> np.ndarray:
    """Returns its share of the rewards, [N], for measured [N, m] and commands [N, n]."""
    return self.weight * self.reward.value(measured, command, **self.arguments)


def part_of(reward: rewards.BoundReward) -> Part | None:
  """Returns the part of a reward that takes a command; None if none does.

  Raises:
    ConfigError: If several do, which would each take the same entries.
  """
  parts = [
    Part(one, dict(arguments), weight)
    for one, arguments, weight in reward.reward.parts(reward.arguments)
    if isinstance(one, CommandedReward)
  ]
  if len(parts) > 1:
    raise errors.ConfigError(
      f'reward {reward.name!r}: {len(parts)} of its terms take a command; a layer has one'
    )
  return parts[0] if parts else None


def checked_part(
  name: str,
  reward: rewards.BoundReward,
  config: CommandConfig | None,
  interval: int,
  dimension: int,
) -> Part | None:
  """Returns the part of a layer's reward that takes its command; None for no command.

  Args:
    name: Name of the layer.
    reward: Its reward.
    config: How it is commanded; None if it is not.
    interval: Environment steps from one of its decisions to the next.
    dimension: D, the size of its latent.

  Raises:
    ConfigError: If the command is larger than the latent, the reward takes a command and
      the layer has none, or the other way round, or commands are to be drawn anew where
      that is not exact.
  """
  part = part_of(reward)
  if part is None:
    if config is None:
      return None
    known = [n for n, one in rewards.REWARDS.items() if isinstance(one, CommandedReward)]
    raise errors.ConfigError(
      f'{name}/Layer.command: reward {reward.name!r} takes no command; there are '
      f'{", ".join(sorted(known))}, alone or as a term of weighted_sum'
    )
  if config is None:
    raise errors.ConfigError(
      f'reward {reward.name!r} takes a command: bind {name}/Layer.command = @Command()'
    )
  if interval > 1 and config.relabeled_share:
    raise errors.ConfigError(
      f'{name}/Layer.interval is {interval}: the sum over its steps does not tell what '
      'another command had brought, so none is drawn anew in learning; bind '
      f'{name}/Command.relabeled_share = 0'
    )
  if len(part.entries) > dimension:
    raise errors.ConfigError(
      f'{name}/Layer.command: {part.reward.name} has {len(part.entries)} entries, the '
      f'latent has {dimension}'
    )
  return part


class Commander:
  """Draws the commands of an episode, and tells the task.

  Attributes:
    size: n, the entries of a command.
  """

  def __init__(self, size: int, redraw_probability: float, interval: int = 1):
    """Binds the numbers.

    Args:
      size: n, the entries of a command.
      redraw_probability: With which a command ends after each step.
      interval: Environment steps from one decision of the layer to the next; a command ends
        with one of them.
    """
    self.size = size
    self._interval = interval
    self._probability = redraw_probability
    if interval > 1:
      self._probability = 1 - (1 - redraw_probability) ** interval

  def next(self, command: np.ndarray, step: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the command of a step, float32 [n].

    Args:
      command: That of the step before.
      step: Steps since the beginning of the episode; at 0 a command begins.
      rng: Draws time and command.
    """
    if step % self._interval:
      return command
    if step == 0 or rng.random() < self._probability:
      return rng.standard_normal(self.size, np.float32)
    return command

  def tell(self, env: Any, command: np.ndarray) -> None:
    """Lets the reward of the next step look at a command.

    Args:
      env: A `layer_reward.LayerReward`; a task without one has nothing that would look.
      command: float32 [n].
    """
    env.command = command
