"""Tests of reading the files of a layer: whole, from odd places, and with help."""

import contextlib
import os
import pathlib
import shutil
import threading

import pytest

from latent_hrl import errors
from latent_hrl import files
from latent_hrl.layers import contents
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib


def _refusal(path) -> str:
  with pytest.raises(errors.LayerLoadError) as error:
    load.check(path)
  return error.value.reason


@pytest.fixture(name='copy')
def _copy(saved_base, tmp_path):
  return shutil.copytree(saved_base.path, tmp_path / 'copy')


@contextlib.contextmanager
def _replaced_on_and_on(path: pathlib.Path, sources: list[pathlib.Path]):
  """Lets a thread put one layer after the other in one place, as training does."""
  done, often = threading.Event(), 0

  def replace():
    nonlocal often
    while not done.is_set():
      with files.replacing_directory(path) as directory:
        shutil.copytree(sources[often % len(sources)], directory, dirs_exist_ok=True)
      often += 1

  thread = threading.Thread(target=replace)
  thread.start()
  try:
    yield
  finally:
    done.set()
    thread.join()
  assert often > 3


def test_a_layer_that_is_replaced_meanwhile_is_one_or_the_other(
  saved_stack, tmp_path, monkeypatch
):
  monkeypatch.setattr(files, 'sync', lambda path: None)
  layers = [saved_stack.base, saved_stack.middle]
  digests = {layer.saved.manifest.name: layer.saved.digest for layer in layers}
  path = shutil.copytree(layers[0].path, tmp_path / 'layer')
  seen = set()
  with _replaced_on_and_on(path, [layer.path for layer in layers]):
    for _ in range(100):
      found = contents.read(path)
      manifest = manifest_lib.parse(path, found.files[manifest_lib.PATH])
      contents.check(path, found, manifest)
      assert found.digest == digests[manifest.name]
      seen.add(manifest.name)
    layer = load.load_layer(path)
  assert seen == {'base', 'middle'}
  # What TensorFlow made of it has the weights of the layer below where there is one.
  assert layer.digest == digests[layer.manifest.name]
  assert hasattr(layer.module, '_lower') == (layer.manifest.name == 'middle')


def test_what_is_written_after_the_reading_is_not_loaded(copy, monkeypatch, saved_base):
  """The check and TensorFlow see the same bytes."""
  read = contents.read

  def read_and_spoil(path):
    found = read(path)
    for file in [file for file in copy.rglob('*') if file.is_file()]:
      file.write_bytes(b'spoilt')
    return found

  monkeypatch.setattr(contents, 'read', read_and_spoil)
  assert load.load_layer(copy).digest == saved_base.saved.digest


@pytest.mark.parametrize('name', ['lr=[0.1,0.2]', 'a*b?', 'sp ace/ünï'])
def test_a_path_may_hold_what_tensorflow_takes_for_a_pattern(saved_base, tmp_path, name):
  path = tmp_path / name / 'layer'
  with files.replacing_directory(path) as directory:
    shutil.copytree(saved_base.path, directory, dirs_exist_ok=True)
  assert load.load_layer(path).digest == saved_base.saved.digest


def test_the_home_directory_may_be_a_tilde(copy, monkeypatch):
  monkeypatch.setenv('HOME', str(copy.parent))
  assert load.check('~/copy').name == 'base'


def test_a_directory_of_layers_names_them(copy, tmp_path):
  served, run = tmp_path / 'served', tmp_path / 'run'
  served.mkdir()
  copy.rename(served / '1')
  assert _refusal(served) == (
    f'it is no saved layer: no assets/layer.json; name a layer in it: {served / "1"}'
  )
  for name in ('base', 'maze'):
    shutil.copytree(served / '1', run / 'layers' / name)
  layers = run / 'layers'
  assert _refusal(run).endswith(f'name a layer in it: {layers / "base"}, {layers / "maze"}')
  assert _refusal(layers / 'bsae') == "there is no such directory; did you mean 'base'?"
  assert _refusal(tmp_path / 'none') == 'there is no such directory'
  assert _refusal(served / '1' / manifest_lib.PATH) == 'there is no such directory'


@pytest.mark.parametrize(
  'name', ['.DS_Store', 'variables/.nfs0001', 'assets/._layer.json', 'Thumbs.db']
)
def test_what_a_system_left_there_may_be_removed(copy, name):
  (copy / name).touch()
  assert _refusal(copy) == (
    f'{name} is not listed in assets/layer.json; it is no part of the layer: remove it'
  )


@pytest.mark.parametrize('target', ['/dev/zero', '/dev/stdin', '/proc/kmsg'])
@pytest.mark.parametrize('name', [manifest_lib.PATH, contents.GRAPH])
def test_a_link_to_what_has_no_end_is_not_opened(copy, name, target):
  (copy / name).unlink()
  (copy / name).symlink_to(target)
  assert _refusal(copy) == f'{name} is a link'


@pytest.mark.parametrize('name', [manifest_lib.PATH, contents.GRAPH])
def test_nobody_waits_for_the_other_end_of_a_pipe(copy, name):
  (copy / name).unlink()
  os.mkfifo(copy / name)
  assert _refusal(copy) == f'{name} is no regular file'


def test_a_file_that_becomes_a_link_is_not_followed(copy, tmp_path, monkeypatch):
  looked_at = os.stat

  def stat_and_swap(path, **kwargs):
    status = looked_at(path, **kwargs)
    if path == contents.GRAPH:
      (copy / path).rename(tmp_path / 'aside')
      (copy / path).symlink_to(tmp_path / 'aside')
    return status

  monkeypatch.setattr(contents.os, 'stat', stat_and_swap)
  assert 'a file is unreadable' in _refusal(copy)


def test_a_layer_too_large_for_one_is_not_read(copy):
  os.truncate(copy / contents.GRAPH, 2**40)
  assert _refusal(copy) == 'saved_model.pb is too large for a layer'
