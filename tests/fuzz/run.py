"""Fuzzes what reads a user's files, for as long as one likes.

  python -m tests.fuzz.run --seconds=600 --seed=1

The targets take turns. The first case that breaks a promise ends the run with its
traceback, and with the flags that repeat it.
"""

import argparse
import itertools
import os
import pathlib
import sys
import tempfile
import time
import traceback

os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import latent_hrl  # noqa: E402, F401  selects Keras 2 before TensorFlow loads
from tests import helpers  # noqa: E402  after the choice of devices
from tests.fuzz import targets  # noqa: E402


def main() -> int:
  """Runs the targets; returns the exit code."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--seconds', type=float, default=60.0, help='how long')
  parser.add_argument('--seed', type=int, default=0, help='other seeds, other cases')
  parser.add_argument('--target', choices=targets.TARGETS, help='this one alone')
  parser.add_argument('--case', type=int, default=0, help='number of the first case')
  arguments = parser.parse_args()
  names = [arguments.target] if arguments.target else list(targets.TARGETS)

  with tempfile.TemporaryDirectory() as temporary:
    root = pathlib.Path(temporary)
    fields = [helpers.BODY]
    layer = helpers.save_layer(root / 'layer', 'base', fields, fields, seed=1).path
    end = time.monotonic() + arguments.seconds
    for case in itertools.count(arguments.case):
      for name in names:
        try:
          targets.run_case(name, arguments.seed, case, layer, root / 'case')
        except Exception:
          traceback.print_exc()
          print(f'repeat with --target={name} --seed={arguments.seed} --case={case}')
          return 1
      if time.monotonic() > end:
        done = case + 1 - arguments.case
        print(f'{done:,} cases each of {", ".join(names)}: every promise held')
        return 0
  return 0


if __name__ == '__main__':
  sys.exit(main())
