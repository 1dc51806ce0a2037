"""The launchers as console commands, which find them wherever they lie."""

import os
import subprocess
import sys

from latent_hrl import config
from latent_hrl import console
from latent_hrl import resources


def test_a_command_is_its_launcher_from_anywhere(tmp_path):
  finished = subprocess.run(
    [sys.executable, '-m', 'latent_hrl.console', 'train', '--help'],
    cwd=tmp_path,
    env={**os.environ, 'PYTHONPATH': str(config.PROJECT_ROOT)},
    capture_output=True,
    text=True,
    check=False,
  )
  assert '--gin_file:' in finished.stdout and '--cores:' in finished.stdout
  assert 'python -m launchers.train' in finished.stdout


def test_every_launcher_has_its_command():
  launchers = {path.stem for path in (resources.ROOT / 'launchers').glob('[!_]*.py')}
  assert {name.rstrip('_') for name in vars(console)} >= launchers


def test_where_they_are_installed_texts_tell_the_commands(monkeypatch):
  text = 'run python -m launchers.convert_sb3 --output=x, then python -m launchers.eval'
  assert console.adapted(text) == text
  monkeypatch.setattr(console, '_INSTALLED', True)
  assert (
    console.adapted(text) == 'run latent-hrl-convert-sb3 --output=x, then latent-hrl-eval'
  )
