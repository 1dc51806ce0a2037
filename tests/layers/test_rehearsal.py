"""Tests of loading layers of unknown authors: first in a process that may fail."""

import pathlib
import shutil

import pytest

from latent_hrl import config
from latent_hrl import errors
from latent_hrl.layers import load
from latent_hrl.layers import rehearsal


def test_an_intact_layer_survives_its_rehearsal(tmp_path):
  committed = config.PROJECT_ROOT / 'testdata' / 'multi_goal_base'
  path = shutil.copytree(committed, tmp_path / 'a layer [1]')
  assert load.load_layer(path, untrusted=True).manifest.name == 'base'


@pytest.mark.parametrize(
  ('body', 'reason'),
  [
    ('while True: pass', 'its rehearsal took more than 2 s'),
    ('import os; os.kill(os.getpid(), 11)', 'its rehearsal ended by SIGSEGV'),
    ('_limit(); held = bytearray(13 * 2**30)', 'its rehearsal ended with exit code 1'),
    ('print("too bad"); sys.exit(_REFUSED)', 'too bad'),
  ],
)
def test_what_does_not_survive_its_rehearsal_is_refused(
  saved_base, tmp_path, monkeypatch, body, reason
):
  """Bodies in the place of the loading: no layer that passes the checks does that."""
  code = pathlib.Path(rehearsal.__file__).read_text(encoding='utf-8')
  code = code.split("if __name__ == '")[0]
  (tmp_path / 'broken_rehearsal.py').write_text(f'{code}\n{body}\n', encoding='utf-8')
  monkeypatch.setenv('PYTHONPATH', str(tmp_path))
  monkeypatch.setattr(rehearsal, '__name__', 'broken_rehearsal')
  if body.startswith('while'):
    monkeypatch.setattr(rehearsal, '_TIMEOUT', 2)
  with pytest.raises(errors.LayerLoadError) as error:
    load.load_layer(saved_base.path, untrusted=True)
  assert error.value.reason == f'untrusted: {reason}'
