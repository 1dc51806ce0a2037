"""The sensible range of every number, with its reason: one table.

`checks` refuses what cannot work at all. What lies outside of a range here can be computed
but is almost surely a slip, and would be found out only after hours, or never; whoever
means it binds `train_stack.unchecked_ranges = True`.
"""

from typing import Any, NamedTuple

OVERRIDE = 'train_stack.unchecked_ranges'


class Range(NamedTuple):
  """Limits of a number, both included.

  Attributes:
    low: The least.
    high: The most.
    reason: What is beyond.
  """

  low: float
  high: float
  reason: str


_WEIGHTS = 'beyond, float32 rewards lose what else they are made of'
_ADAM = 'Adam moves a weight by about that much; below, float32 weights stay where they are'
_TEMPERATURE = 'entropy beyond counts for nothing, or nothing but entropy counts'
_AVERAGE = 'below, the average stays where it began for a million updates'
_UPDATES = 'beyond, no training lasts long enough to get there'
_DISK = 'a run of that many steps takes years'
_NOISE = 'beyond the size of any action box that is scaled to be learned in'

# By the name of the parameter, which means the same wherever it is.
RANGES = {
  # Trainer and Layer.
  'batch_size': Range(1, 100_000, 'an update of more takes minutes'),
  'replay_capacity': Range(
    100, 100_000_000, 'fewer rows are no memory, more no machine has'
  ),
  'initial_steps': Range(1, 100_000_000, _UPDATES),
  'hold_latent_steps': Range(1, 1_000_000, 'longer than any episode'),
  'noise_damping': Range(1e-6, 1, 'below, a latent moves on only after a million steps'),
  'steps_per_call': Range(1, 10_000, 'within a call nothing is said, saved or interrupted'),
  'updates_per_decision': Range(1e-4, 100, 'beyond, nearly no updates, or nothing else'),
  'eval_interval': Range(1, 10_000_000_000, _DISK),
  'eval_episodes': Range(1, 10_000, 'an evaluation of more takes hours'),
  'checkpoint_interval': Range(1, 10_000_000_000, _DISK),
  'env_steps': Range(1, 10_000_000_000, _DISK),
  'interval': Range(1, 100_000, 'longer than any episode'),
  # Networks.
  'num_couplings': Range(0, 16, 'compiling grows with each: 64 take many minutes'),
  'log_scale_bound': Range(1e-3, 20, 'e to the power of more is no float32 action'),
  'shift_scale': Range(1e-3, 1e3, 'the latent is of size 1'),
  'value_scale': Range(1e-6, 1e6, 'values are sums of rewards of size 1'),
  # Agents.
  'learning_rate': Range(1e-8, 1, _ADAM),
  'actor_learning_rate': Range(1e-8, 1, _ADAM),
  'critic_learning_rate': Range(1e-8, 1, _ADAM),
  'target_update_tau': Range(1e-6, 1, _AVERAGE),
  'policy_average_tau': Range(1e-6, 1, _AVERAGE),
  'target_update_period': Range(1, 1_000_000, _UPDATES),
  'actor_update_period': Range(1, 1_000_000, _UPDATES),
  'temperature': Range(1e-9, 1e4, _TEMPERATURE),
  'initial_temperature': Range(1e-9, 1e4, _TEMPERATURE),
  'target_entropy': Range(-1e4, 1e4, 'nats; a few for each dimension of the action'),
  'target_kl': Range(0, 1e4, 'nats; a few for each dimension of the action'),
  'ou_stddev': Range(1e-6, 100, _NOISE),
  'exploration_noise_std': Range(1e-6, 100, _NOISE),
  'target_policy_noise': Range(0, 100, _NOISE),
  'target_policy_noise_clip': Range(0, 100, _NOISE),
  'importance_ratio_clipping': Range(1e-4, 100, 'a ratio of probabilities, near 1'),
  'gradient_clipping': Range(1e-6, 1e6, 'beyond, no gradient is left, or none is clipped'),
  'value_pred_loss_coef': Range(0, 1e4, 'beside a policy loss of size 1'),
  'entropy_regularization': Range(0, 1e4, 'beside a policy loss of size 1'),
  'reward_scale_factor': Range(1e-6, 1e6, _WEIGHTS),
  'collect_steps': Range(1, 10_000_000, 'the steps of one iteration lie in memory'),
  'minibatch_size': Range(1, 1_000_000, 'an update of more takes minutes'),
  'num_epochs': Range(1, 1_000, 'an iteration of more takes hours'),
  # Rewards.
  'scale': Range(-1e6, 1e6, _WEIGHTS),
  'weight': Range(-1e6, 1e6, _WEIGHTS),
  'offset': Range(-1e6, 1e6, _WEIGHTS),
  'radius': Range(1e-6, 1e6, 'no float32 position comes that near, or goes that far'),
}


def problem(parameter: str, value: Any) -> str:
  """Returns what a value must be, with the reason; empty where it is in its range.

  Args:
    parameter: Name of the parameter, without its owner.
    value: Its value; what is no number has no range.
  """
  limits = RANGES.get(parameter)
  if limits is None or not isinstance(value, int | float):
    return ''
  if limits.low <= value <= limits.high:
    return ''
  return (
    f'from {limits.low:g} to {limits.high:g} ({limits.reason}; {OVERRIDE} = True takes any)'
  )
