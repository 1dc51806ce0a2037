"""Workers that take turns: real processes, one of them broken."""

import pytest

from benchmarks import process

COUNTER = """
import sys
sys.path.insert(0, '.')
from benchmarks.workers import protocol
values = iter(range(10))
print('noise on the standard output')
protocol.serve(lambda: {factor} * next(values), colour='{factor}')
"""


def _system(key, code):
  return process.System(key, f'system {key}', ('-c', code))


def test_systems_take_turns_and_tell_of_themselves():
  systems = [_system(str(f), COUNTER.replace('{factor}', str(f))) for f in (1, 10)]
  results = process.interleave(systems, repeats=3)

  assert results['1']['values'] == [0, 1, 2]
  assert results['10']['values'] == [0, 10, 20]
  assert results['10']['label'] == 'system 10'
  assert results['10']['colour'] == '10'
  assert results['1']['peak_mib'] > 1


def test_a_broken_worker_is_named_with_its_last_words():
  broken = _system('b', 'raise SystemExit("no such library")')

  with pytest.raises(process.WorkerError, match='system b: exit code 1, no such library'):
    process.interleave([broken], repeats=1)
