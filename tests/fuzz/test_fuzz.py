"""The first cases of the fuzzer; `python -m tests.fuzz.run` goes on from there."""

import pytest

from tests.fuzz import targets

CASES = 20


@pytest.mark.parametrize('name', targets.TARGETS)
def test_the_first_cases_hold(name, saved_base, tmp_path):
  for case in range(CASES):
    targets.run_case(name, 0, case, saved_base.path, tmp_path / 'case')
