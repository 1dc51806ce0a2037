"""Cores: how many a process may use, and that runs side by side take different ones."""

import os
import subprocess
import sys

import pytest

from latent_hrl import errors
from latent_hrl import threads

CLAIM = """
import os, pathlib, sys
from latent_hrl import errors, threads
try:
  mine = threads.claim(1, pathlib.Path(sys.argv[1]))
  assert os.sched_getaffinity(0) == set(mine)
  print(mine, flush=True)
except errors.ConfigError as error:
  print(error, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
  ('quota', 'cores'),
  [('100000 100000', 1), ('150000 100000', 2), ('1000 100000', 1), ('max 100000', 64)],
)
def test_a_container_quota_counts(tmp_path, monkeypatch, quota, cores):
  monkeypatch.setattr(os, 'sched_getaffinity', lambda _: set(range(64)))
  (tmp_path / 'cpu.max').write_text(f'{quota}\n')

  assert threads.available_cores(tmp_path / 'cpu.max') == cores


def test_affinity_counts(tmp_path, monkeypatch):
  monkeypatch.setattr(os, 'sched_getaffinity', lambda _: {3, 7})
  assert threads.available_cores(tmp_path / 'missing') == 2


def test_the_choice_reads_well():
  one, two = threads.Threads(1, 1, (0,)), threads.Threads(2, 2)
  assert str(one) == '1 core (0): 1 compute thread, collection in turn with learning'
  assert str(two) == '2 cores: 2 compute threads, collection beside learning'


def test_a_run_computes_on_the_core_it_claimed(tmp_path):
  code = (
    'from latent_hrl import threads\n'
    'print(threads.configure(1))\n'
    'import tensorflow as tf\n'
    'print(tf.config.threading.get_intra_op_parallelism_threads())'
  )
  finished = subprocess.run(
    [sys.executable, '-c', code],
    env={**os.environ, 'TMPDIR': str(tmp_path)},
    capture_output=True,
    text=True,
    check=True,
  )
  first = min(os.sched_getaffinity(0))
  assert finished.stdout.splitlines() == [str(threads.Threads(1, 1, (first,))), '1']


def _start(directory):
  process = subprocess.Popen(
    [sys.executable, '-c', CLAIM, str(directory)],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
  )
  return process, process.stdout.readline().strip()


def test_runs_side_by_side_take_different_cores_until_none_is_left(tmp_path):
  allowed = sorted(os.sched_getaffinity(0))
  started = [_start(tmp_path) for _ in range(len(allowed) + 1)]
  try:
    assert [line for _, line in started[:-1]] == [f'({core},)' for core in allowed]
    assert 'other runs hold all but 0 of' in started[-1][1]
    assert threads.free_cores(tmp_path) == 0
    # However a run ends, its claim ends with it.
    started[0][0].kill()
    started[0][0].wait()
    assert threads.free_cores(tmp_path) == 1
    started.append(_start(tmp_path))
    assert started[-1][1] == f'({allowed[0]},)'
  finally:
    for process, _ in started:
      process.kill()
      process.communicate()


@pytest.mark.parametrize('cores', [0, -1, 4097])
def test_an_impossible_number_of_cores_is_refused(tmp_path, cores):
  with pytest.raises(errors.ConfigError, match='--cores must be from 1 to the'):
    threads.claim(cores, tmp_path)
