"""A whole comparison with fake trainers: what is told, and what is left behind."""

import functools

import pytest

from latent_hrl import errors
from latent_hrl import threads
from latent_hrl.comparison import compare
from latent_hrl.comparison import figures
from latent_hrl.comparison import plan
from latent_hrl.comparison import runner
from tests.comparison import fake_compare


@pytest.fixture(autouse=True)
def _fake(monkeypatch):
  monkeypatch.setattr(plan.Run, 'command', fake_compare.command)
  monkeypatch.setattr(runner, 'check', lambda runs: [])
  monkeypatch.setattr(threads, 'free_cores', lambda: 2)
  monkeypatch.setattr(figures, 'learning_curves', fake_compare.draw_nothing)
  quick = functools.partial(runner.run_all, poll_s=0.02)
  monkeypatch.setattr(runner, 'run_all', quick)


def _compare(root_dir, comparison):
  compare.compare(comparison, root_dir, jobs=2, cores=1, command='compare')


def _starts(root_dir):
  return sum(path.read_text().count('start') for path in root_dir.rglob('starts.txt'))


def test_a_second_call_starts_nothing_and_writes_the_same_report(tmp_path, capsys):
  comparison = fake_compare.comparison(seeds=2)
  _compare(tmp_path, comparison)
  first = (tmp_path / 'report.html').read_bytes()
  assert 'flat    600 [400, 800] (n = 2)' in capsys.readouterr().out
  assert _starts(tmp_path) == 4

  _compare(tmp_path, comparison)
  assert (tmp_path / 'report.html').read_bytes() == first
  assert _starts(tmp_path) == 4
  assert 'checking' not in capsys.readouterr().out


def test_cores_that_others_have_are_told_before_anything_starts(tmp_path, monkeypatch):
  monkeypatch.setattr(threads, 'free_cores', lambda: 1)
  with pytest.raises(errors.ConfigError, match='claimed all but 1; wait for them, or take'):
    _compare(tmp_path / 'compare', fake_compare.comparison(seeds=1))
  assert not (tmp_path / 'compare').exists()


def test_more_seeds_add_to_what_is_there(tmp_path):
  _compare(tmp_path, fake_compare.comparison(seeds=1))
  _compare(tmp_path, fake_compare.comparison(seeds=2))

  assert _starts(tmp_path) == 4


def test_what_is_missing_is_reported_and_told_at_the_end(tmp_path, monkeypatch):
  def check(runs):
    return [runner.Failure(run, 'no such task') for run in runs if run.task == 'No-v0']

  monkeypatch.setattr(runner, 'check', check)
  comparison = fake_compare.comparison(
    'broken_seed = 0', seeds=1, tasks=['Toy-v0', 'No-v0'], references=['none.json']
  )
  with pytest.raises(errors.LatentHrlError, match='4 of 5 runs and files are missing'):
    _compare(tmp_path, comparison)

  text = (tmp_path / 'report.md').read_text()
  assert '| flat on No-v0, seed 0 | no such task |  |' in text
  assert 'exit code 1: error: the ground gave way | runs/flat/Toy-v0/seed_0/log.txt' in text
  assert '| a file | none.json cannot be read: No such file or directory |  |' in text
  assert '| deep | 1,200 (n = 1) |' in text


def test_where_nothing_can_start_nothing_is_created(tmp_path, monkeypatch):
  monkeypatch.setattr(
    runner, 'check', lambda runs: [runner.Failure(run, 'no such task') for run in runs]
  )
  with pytest.raises(errors.ConfigError, match='no run can start; .*: no such task'):
    _compare(tmp_path / 'new', fake_compare.comparison())

  assert not (tmp_path / 'new').exists()


def test_runs_with_other_settings_are_neither_used_nor_overwritten(tmp_path):
  _compare(tmp_path, fake_compare.comparison(seeds=1))
  with pytest.raises(
    errors.LatentHrlError, match='1 of 2 runs .*flat on Toy-v0.*other settings'
  ):
    _compare(tmp_path, fake_compare.comparison('more = 1', seeds=1))

  text = (tmp_path / 'report.md').read_text()
  assert '| flat | 400' not in text and '| deep | 1,200 (n = 1) |' in text
  assert _starts(tmp_path) == 2
