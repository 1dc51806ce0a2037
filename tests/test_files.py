"""Tests of files and directories that appear whole or not at all."""

import contextlib
import os
import subprocess
import sys
import threading
import types

import pytest

from latent_hrl import errors
from latent_hrl import files


def _fill(directory, text):
  (directory / 'a.txt').write_text(text, encoding='utf-8')


def test_text_is_written_with_its_parents_and_readable_by_all(tmp_path):
  path = tmp_path / 'a' / 'b' / 'notes.txt'
  files.write_text(path, 'grün\n')
  assert path.read_text(encoding='utf-8') == 'grün\n'
  assert path.stat().st_mode & 0o777 == 0o644


def test_text_replaces_what_was_there_and_leaves_nothing_beside(tmp_path):
  path = tmp_path / 'notes.txt'
  files.write_text(path, 'old')
  files.write_text(path, 'new')
  assert path.read_text(encoding='utf-8') == 'new'
  assert os.listdir(tmp_path) == ['notes.txt']


def test_failing_write_keeps_the_old_text_and_leaves_nothing_beside(tmp_path):
  path = tmp_path / 'notes.txt'
  files.write_text(path, 'old')
  with pytest.raises(UnicodeEncodeError):
    files.write_text(path, 'new \ud800')
  assert path.read_text(encoding='utf-8') == 'old'
  assert os.listdir(tmp_path) == ['notes.txt']


def test_directory_appears_when_its_body_is_done(tmp_path):
  path = tmp_path / 'deep' / 'layer'
  with files.replacing_directory(path) as directory:
    _fill(directory, 'new')
    assert not path.exists()
    assert directory.parent == path.parent  # A rename needs the same file system.
  assert (path / 'a.txt').read_text(encoding='utf-8') == 'new'
  assert path.stat().st_mode & 0o777 == 0o755
  assert os.listdir(path.parent) == ['layer']


@pytest.mark.parametrize('exchange', [True, False])
def test_directory_replaces_the_old_one_as_a_whole(tmp_path, monkeypatch, exchange):
  if not exchange:  # A platform that cannot swap two names.
    monkeypatch.setattr(files.ctypes, 'CDLL', lambda _: types.SimpleNamespace())
  path = tmp_path / 'layer'
  path.mkdir()
  _fill(path, 'old')
  (path / 'only_old.txt').touch()
  with files.replacing_directory(path) as directory:
    _fill(directory, 'new')
    assert (path / 'a.txt').read_text(encoding='utf-8') == 'old'
  assert os.listdir(path) == ['a.txt']
  assert (path / 'a.txt').read_text(encoding='utf-8') == 'new'
  assert os.listdir(tmp_path) == ['layer']


@pytest.mark.parametrize('error', [RuntimeError, KeyboardInterrupt])
def test_failing_body_keeps_the_old_directory_and_leaves_nothing_beside(tmp_path, error):
  path = tmp_path / 'layer'
  path.mkdir()
  _fill(path, 'old')
  with pytest.raises(error), files.replacing_directory(path) as directory:
    _fill(directory, 'new')
    raise error
  assert (path / 'a.txt').read_text(encoding='utf-8') == 'old'
  assert os.listdir(tmp_path) == ['layer']


def test_failing_body_without_an_old_directory_leaves_none(tmp_path):
  with pytest.raises(RuntimeError), files.replacing_directory(tmp_path / 'layer'):
    raise RuntimeError
  assert os.listdir(tmp_path) == []


def test_a_directory_belongs_to_one_process(tmp_path):
  child = (
    'import pathlib, sys\n'
    'from latent_hrl import errors, files\n'
    'try:\n'
    '  with files.lock(pathlib.Path(sys.argv[1])): print("mine")\n'
    'except errors.ConfigError as error: print(error)\n'
  )

  def other_process():
    command = [sys.executable, '-c', child, str(tmp_path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout

  with files.lock(tmp_path):
    assert f'is in use by process {os.getpid()}; wait for it' in other_process()
  assert other_process() == 'mine\n'


def test_who_is_patient_gets_the_directory_when_it_is_free(tmp_path):
  other = contextlib.ExitStack()
  other.enter_context(files.lock(tmp_path))
  with pytest.raises(errors.ConfigError, match='is in use'), files.lock(tmp_path, 0.1):
    pass
  threading.Timer(0.2, other.close).start()

  with files.lock(tmp_path, patience=5.0) as file:
    assert file.fileno()


# Half a file and half a directory, as a kill leaves them.
_KILLED = """
import os, pathlib, sys
from latent_hrl import files
path = pathlib.Path(sys.argv[1])
files.sync = lambda _: os._exit(1)
if sys.argv[2] == 'file':
  files.write_text(path / 'metrics.jsonl', 'half')
with files.replacing_directory(path / 'base') as directory:
  (directory / 'a.txt').write_text('half')
"""


def test_sweeping_removes_what_was_half_written_and_nothing_of_others(tmp_path):
  (tmp_path / '.git').mkdir()
  _fill(tmp_path / '.git', 'theirs')
  (tmp_path / '.env').write_text('theirs', encoding='utf-8')
  _fill(tmp_path, 'whole')
  before = sorted(os.listdir(tmp_path))
  for kind in ('file', 'directory'):
    subprocess.run([sys.executable, '-c', _KILLED, str(tmp_path), kind], check=False)
  assert len(os.listdir(tmp_path)) == len(before) + 2

  with files.lock(tmp_path):
    files.sweep(tmp_path)

  assert sorted(os.listdir(tmp_path)) == sorted([*before, '.lock'])
  assert (tmp_path / '.git' / 'a.txt').read_text(encoding='utf-8') == 'theirs'


def test_what_can_be_written_passes_the_check_and_leaves_nothing(tmp_path):
  files.check_output(tmp_path / 'new' / 'deeper' / 'a.json')
  assert not list(tmp_path.iterdir())


def test_an_output_below_a_file_or_a_locked_directory_is_refused(tmp_path, monkeypatch):
  (tmp_path / 'a.txt').touch()
  with pytest.raises(errors.ConfigError, match='a.txt is no directory'):
    files.check_output(tmp_path / 'a.txt' / 'b.json')
  with pytest.raises(errors.ConfigError, match='it is a directory'):
    files.check_output(tmp_path)
  monkeypatch.setattr(os, 'access', lambda *_: False)  # root may write everywhere.
  with pytest.raises(errors.ConfigError, match='no permission to write'):
    files.check_output(tmp_path / 'new' / 'b.json')
