"""How a layer is trained: the numbers of the loop, checked before anything is built."""

import dataclasses

import gin

from latent_hrl import checks
from latent_hrl import errors

_RULES = {'noise_damping': checks.SHARE, 'updates_per_decision': checks.up_to(100)}


@gin.configurable('Trainer')
@dataclasses.dataclass(frozen=True)
class TrainerSettings:
  """Numbers of the training loop; `Trainer.NAME` in gin.

  Attributes:
    batch_size: Transitions per update.
    replay_capacity: Rows of the replay.
    initial_steps: Environment steps before the first update; a bottom layer acts uniformly
      in its box there, a higher one samples its prior.
    hold_latent_steps: Environment steps for which collection keeps the latent it drew. With
      1 each step draws anew, as in the paper; with more, the replay holds what a layer
      above or a held latent will do to this one.
    noise_damping: θ of the Ornstein-Uhlenbeck process z ← (1 - θ) z + N(0, I) that the
      latents of collection follow; 1 draws each by itself.
    steps_per_call: K; K environment steps take turns with their updates, compiled in one.
    updates_per_decision: Updates for each output of the layer, on average; one is one an
      environment step, unless the layer has an interval. A quarter takes four environment
      steps for each update: more experience in the same time where the task is quick.
    eval_interval: Environment steps between evaluations; the layer is saved at each.
    eval_episodes: Episodes of an evaluation, mode policy.
    checkpoint_interval: Environment steps between checkpoints.
  """

  batch_size: int = 256
  replay_capacity: int = 1_000_000
  initial_steps: int = 5_000
  hold_latent_steps: int = 1
  noise_damping: float = 1.0
  steps_per_call: int = 8
  updates_per_decision: float = 1
  eval_interval: int = 10_000
  eval_episodes: int = 10
  checkpoint_interval: int = 50_000

  def __post_init__(self) -> None:
    for field in dataclasses.fields(self):
      rule = _RULES.get(field.name, checks.POSITIVE_INTEGER)
      value = getattr(self, field.name)
      if not rule.holds(value):
        raise errors.ConfigError(f'Trainer.{field.name} must be {rule.text}, got {value!r}')
      object.__setattr__(self, field.name, rule.taken(value))
    if self.replay_capacity < 2:
      raise errors.ConfigError(
        'Trainer.replay_capacity must be at least 2: a transition and what follows it'
      )
    if self.batch_size > self.replay_capacity:
      raise errors.ConfigError(
        f'Trainer.batch_size ({self.batch_size}) exceeds Trainer.replay_capacity '
        f'({self.replay_capacity})'
      )
