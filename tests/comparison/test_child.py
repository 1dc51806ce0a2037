"""Processes that end when they are to."""

import os
import signal
import subprocess
import sys

import pytest

from latent_hrl.comparison import child


def test_a_signal_ends_the_body_unless_nohup_ignores_it():
  before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
  try:
    with child.interrupted_by(signal.SIGTERM, signal.SIGHUP):
      os.kill(os.getpid(), signal.SIGHUP)
    with pytest.raises(KeyboardInterrupt), child.interrupted_by(signal.SIGTERM):
      os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
  finally:
    signal.signal(signal.SIGHUP, before)


def test_a_process_that_does_not_listen_is_killed(monkeypatch):
  monkeypatch.setattr(child, '_GRACE', 0.3)
  code = 'import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)'
  deaf = child.start(
    [sys.executable, '-S', '-c', f'{code}; time.sleep(60)'], stdout=subprocess.PIPE
  )
  deaf.stdout.readline()
  child.end([deaf])

  assert deaf.returncode == -signal.SIGKILL
  deaf.stdout.close()
