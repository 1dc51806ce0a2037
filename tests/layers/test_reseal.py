"""Tests of giving a layer of format 1 a sum of its manifest."""

import shutil

import pytest

from latent_hrl import config
from latent_hrl import errors
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import reseal
from tests import helpers


def test_a_layer_of_format_1_is_sealed_once(tmp_path, capsys):
  path = shutil.copytree(
    config.PROJECT_ROOT / 'testdata' / 'multi_goal_base', tmp_path / 'lr=[0.1]'
  )
  old = load.load_layer(path)
  assert capsys.readouterr().err == (
    f'note: {path} is of format 1, without a sum of its manifest: damage of that goes '
    f"unseen; python -m launchers.reseal --layer='{path}' adds one\n"
  )
  before = helpers.file_bytes(path)

  assert reseal.reseal(path) == (old.digest, load.load_layer(path).digest)

  assert capsys.readouterr().err == ''
  after = helpers.file_bytes(path)
  changed = {name for name in before.keys() | after.keys() if before[name] != after[name]}
  assert changed == {manifest_lib.PATH}
  sealed = load.check(path)
  assert sealed.format_version == 2 and sealed.layers == old.manifest.layers
  content = (path / manifest_lib.PATH).read_bytes()
  (path / manifest_lib.PATH).write_bytes(content.replace(b'"seed": 0', b'"seed": 1'))
  with pytest.raises(errors.LayerLoadError, match='its own SHA-256 does not match'):
    load.check(path)
  (path / manifest_lib.PATH).write_bytes(content)
  with pytest.raises(errors.LayerLoadError, match='format 2 has a sum of its manifest'):
    reseal.reseal(path)
