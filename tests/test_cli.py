"""What a launcher says and returns when it does not run through."""

import pickle
import signal
import tempfile

import pytest
import tensorflow as tf

from latent_hrl import cli
from latent_hrl import errors


@pytest.mark.parametrize(
  ('error', 'code', 'said'),
  [
    # gin adds lines to what passes through a configurable.
    (errors.StoppedError(signal.SIGTERM, 'stopped\n  In call to'), 143, 'stopped\n'),
    (errors.StoppedError(signal.SIGINT, 'stopped'), 130, 'stopped\n'),
    (errors.ConfigError('a mistake\n  In call to'), 2, 'error: a mistake\n'),
    (FileNotFoundError(2, 'No such file', 'x.json'), 2, 'error: x.json: No such file\n'),
    (OSError('no device\n  In call to'), 2, 'error: no device\n'),
    (KeyboardInterrupt(), 130, 'stopped at once\n'),
  ],
)
def test_what_ends_a_launcher_is_one_line_and_a_code(error, code, said, capsys):
  def main():
    raise error

  assert cli._guarded(main, tensorflow=False) == code
  err = capsys.readouterr().err
  assert err.startswith(said) and err.count('\n') == 1


def test_what_can_go_on_says_so(capsys):
  def main():
    raise KeyboardInterrupt

  assert cli._guarded(main, tensorflow=False, resumes=True) == 130
  assert 'at once; the same command goes on from the last ' in capsys.readouterr().err


@pytest.mark.parametrize(
  'error',
  [errors.LayerLoadError('some/layer', 'no file'), errors.StoppedError(15, 'stopped')],
)
def test_an_error_passes_between_processes(error):
  passed = pickle.loads(pickle.dumps(error))
  assert (type(passed), str(passed)) == (type(error), str(error))
  assert getattr(passed, 'signal', None) == getattr(error, 'signal', None)


def _fail(error):
  def main():
    raise error

  return main


@pytest.mark.parametrize(
  ('error', 'code'),
  [
    (RuntimeError('a bug\nmore of it'), cli.UNEXPECTED),
    (KeyError('a bug'), cli.UNEXPECTED),
    (MemoryError('a bug: 9 GiB'), cli.BAD_INPUT),
    (tf.errors.InvalidArgumentError(None, None, 'a bug\nof shapes'), cli.BAD_INPUT),
  ],
)
def test_what_nobody_expected_is_one_line_and_its_traceback_a_file(
  error, code, capsys, tmp_path, monkeypatch
):
  monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))

  assert cli._guarded(_fail(error), tensorflow=False) == code
  (line,) = capsys.readouterr().err.splitlines()
  (kept,) = tmp_path.iterdir()
  assert line.startswith(f'error: {type(error).__name__}: ')
  assert 'a bug' in line and str(kept) in line
  assert 'in main\n    raise error' in kept.read_text()


def test_debug_shows_the_traceback_of_what_nobody_expected():
  with pytest.raises(RuntimeError, match='a bug'):
    cli._guarded(_fail(RuntimeError('a bug')), tensorflow=False, debug=True)
