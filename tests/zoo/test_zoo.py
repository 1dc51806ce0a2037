"""The zoo: layers by name, verified before use, and a way in for others."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from absl import flags
from absl.testing import flagsaver

import latent_hrl
from latent_hrl import cli
from latent_hrl import config
from latent_hrl import environments
from latent_hrl import errors
from latent_hrl.environments import tasks
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import rehearsal
from latent_hrl.training import train_stack
from latent_hrl.zoo import adding
from latent_hrl.zoo import card
from latent_hrl.zoo import entry as entry_lib
from latent_hrl.zoo import index
from latent_hrl.zoo import listing
from launchers import zoo as launcher
from tests import helpers

TOLD = adding.Told('toy/base', 'Moves about.', command='train it', limits=('Untrained.',))


@pytest.fixture(name='layer', scope='module')
def _layer(tmp_path_factory):
  task = tasks.make_task(environments.MULTI_GOAL)
  root = tmp_path_factory.mktemp('run')
  layer = helpers.save_task_layer(root / 'layers' / 'base', task)
  row = {'layer': 'base', 'env_steps': 0, 'return_mean': 1.0, 'return_std': 0.5}
  row |= {'layer_return_mean': 1.0, 'layer_return_std': 0.5}
  (root / 'metrics.jsonl').write_text(json.dumps(row) + '\n')
  return layer


@pytest.fixture(name='added', scope='module')
def _added(layer, tmp_path_factory):
  """A zoo of one layer."""
  root = tmp_path_factory.mktemp('added')
  adding.add(layer.path, root, TOLD, episodes=3, untrusted=False)
  return root


@pytest.fixture(name='zoo')
def _zoo(added, tmp_path, monkeypatch):
  """A copy of it that is looked into first."""
  root = shutil.copytree(added, tmp_path / 'my_zoo')
  monkeypatch.setenv('LATENT_HRL_ZOO', str(root))
  return root


def test_a_layer_is_added_listed_loaded_and_exported(layer, zoo, tmp_path):
  entry = latent_hrl.zoo.find('toy/base')
  assert entry in latent_hrl.zoo.list()
  assert (entry.sha256, entry.purpose) == (layer.digest, 'Moves about.')
  assert (entry.env_steps, entry.seeds, entry.depth) == ((1000,), (0,), 1)
  assert entry.action_high == layer.manifest.action_high
  assert entry.size == sum(len(b) for b in helpers.file_bytes(layer.path).values())
  assert {path.name for path in entry.folder.iterdir()} == {
    *('README.md', 'entry.json', 'evaluation.json', 'layer', 'latents.png'),
    *('learning_curve.png', 'metrics.jsonl'),
  }

  loaded = latent_hrl.load_layer('zoo:toy/base')
  size = loaded.manifest.fields[0].size
  observation = np.zeros((1, sum(f.size for f in loaded.fields)), np.float32)
  assert size and np.array_equal(loaded.mode(observation), layer.mode(observation))

  adding.export('zoo:toy/base', tmp_path / 'copy')
  assert helpers.file_bytes(tmp_path / 'copy') == helpers.file_bytes(layer.path)
  with pytest.raises(errors.ConfigError, match='is there already'):
    adding.export('toy/base', tmp_path / 'copy')


def test_the_slopes_are_those_of_the_policy(layer, zoo):
  # A Gaussian actor that has learned nothing squashes its latent: da/du = 1 at 0.
  entry = index.find('toy/base')
  observed = np.zeros((1, sum(field.size for field in layer.fields)), np.float32)
  step = np.float32([[0.01, 0.0]])
  moved = layer.decode(observed, step) - layer.decode(observed, -step)
  half = (layer.manifest.action_high[0] - layer.manifest.action_low[0]) / 2
  slope = np.linalg.norm(moved) / 0.02 / half
  np.testing.assert_allclose(entry.latents['slopes'], [slope, slope], rtol=0.1)


def test_a_mistyped_name_is_told_with_the_nearest(zoo):
  with pytest.raises(errors.LayerLoadError, match="did you mean 'zoo:toy/base'") as caught:
    load.load_layer('zoo:toy/bse')
  assert '\n' not in str(caught.value)
  with pytest.raises(errors.ConfigError, match='no layer'):
    index.find('../toy/base')


def test_what_was_changed_is_refused_before_tensorflow_sees_it(zoo, monkeypatch):
  path = index.find('toy/base').path
  helpers.claim(path, config='forged, with new sums')
  monkeypatch.setattr(tf.saved_model, 'load', None)
  with pytest.raises(errors.LayerLoadError, match='that its entry tells'):
    load.load_layer('zoo:toy/base')
  with pytest.raises(errors.LayerLoadError, match='that its entry tells'):
    load.check('zoo:toy/base')
  with pytest.raises(errors.LayerLoadError):
    adding.export('toy/base', path.parent / 'copy')


@pytest.mark.parametrize(
  ('told', 'words'),
  [
    ({'name': 'Toy'}, 'no name such as'),
    ({'name': '../toy/base'}, 'no name such as'),
    ({'purpose': ' '}, 'purpose'),
    ({'command': 'two\nlines'}, 'one line'),
    ({}, 'is there already'),
  ],
)
def test_what_is_told_is_checked(layer, zoo, told, words):
  with pytest.raises(errors.ConfigError, match=words):
    adding.add(layer.path, zoo, dataclasses.replace(TOLD, **told))


def test_a_layer_that_is_damaged_or_too_large_is_not_added(
  layer, zoo, tmp_path, monkeypatch
):
  with pytest.raises(errors.LayerLoadError):
    adding.add(tmp_path, zoo, dataclasses.replace(TOLD, name='toy/other'))
  monkeypatch.setattr(adding, 'MAX_BYTES', 1000)
  before = helpers.file_bytes(zoo)
  with pytest.raises(errors.ConfigError, match='more than'):
    adding.add(layer.path, zoo, TOLD, 2, replace=True, untrusted=False)
  assert helpers.file_bytes(zoo) == before


def test_a_layer_is_rehearsed_before_it_is_added(layer, zoo, monkeypatch):
  def refuse(path, digest):
    raise errors.LayerLoadError(path, f'rehearsed {digest}')

  monkeypatch.setattr(rehearsal, 'rehearse', refuse)
  with pytest.raises(errors.LayerLoadError, match=f'rehearsed {layer.digest}'):
    adding.add(layer.path, zoo, dataclasses.replace(TOLD, name='toy/other'))
  assert not (zoo / 'toy' / 'other').exists()


def test_a_damaged_entry_is_one_line(zoo):
  path = zoo / 'toy' / 'base' / entry_lib.FILE
  whole = json.loads(path.read_text())
  for damaged in ('{', '[]', '{}', json.dumps({**whole, 'size': 'much'}), 'ü' * 9):
    path.write_text(damaged, encoding='utf-8')
    with pytest.raises(errors.ConfigError, match='no entry of the zoo') as caught:
      index.find('toy/base')
    assert '\n' not in str(caught.value)


@pytest.mark.usefixtures('quick_training')
def test_a_gin_file_as_the_card_shows_it_trains_a_layer_on_it(zoo, tmp_path):
  text = card.gin_file(index.find('toy/base'))
  assert text in (zoo / 'toy' / 'base' / 'README.md').read_text()
  file = tmp_path / 'mine.gin'
  file.write_text(text)
  small = ['upper/Layer.env_steps = 24', 'OffPolicy.initial_steps = 10']
  latent_hrl.load_config(
    [str(file)], [*small, 'OffPolicy.batch_size = 4', 'TrainingLoop.eval_episodes = 1']
  )

  stack = train_stack.train_stack(tmp_path / 'run')

  assert [record.name for record in stack.manifest.layers] == ['base', 'upper']
  assert stack.manifest.layers[0].digest == index.find('toy/base').sha256


def _run(capsys, *words, **values):
  with flagsaver.flagsaver():
    for name, value in values.items():
      flags.FLAGS[name].value = value
    code = cli._guarded(lambda: launcher.main(list(words)), tensorflow=False)
  return code, capsys.readouterr()


def test_the_command_lists_shows_and_exports(zoo, tmp_path, capsys, monkeypatch):
  flags.FLAGS.mark_as_parsed()
  monkeypatch.setattr(cli, 'import_tensorflow', lambda: None)
  code, told = _run(capsys, 'list')
  assert code == 0 and 'zoo:toy/base' in told.out and 'latent_hrl/MultiGoal-v0' in told.out
  code, told = _run(capsys, 'show', 'zoo:toy/base')
  assert (
    code == 0 and 'Moves about.' in told.out and index.find('toy/base').sha256 in told.out
  )
  code, told = _run(capsys, 'export', 'toy/base', output=str(tmp_path / 'out'))
  assert code == 0 and (tmp_path / 'out' / manifest_lib.PATH).is_file()
  for words, hint in (
    (('shwo', 'x'), "did you mean 'show'"),
    (('show',), 'show NAME'),
    ((), 'say list'),
    (('show', 'toy/bse'), "did you mean 'zoo:toy/base'"),
    (('export', 'toy/base'), 'needs --output'),
    (('add', 'x'), 'needs --name'),
  ):
    code, told = _run(capsys, *words)
    assert code == 2 and hint in told.err and told.err.count('\n') == 1


SHIPPED = [
  entry_lib.read(path.parent)
  for path in sorted(index.SHIPPED.glob(f'*/*/{entry_lib.FILE}'))
]


@pytest.mark.parametrize('entry', SHIPPED, ids=lambda entry: entry.name)
def test_a_shipped_entry_tells_what_its_layer_tells(entry):
  manifest = load.check(f'zoo:{entry.name}')
  told = {f.name: getattr(entry, f.name) for f in dataclasses.fields(adding.Told)}
  measured = {
    name: getattr(entry, name) for name in ('sha256', 'size', 'evaluation', 'latents')
  }
  again = adding.entry_of(manifest, adding.Told(**told), **measured)
  assert dataclasses.replace(again, folder=entry.folder) == entry
  assert entry.folder == index.SHIPPED / entry.name
  curve = (entry.folder / card.CURVE).is_file()
  assert entry.card.read_text(encoding='utf-8') == card.page(entry, curve)
  assert entry.command and entry.commit and (entry.folder / card.LATENTS).is_file()


def test_the_shipped_zoo_has_a_page_and_fits_into_a_wheel():
  page = (index.SHIPPED / 'README.md').read_text(encoding='utf-8')
  assert page == listing.page(SHIPPED)
  assert adding._size(index.SHIPPED) < adding.MAX_BYTES


def test_a_sample_of_the_returns_is_there_again():
  entry = index.find('hopper/base')
  episodes = latent_hrl.evaluate(latent_hrl.load_layer('zoo:hopper/base'), episodes=2)
  returns = [episode.task_return for episode in episodes]
  # Spread of the mean of two, three times.
  apart = abs(np.mean(returns) - entry.evaluation['return_mean'])
  assert apart < 3 * max(entry.evaluation['return_std'], 50.0)


def test_the_zoo_does_not_import_tensorflow(tmp_path):
  import subprocess
  import sys

  code = (
    "import sys, latent_hrl; latent_hrl.zoo.list(); assert 'tensorflow' not in sys.modules"
  )
  subprocess.run(
    [sys.executable, '-c', code],
    check=True,
    cwd=tmp_path,
    env={'PYTHONPATH': str(config.PROJECT_ROOT), 'HOME': str(pathlib.Path.home())},
  )
