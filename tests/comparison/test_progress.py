"""The view of all runs, as lines and on a terminal."""

import io
import json

from latent_hrl.comparison import progress
from tests.comparison import fake_compare


def test_progress_does_not_mind_a_line_that_is_being_written(tmp_path):
  (run, *_) = fake_compare.comparison().runs(tmp_path)
  run.directory.mkdir(parents=True)
  row = {'layer': 'base', 'env_steps': 100, 'return_mean': 7.0}
  run.metrics.write_text(json.dumps(row) + '\n{"layer": "ba')
  stream = io.StringIO()
  view = progress.View([run], finished=2, stream=stream)
  view.started(run)
  view.draw([run])
  view.ended(run, 'broken')

  assert stream.getvalue().splitlines() == [
    'flat on Toy-v0, seed 0: started from step 100',
    'flat on Toy-v0, seed 0: failed, broken',
  ]


def test_a_terminal_shows_live_lines(tmp_path):
  class Terminal(io.StringIO):
    def isatty(self):
      return True

  (run, *_) = fake_compare.comparison().runs(tmp_path)
  run.directory.mkdir(parents=True)
  stream = Terminal()
  view = progress.View([run], finished=2, stream=stream)
  row = {'layer': 'base', 'env_steps': 100, 'return_mean': 7.0}
  run.metrics.write_text(json.dumps(row) + '\n')
  view.draw([run])

  bar, summary = stream.getvalue().splitlines()
  assert bar == '█████░░░░░░░░░░░░░░░  25%  flat on Toy-v0, seed 0, return 7.0'
  assert summary.startswith('2 of 3 runs finished, 0 waiting, about 00:00 left')
  view.ended(run, None)
  assert '\x1b[2F\x1b[J' in stream.getvalue()
