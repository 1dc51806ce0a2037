"""How a layer is trained: the numbers of the loop."""

from typing import Annotated, ClassVar

from latent_hrl import checks
from latent_hrl import errors
from latent_hrl import parameters
from latent_hrl import ranges

_STEPS = parameters.Unit('environment steps')


@parameters.configurable
class LoopConfig:
  """The loop around learning: how often it evaluates, and how long that takes.

  Attributes:
    eval_interval: From one evaluation to the next; the layer is saved at each.
    eval_episodes: Episodes of an evaluation, mode policy.
    checkpoint_interval: From one checkpoint to the next.
    film: Whether to film an episode of the finished layer, for TensorBoard and as
      films/NAME.gif.
  """

  gin_name: ClassVar[str] = 'TrainingLoop'

  eval_interval: Annotated[int, checks.POSITIVE_INTEGER, ranges.STEPS, _STEPS] = 10_000
  eval_episodes: Annotated[
    int,
    checks.POSITIVE_INTEGER,
    ranges.Range(1, 10_000, 'an evaluation of more takes hours'),
  ] = 10
  checkpoint_interval: Annotated[int, checks.POSITIVE_INTEGER, ranges.STEPS, _STEPS] = (
    50_000
  )
  film: Annotated[bool, checks.FLAG] = False


@parameters.configurable
class OffPolicyConfig:
  """Learning from a replay: collection, replay and updates. PPO uses none of it.

  Attributes:
    batch_size: Transitions per update.
    replay_capacity: Rows of the replay.
    initial_steps: Before the first update; a bottom layer acts uniformly in its box there,
      a higher one samples its prior.
    hold_latent_steps: For which collection keeps the latent it drew. With 1 each step draws
      anew, as in the paper; with more, the replay holds what a layer above or a held latent
      will do to this one.
    noise_damping: θ of the Ornstein-Uhlenbeck process z ← (1 - θ) z + N(0, I) that the
      latents of collection follow; 1 draws each by itself.
    steps_per_call: K; K environment steps take turns with their updates, compiled in one.
    updates_per_decision: Updates for each output of the layer, on average; one is one an
      environment step, unless the layer has an interval. A quarter takes four environment
      steps for each update: more experience in the same time where the task is quick.
  """

  gin_name: ClassVar[str] = 'OffPolicy'

  batch_size: Annotated[
    int,
    checks.POSITIVE_INTEGER,
    ranges.Range(1, 100_000, 'an update of more takes minutes'),
    parameters.Source('code'),
  ] = 256
  replay_capacity: Annotated[
    int,
    checks.POSITIVE_INTEGER,
    ranges.Range(100, 100_000_000, 'fewer rows are no memory, more no machine has'),
    parameters.Source('paper'),
  ] = 1_000_000
  initial_steps: Annotated[
    int,
    checks.POSITIVE_INTEGER,
    ranges.Range(1, 100_000_000, 'beyond, no training lasts long enough to get there'),
    _STEPS,
  ] = 5_000
  hold_latent_steps: Annotated[
    int,
    checks.POSITIVE_INTEGER,
    ranges.Range(1, 1_000_000, 'longer than any episode'),
    _STEPS,
    parameters.Source('paper'),
  ] = 1
  noise_damping: Annotated[
    float,
    checks.SHARE,
    ranges.Range(1e-6, 1, 'below, a latent moves on only after a million steps'),
  ] = 1.0
  steps_per_call: Annotated[
    int,
    checks.POSITIVE_INTEGER,
    ranges.Range(1, 10_000, 'within a call nothing is said, saved or interrupted'),
    _STEPS,
    parameters.Source('measured'),
  ] = 8
  updates_per_decision: Annotated[
    float,
    checks.up_to(100),
    ranges.Range(1e-4, 100, 'beyond, nearly no updates, or nothing else'),
  ] = 1

  def __attrs_post_init__(self) -> None:
    if self.replay_capacity < 2:
      raise errors.ConfigError(
        'OffPolicy.replay_capacity must be at least 2: a transition and what follows it'
      )
    if self.batch_size > self.replay_capacity:
      raise errors.ConfigError(
        f'OffPolicy.batch_size ({self.batch_size}) exceeds OffPolicy.replay_capacity '
        f'({self.replay_capacity})'
      )
