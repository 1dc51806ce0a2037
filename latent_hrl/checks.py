"""What a value from a gin file has to be, with the words to say so."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

# float32's, in which everything is computed.
_LARGEST = 3.4e38
# The largest number of steps, rows or episodes that TensorFlow and NumPy can count.
_INT64 = 2**63 - 1


class Rule(NamedTuple):
  """A condition on a value.

  Attributes:
    text: What the value must be, such as `a positive number`.
    holds: Whether a value is that.
    taken: What is made of a value for which it holds: of `6e5`, where an integer is meant,
      the integer 600000.
    choices: What it may be, for the hint at a slip; empty if it is no choice.
  """

  text: str
  holds: Callable[[Any], bool]
  taken: Callable[[Any], Any] = lambda value: value
  choices: Sequence[str] = ()


def _is_integer(value: Any) -> bool:
  if isinstance(value, float):
    return value.is_integer() and abs(value) <= 2**53  # From there on floats skip some.
  return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
  is_number = isinstance(value, int | float) and not isinstance(value, bool)
  return is_number and -_LARGEST <= value <= _LARGEST  # NaN is not.


def is_json(value: Any) -> bool:
  """Whether a manifest can record a value: no NaN, no infinity, no object of Python's."""
  try:
    json.dumps(value, allow_nan=False)
  except (TypeError, ValueError, RecursionError):
    return False
  return True


NUMBER = Rule('a number', _is_number)
POSITIVE = Rule('a positive number', lambda value: _is_number(value) and value > 0)
NOT_NEGATIVE = Rule('0 or more', lambda value: _is_number(value) and value >= 0)
FROM_0_TO_1 = Rule('from 0 to 1', lambda value: _is_number(value) and 0 <= value <= 1)
POSITIVE_INTEGER = Rule(
  'a positive integer', lambda value: _is_integer(value) and 0 < value <= _INT64, int
)
FLAG = Rule('True or False', lambda value: isinstance(value, bool))
TEXT = Rule('text in quotes', lambda value: isinstance(value, str))
OPTIONS = Rule(
  'a dictionary of JSON values, without render_mode',
  lambda value: isinstance(value, dict) and is_json(value) and 'render_mode' not in value,
)
# TensorFlow takes it as the name of a scope.
NAME = Rule(
  "a name of letters, digits, '_', '-' and '.'",
  lambda value: (
    isinstance(value, str) and bool(re.fullmatch(r'[A-Za-z0-9.][A-Za-z0-9_.-]*', value))
  ),
)


def one_of(values: Sequence[str]) -> Rule:
  """Returns the rule of a choice."""
  return Rule(' or '.join(map(repr, values)), lambda value: value in values, choices=values)


def integer(low: int, high: int) -> Rule:
  """Returns the rule of an integer within two limits, both included."""
  return Rule(
    f'an integer from {low} to {high}',
    lambda value: _is_integer(value) and low <= value <= high,
    int,
  )


def up_to(high: float) -> Rule:
  """Returns the rule of a number above 0 and up to a limit, which is included."""
  return Rule(
    f'above 0, at most {high:g}',
    lambda value: _is_number(value) and 0 < value <= high,
  )


SHARE = up_to(1)
# Wider layers do not fit into memory, more couplings do not compile in a day.
WIDTH = integer(1, 65_536)
COUPLINGS = integer(1, 64)


def several(rule: Rule) -> Rule:
  """Returns the rule of a tuple or list, each entry of which keeps `rule`."""
  return Rule(
    f'a list, each entry {rule.text}',
    lambda value: isinstance(value, list | tuple) and all(map(rule.holds, value)),
    lambda value: type(value)(map(rule.taken, value)),
  )


def optional(rule: Rule) -> Rule:
  """Returns the rule of None, or what keeps `rule`."""
  return Rule(
    f'{rule.text}, or None',
    lambda value: value is None or rule.holds(value),
    lambda value: None if value is None else rule.taken(value),
  )
