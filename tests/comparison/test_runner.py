"""The runner with fake trainers: side by side, failures, interruption, kill and restart."""

import io
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from latent_hrl import config
from latent_hrl import files
from latent_hrl import threads
from latent_hrl.comparison import compare
from latent_hrl.comparison import figures
from latent_hrl.comparison import plan
from latent_hrl.comparison import progress
from latent_hrl.comparison import runner
from tests.comparison import fake_compare

SLOW = 'pause = 0.05'


@pytest.fixture(autouse=True)
def _fake(monkeypatch):
  monkeypatch.setattr(plan.Run, 'command', fake_compare.command)
  monkeypatch.setattr(figures, 'learning_curves', fake_compare.draw_nothing)


def _run_all(runs, root_dir, jobs=2, stream=None):
  with files.lock(root_dir) as lock:
    view = progress.View(runs, finished=0, stream=stream or io.StringIO())
    return runner.run_all(runs, jobs, 1, lock, view, poll_s=0.02)


def _starts(run):
  return (run.directory / 'starts.txt').read_text().count('start')


def test_all_runs_end_and_tell_so(tmp_path):
  runs = fake_compare.comparison(seeds=2).runs(tmp_path)
  stream = io.StringIO()

  assert _run_all(runs, tmp_path, stream=stream) == []
  assert all(run.finished() for run in runs)
  told = stream.getvalue()
  assert 'flat on Toy-v0, seed 1: finished, return 800.0' in told
  assert all(f'{run}: started' in told for run in runs)


def test_a_failure_is_told_with_the_last_line_of_its_log_and_stops_no_other(tmp_path):
  runs = fake_compare.comparison('broken_seed = 1').runs(tmp_path)
  (failure,) = _run_all(runs, tmp_path)

  assert str(failure.run) == 'flat on Toy-v0, seed 1'
  assert failure.reason == 'exit code 1: error: the ground gave way'
  assert [run.finished() for run in runs].count(True) == 5


def test_a_run_that_ends_early_without_a_word_is_a_failure(tmp_path, monkeypatch):
  monkeypatch.setattr(plan.Run, 'command', fake_compare.commands(''))
  runs = fake_compare.comparison(seeds=1).runs(tmp_path)
  failures = _run_all(runs, tmp_path)

  assert len(failures) == 2
  assert 'metrics.jsonl cannot be read' in failures[0].reason


def test_a_killed_run_is_named_by_its_signal(tmp_path, monkeypatch):
  code = 'import os; os.kill(os.getpid(), 9)'
  monkeypatch.setattr(plan.Run, 'command', fake_compare.commands(code))
  (failure, _) = _run_all(fake_compare.comparison(seeds=1).runs(tmp_path), tmp_path)

  assert failure.reason == 'SIGKILL: it said nothing'


def test_no_more_than_jobs_run_at_a_time(tmp_path, monkeypatch):
  counts = []
  draw = progress.View.draw

  def count(view, running):
    counts.append(len(running))
    draw(view, running)

  monkeypatch.setattr(progress.View, 'draw', count)
  _run_all(fake_compare.comparison(SLOW).runs(tmp_path), tmp_path, jobs=2)

  assert max(counts) == 2


def _launch(root_dir, *bindings):
  return subprocess.Popen(
    [sys.executable, '-m', 'tests.comparison.fake_compare', str(root_dir), *bindings],
    cwd=config.PROJECT_ROOT,
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
  )


def _wait_until(condition, seconds=60.0):
  deadline = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < deadline
    time.sleep(0.02)


def _children(root_dir):
  """Processes that were started with a flag that names this directory."""
  found = []
  for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
    try:
      arguments = path.read_bytes().split(b'\0')
    except OSError:
      continue
    if any(
      argument.startswith(f'--root_dir={root_dir}'.encode()) for argument in arguments
    ):
      found.append(int(path.parent.name))
  return found


def _table(root_dir):
  """The report up to the commands, which name the directory."""
  return (root_dir / 'report.md').read_text().split('## Training time')[0]


def _middle(root_dir):
  rows = [p.read_text().count('\n') for p in root_dir.glob('runs/*/*/*/metrics.jsonl')]
  return len(rows) >= 2 and sum(rows) >= 8


@pytest.mark.parametrize(
  ('number', 'exit_code'), [(signal.SIGKILL, -9), (signal.SIGTERM, 130)]
)
def test_killed_and_started_again_it_ends_with_the_same_table(
  tmp_path, monkeypatch, number, exit_code
):
  monkeypatch.setattr(runner, 'check', lambda runs: [])
  monkeypatch.setattr(threads, 'free_cores', lambda: 2)
  comparison = fake_compare.comparison(SLOW)
  killed, uninterrupted = tmp_path / 'killed', tmp_path / 'uninterrupted'
  launcher = _launch(killed, SLOW)
  _wait_until(lambda: _middle(killed))
  assert _children(killed)
  os.kill(launcher.pid, number)

  output, _ = launcher.communicate(timeout=60)
  assert launcher.returncode == exit_code
  assert 'Traceback' not in output
  _wait_until(lambda: not _children(killed), seconds=10)

  runs = comparison.runs(killed)
  finished = [run for run in runs if run.finished()]
  assert len(finished) < len(runs)
  for root_dir in (killed, uninterrupted):
    compare.compare(comparison, root_dir, jobs=2, cores=1, command='compare')
  assert _table(killed) == _table(uninterrupted)
  assert all(_starts(run) == 1 for run in finished)  # Finished runs are not repeated.
  assert max(map(_starts, runs)) == 2


def test_a_failed_run_is_tried_again_and_the_rest_is_not(tmp_path):
  runs = fake_compare.comparison('broken_seed = 1').runs(tmp_path)
  for _ in range(2):
    _run_all([run for run in runs if not run.finished()], tmp_path)

  assert [_starts(run) for run in runs] == [1, 1, 2, 1, 1, 1]
