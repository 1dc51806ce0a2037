"""Long work is heard of, where there is no terminal too."""

from latent_hrl.evaluation import progress


def test_items_pass_and_each_minute_has_a_line(monkeypatch, capsys):
  monkeypatch.setattr(progress, 'INTERVAL', 0.0)
  assert list(progress.over('abc', 'film.mp4', 'frame')) == ['a', 'b', 'c']
  lines = capsys.readouterr().err.splitlines()
  assert lines == [f'film.mp4: frame {index} of 3' for index in range(3)]


def test_the_first_minute_is_silent(capsys):
  assert list(progress.over('abc', 'film.mp4', 'frame')) == ['a', 'b', 'c']
  assert not capsys.readouterr().err
