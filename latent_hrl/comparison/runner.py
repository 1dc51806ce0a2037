"""Runs side by side, each in a process of its own."""

import json
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import IO, NamedTuple

from latent_hrl import errors
from latent_hrl import machine
from latent_hrl.comparison import child
from latent_hrl.comparison import curves
from latent_hrl.comparison import plan
from latent_hrl.comparison import progress

_CHECK = 'latent_hrl.comparison.check'
# What a log has before each command: a run that was resumed has several.
_PROMPT = '$ '


class Failure(NamedTuple):
  """A run that is missing in the report.

  Attributes:
    run: The run.
    reason: Why, in one line.
  """

  run: plan.Run
  reason: str


def check(runs: Sequence[plan.Run]) -> list[Failure]:
  """Returns the runs that are known to fail before they start.

  Args:
    runs: The runs; one of each system and task is enough.

  Raises:
    ConfigError: If the check itself breaks.
  """
  requests = [
    {'gin_file': run.gin_file, 'gin_bindings': run.bindings, 'layers': list(run.steps)}
    for run in runs
  ]
  process = child.start(
    [sys.executable, '-m', _CHECK],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )
  try:
    answer, complaints = process.communicate(json.dumps(requests))
  finally:
    child.end([process])
  if process.returncode:
    raise errors.ConfigError(f'the check of the systems broke: {_last_line(complaints)}')
  found = zip(runs, json.loads(answer.splitlines()[-1]), strict=True)
  return [Failure(run, reason) for run, reason in found if reason is not None]


def run_all(
  runs: Sequence[plan.Run],
  jobs: int,
  cores: int,
  lock: IO[str],
  view: progress.View,
  poll_s: float = 0.5,
) -> list[Failure]:
  """Runs what is not finished, some processes at a time.

  A run that was interrupted is handed to `launchers.train` again, which resumes it. However
  this function is left, no process stays behind.

  Args:
    runs: The runs, in the order in which they start.
    jobs: How many processes at a time.
    cores: Cores of each.
    lock: The lock of the directory.
    view: Who watches.
    poll_s: Seconds between looks at the processes.

  Returns:
    The runs that failed.
  """
  waiting = list(runs)
  running: dict[subprocess.Popen, plan.Run] = {}
  failures: list[Failure] = []
  try:
    while waiting or running:
      while waiting and len(running) < jobs:
        run = waiting.pop(0)
        running[_start(run, cores, lock)] = run
        view.started(run)
      for process in [process for process in running if process.poll() is not None]:
        run = running.pop(process)
        reason = _finish(run, process.returncode)
        view.ended(run, reason)
        if reason is not None:
          failures.append(Failure(run, reason))
      view.draw(list(running.values()))
      if running:
        time.sleep(poll_s)
  finally:
    if running:
      print('ending the runs; each writes a checkpoint first', flush=True)
    child.end(running)
  return failures


def _start(run: plan.Run, cores: int, lock: IO[str]) -> subprocess.Popen:
  run.directory.mkdir(parents=True, exist_ok=True)
  run.record(finished=False, facts=machine.describe())
  with run.log.open('a', encoding='utf-8') as log:
    print(f'{_PROMPT}{run.command_line(cores)}', file=log, flush=True)
    return child.start(
      run.command(cores),
      stdin=subprocess.DEVNULL,
      stdout=log,
      stderr=subprocess.STDOUT,
      pass_fds=(lock.fileno(),),
    )


def _finish(run: plan.Run, exit_code: int) -> str | None:
  """Takes down that a run is done; returns why it is not, if so."""
  if exit_code:
    ended = f'exit code {exit_code}' if exit_code > 0 else signal.Signals(-exit_code).name
    return f'{ended}: {_last_line(_read(run.log))}'
  try:
    curves.read_run(run.metrics, run.task, run.steps)
  except errors.ConfigError as error:
    return str(error)
  run.record(finished=True)
  return None


def _read(path: pathlib.Path) -> str:
  return path.read_text(encoding='utf-8', errors='replace')


def _last_line(text: str) -> str:
  lines = [line.strip() for line in text.splitlines() if line.strip()]
  if not lines or lines[-1].startswith(_PROMPT):
    return 'it said nothing'
  return lines[-1]
