"""Processes that do not outlive this one."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)  # Loaded before any fork: the child has one call to make.
# Seconds a process has to end in when it is asked to: a run in training ends the evaluation
# at hand, then writes a checkpoint.
_GRACE = 60.0


def start(command: Sequence[str], **kwargs: Any) -> subprocess.Popen:
  """Starts a process that the kernel kills when this one dies, even by SIGKILL.

  It has a process group of its own, so that Ctrl-C reaches this process alone. Call it from
  the main thread: to the kernel the thread is the parent.

  Args:
    command: The command.
    **kwargs: For `subprocess.Popen`.
  """
  parent = os.getpid()

  def die_with_parent() -> None:
    if hasattr(_libc, 'prctl'):
      _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
      os._exit(1)

  return subprocess.Popen(command, process_group=0, preexec_fn=die_with_parent, **kwargs)


def end(processes: Iterable[subprocess.Popen]) -> None:
  """Ends processes and what they started: politely, then not."""
  processes = [process for process in processes if process.poll() is None]
  for process in processes:
    os.killpg(process.pid, signal.SIGTERM)
  deadline = time.monotonic() + _GRACE
  for process in processes:
    try:
      process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
      os.killpg(process.pid, signal.SIGKILL)
      process.wait()


@contextlib.contextmanager
def interrupted_by(*signals: signal.Signals) -> Iterator[None]:
  """Makes these signals end the body as Ctrl-C does, but for those that nohup ignores."""

  def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt

  heard = [number for number in signals if signal.getsignal(number) != signal.SIG_IGN]
  before = {number: signal.signal(number, interrupt) for number in heard}
  try:
    yield
  finally:
    for number, handler in before.items():
      signal.signal(number, handler)
