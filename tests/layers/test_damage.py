"""Damaged and forged layers: each is refused by one typed error, and nothing is written."""

import random
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from latent_hrl import config
from latent_hrl import errors
from latent_hrl.layers import contents
from latent_hrl.layers import export
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib
from latent_hrl.layers import operations
from tests import helpers
from tests.fuzz import damage

# Each way is taken as often, each time in another place: 210 layers.
REPETITIONS = 15
COMMITTED = sorted(
  path
  for folder in ('results', 'testdata', 'zoo')
  for path in (config.PROJECT_ROOT / folder).rglob(manifest_lib.PATH)
)


@pytest.fixture(name='copy')
def _copy(saved_base, tmp_path):
  """A copy of the base to damage."""
  return shutil.copytree(saved_base.path, tmp_path / 'copy')


def _refusal(path) -> str:
  with pytest.raises(errors.LayerLoadError) as error:
    load.load_layer(path)
  message = str(error.value)
  assert message.startswith(f'cannot load layer {str(path)!r}: ')
  assert message.isprintable()
  return message


@pytest.mark.parametrize('name', damage.DAMAGES)
def test_damaged_layers_are_refused_and_nothing_is_written(name, saved_base, tmp_path):
  rng = random.Random(name)
  for repetition in range(REPETITIONS):
    directory = tmp_path / str(repetition)
    path = shutil.copytree(saved_base.path, directory / 'copy')
    damage.DAMAGES[name](path, rng)
    before = sorted(directory.rglob('*'))
    _refusal(path)
    assert sorted(directory.rglob('*')) == before


def test_a_planted_writer_would_write_and_is_refused(copy, tmp_path):
  target = tmp_path / 'target'
  damage.plant_file_writer(copy, target)
  assert "'WriteFile', which no layer needs" in _refusal(copy)
  assert not target.exists()
  # TensorFlow alone runs it: the check is not there for nothing.
  planted = tf.saved_model.load(str(copy))
  planted.decode(tf.zeros([1, 3]), tf.zeros([1, 2]))
  assert target.read_text() == 'written'


@pytest.mark.parametrize('forgery', damage.GRAPH_FORGERIES)
def test_every_forgery_of_the_graph_is_refused(copy, forgery):
  damage.edit_graph(copy, forgery)
  assert 'saved_model.pb is refused' in _refusal(copy)


@pytest.mark.parametrize('operation', damage.FOREIGN_OPERATIONS)
def test_every_foreign_operation_is_refused(copy, operation):
  damage.plant_operation(copy, operation)
  assert f'operation {operation!r}' in _refusal(copy)


def test_the_allowed_operations_exist_and_keep_no_state():
  for name in operations.LAYER:
    definition = op_def_registry.get(name)
    assert definition is not None, name
    if name not in ('ReadVariableOp', 'StatefulPartitionedCall'):
      assert not definition.is_stateful, name


def test_operations_on_files_stand_in_the_functions_of_the_saver_alone(copy):
  assert not operations.LAYER & {'SaveV2', 'RestoreV2', 'MergeV2Checkpoints'}
  damage.plant_operation(copy, 'SaveV2')
  assert "'SaveV2', which no layer needs" in _refusal(copy)


@pytest.mark.parametrize('manifest', COMMITTED, ids=str)
def test_committed_layers_pass(manifest):
  load.check(manifest.parent.parent)


@pytest.mark.parametrize(('dimension', 'couplings'), [(1, 2), (3, 0)])
def test_one_dimension_and_gaussian_policies_pass(tmp_path, dimension, couplings):
  ones = np.ones(dimension, np.float32)
  actor = helpers.make_actor(helpers.action_spec(-ones, ones), num_couplings=couplings)
  module = module_lib.LayerModule(actor, (helpers.BODY,), (helpers.BODY,))
  manifest = manifest_lib.Manifest(
    fields=(helpers.BODY,),
    action_low=tuple((-ones).tolist()),
    action_high=tuple(ones.tolist()),
    layers=(helpers.make_record('base', ('body',)),),
  )
  export.export_layer(module, manifest, tmp_path / 'base')
  load.check(tmp_path / 'base')


def test_a_gin_file_beside_or_in_a_layer_is_never_run(copy, monkeypatch):
  monkeypatch.syspath_prepend(copy.parent)
  (copy.parent / 'dangerous_module.py').write_text('raise SystemExit("it ran")\n')
  (copy.parent / 'operative_config.gin').write_text('import dangerous_module\n')
  assert load.load_layer(copy).manifest.name == 'base'

  shutil.copy(copy.parent / 'operative_config.gin', copy)
  helpers.claim(copy)
  assert 'operative_config.gin is no file of a layer' in _refusal(copy)


def test_the_text_of_a_configuration_is_never_run(copy):
  helpers.claim(copy, config='import dangerous_module\n')
  assert 'dangerous_module' in load.load_layer(copy).manifest.config


@pytest.mark.parametrize('path', ['x' * 5000, 'a\0b', '/dev/null', '/proc/self/mem'])
def test_a_path_that_can_be_no_layer_is_refused(path):
  _refusal(path)


def test_a_file_that_cannot_be_read_is_an_error_of_the_layer(copy, monkeypatch):
  def fail(*_):
    raise PermissionError(13, 'Permission denied', 'saved_model.pb')

  monkeypatch.setattr(contents, '_read_file', fail)
  assert 'a file is unreadable' in _refusal(copy)
