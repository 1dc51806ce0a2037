"""Tells on standard error how far long work is."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

import tqdm

# Seconds between two lines where there is no terminal for a bar.
INTERVAL = 60.0

_Item = TypeVar('_Item')


class Reminder:
  """A line every minute, so that work without an end is seen to be that."""

  def __init__(self) -> None:
    """Starts the first minute."""
    self._last = time.monotonic()

  def due(self) -> bool:
    """Returns whether a minute has passed since it last did."""
    if time.monotonic() - self._last < INTERVAL:
      return False
    self._last = time.monotonic()
    return True


def over(items: Sequence[_Item], name: str, unit: str) -> Iterator[_Item]:
  """Yields the items, with a bar; with a line every minute where there is no terminal.

  Args:
    items: What is worked on.
    name: What comes of it.
    unit: What an item is.
  """
  reminder = Reminder()
  bar = tqdm.tqdm(
    items, desc=name, unit=unit, dynamic_ncols=True, disable=not sys.stderr.isatty()
  )
  for index, item in enumerate(bar):
    if bar.disable and reminder.due():
      print(f'{name}: {unit} {index:,} of {len(items):,}', file=sys.stderr, flush=True)
    yield item
