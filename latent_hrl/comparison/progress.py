"""How far all runs are: a few live lines on a terminal, plain lines elsewhere."""

import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TextIO

import tqdm

from latent_hrl.comparison import plan

_BAR = 20


class _Position(NamedTuple):
  env_steps: int
  last_return: float | None


def _position(run: plan.Run) -> _Position:
  """Returns how far a run is; its last line may just be being written."""
  latest: dict[str, Mapping] = {}
  if run.metrics.exists():
    for line in run.metrics.read_text(encoding='utf-8').splitlines():
      try:
        row = json.loads(line)
        latest[row['layer']] = row
      except (ValueError, KeyError, TypeError):
        continue
  env_steps = sum(latest[layer]['env_steps'] for layer in run.steps if layer in latest)
  last = list(latest.values())[-1] if latest else {}
  return _Position(env_steps, last.get('return_mean'))


class View:
  """Tells what the runs do."""

  def __init__(self, runs: Sequence[plan.Run], finished: int, stream: TextIO = sys.stdout):
    """Starts the clock.

    Args:
      runs: The runs to come.
      finished: Number of runs that were finished before.
      stream: Where to tell.
    """
    self._stream = stream
    self._total = len(runs) + finished
    self._finished = finished
    self._failed = 0
    self._left = {run.directory: run.env_steps - _position(run).env_steps for run in runs}
    self._steps_at_start = sum(self._left.values())
    self._told: dict[object, _Position] = {}
    self._started = time.monotonic()
    self._live_lines = 0

  def started(self, run: plan.Run) -> None:
    """Tells that a run starts, or goes on."""
    position = self._told[run.directory] = _position(run)
    at = f' from step {position.env_steps:,}' if position.env_steps else ''
    self._say(f'{run}: started{at}')

  def ended(self, run: plan.Run, reason: str | None) -> None:
    """Tells that a run ended, and why if it failed."""
    self._left[run.directory] = 0
    self._finished += reason is None
    self._failed += reason is not None
    if reason is None:
      self._say(f'{run}: finished, return {_number(_position(run).last_return)}')
    else:
      self._say(f'{run}: failed, {reason}')

  def draw(self, running: Sequence[plan.Run]) -> None:
    """Tells how far the running ones are."""
    positions = [_position(run) for run in running]
    for run, position in zip(running, positions, strict=True):
      self._left[run.directory] = run.env_steps - position.env_steps
    if self._stream.isatty():
      lines = [_bar(*pair) for pair in zip(running, positions, strict=True)]
      self._redraw([*lines, self._summary(len(running))] if running else [])
      return
    for run, position in zip(running, positions, strict=True):
      if position != self._told[run.directory]:
        self._told[run.directory] = position
        self._say(
          f'{run}: step {position.env_steps:,} of {run.env_steps:,}, return '
          f'{_number(position.last_return)}'
        )

  def _summary(self, running: int) -> str:
    left = sum(self._left.values())
    done = self._steps_at_start - left
    waiting = self._total - self._finished - self._failed - running
    text = f'{self._finished} of {self._total} runs finished, {waiting} waiting'
    if self._failed:
      text += f', {self._failed} failed'
    if done > 0:
      seconds = left * (time.monotonic() - self._started) / done
      text += f', about {tqdm.tqdm.format_interval(seconds)} left'
    return text

  def _say(self, text: str) -> None:
    self._redraw([])
    print(text, file=self._stream, flush=True)

  def _redraw(self, lines: Sequence[str]) -> None:
    """Puts these lines in the place of the live ones."""
    if self._live_lines:
      self._stream.write(f'\x1b[{self._live_lines}F\x1b[J')
    width = shutil.get_terminal_size().columns - 1
    self._stream.writelines(line[:width] + '\n' for line in lines)
    self._stream.flush()
    self._live_lines = len(lines)


def _bar(run: plan.Run, position: _Position) -> str:
  share = min(1.0, position.env_steps / run.env_steps)
  full = round(_BAR * share)
  return (
    f'{"█" * full}{"░" * (_BAR - full)} {share:4.0%}  {run}, return '
    f'{_number(position.last_return)}'
  )


def _number(value: float | None) -> str:
  return '-' if value is None else f'{value:,.1f}'
