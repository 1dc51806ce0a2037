"""The sensible range of a number, with its reason; declared beside the parameter.

`checks` refuses what cannot work at all. What lies outside of a range can be computed but
is almost surely a slip, and would be found out only after hours, or never; whoever means it
binds `train_stack.unchecked_ranges = True`.
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

  def problem(self, value: Any) -> str:
    """Returns what a value must be, with the reason; empty where it is in the range.

    Args:
      value: The value; what is no number has no range.
    """
    if not isinstance(value, int | float) or self.low <= value <= self.high:
      return ''
    return (
      f'from {self.low:g} to {self.high:g} ({self.reason}; {OVERRIDE} = True takes any)'
    )


# Those that several parameters share.
STEPS = Range(1, 10_000_000_000, 'a run of that many steps takes years')
PERIOD = Range(1, 1_000_000, 'beyond, no training lasts long enough to get there')
MINIBATCH = Range(1, 1_000_000, 'an update of more takes minutes')
COUPLINGS = Range(1, 16, 'compiling grows with each: 64 take many minutes')
LOG_SCALE_BOUND = Range(1e-3, 20, 'e to the power of more is no float32 action')
SHIFT_SCALE = Range(1e-3, 1e3, 'the latent is of size 1')
LEARNING_RATE = Range(
  1e-8,
  1,
  'Adam moves a weight by about that much; below, float32 weights stay where they are',
)
AVERAGE = Range(1e-6, 1, 'below, the average stays where it began for a million updates')
TEMPERATURE = Range(
  1e-9, 1e4, 'entropy beyond counts for nothing, or nothing but entropy counts'
)
ENTROPY = Range(-1e4, 1e4, 'nats; a few for each dimension of the action')
KL = Range(0, 1e4, 'nats; a few for each dimension of the action')
EXPLORATION = Range(
  1e-6, 100, 'beyond the size of any action box that is scaled to be learned in'
)
NOISE = EXPLORATION._replace(low=0)
LOSS_WEIGHT = Range(0, 1e4, 'beside a policy loss of size 1')
REWARD_WEIGHT = Range(-1e6, 1e6, 'beyond, float32 rewards lose what else they are made of')
REWARD_SCALE = REWARD_WEIGHT._replace(low=1e-6)
