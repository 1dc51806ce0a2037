"""What is exported is frozen, with layers below it that were saved in an older format."""

import os
import re
import subprocess
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.saved_model import fingerprinting_utils

from latent_hrl import config
from latent_hrl import observations
from latent_hrl.layers import export
from latent_hrl.layers import inlining
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib
from latent_hrl.networks import encoders
from latent_hrl.networks import policy as policy_lib
from tests import helpers

OLD_LAYER = config.PROJECT_ROOT / 'testdata' / 'multi_goal_base'

# Keras 3 trains what is before and behind a layer; prints nothing.
_FIT = """
import sys
import keras
import numpy as np

assert keras.__version__.startswith('3')
rng = np.random.default_rng(0)
observation, target = (rng.normal(size=(32, 2)).astype('f4') for _ in range(2))
for optimizer in ('adam', keras.optimizers.SGD(0.1)):
  frozen = keras.layers.TFSMLayer(sys.argv[1], call_endpoint='serve')
  inputs = keras.Input((2,))
  action = frozen({'observation': inputs, 'latent': keras.layers.Dense(2)(inputs)})
  model = keras.Model(inputs, keras.layers.Dense(2)(action['action']))
  model.compile(optimizer, 'mse')
  learning = [w.numpy().copy() for w in model.trainable_weights]
  held = [w.numpy().copy() for w in frozen.weights]
  assert len(learning) == 4 and len(held) == int(sys.argv[2]), (len(learning), len(held))
  model.fit(observation, target, verbose=0)
  for before, after in zip(held, frozen.weights, strict=True):
    np.testing.assert_array_equal(before, after.numpy())
  variables = frozen._reloaded_obj.serve.concrete_functions[0].variables
  for before, after in zip(held, variables, strict=True):
    np.testing.assert_array_equal(before, after.numpy())
  for before, after in zip(learning, model.trainable_weights, strict=True):
    assert np.abs(before - after.numpy()).max() > 0
"""


@pytest.fixture(name='on_old', scope='module')
def _on_old(tmp_path_factory):
  """A layer on the committed one, which is of format 1 and was saved trainable."""
  path = tmp_path_factory.mktemp('on_old') / 'upper'
  lower = load.load_layer(OLD_LAYER)
  actor = helpers.make_actor(helpers.latent_spec(), 2)
  helpers.perturb(actor.variables, seed=5)
  module = module_lib.LayerModule(
    actor, lower.fields, lower.fields, lower=lower.module, lower_fields=lower.fields
  )
  manifest = manifest_lib.Manifest(
    fields=lower.fields,
    action_low=lower.manifest.action_low,
    action_high=lower.manifest.action_high,
    layers=(*lower.records(), helpers.make_record('upper', ('position',))),
  )
  export.export_layer(module, manifest, path)
  return types.SimpleNamespace(
    path=path, actor=actor, lower=lower, saved=load.load_layer(path)
  )


def test_no_variable_is_trainable_and_the_network_still_is(on_old):
  assert all(variable.trainable for variable in on_old.lower.module._owned_variables)
  assert all(variable.trainable for variable in on_old.actor.variables)
  module = tf.saved_model.load(str(on_old.path))
  variables = [*module._owned_variables, *module._lower._owned_variables]
  before = [*on_old.actor.variables, *on_old.lower.module._owned_variables]
  for mine, theirs in zip(variables, before, strict=True):
    assert not mine.trainable
    assert re.fullmatch('[A-Za-z0-9][A-Za-z0-9_./-]*:0', mine.name)
    np.testing.assert_array_equal(mine, theirs)
  observation = tf.zeros([1, 2])
  with tf.GradientTape() as tape:
    module.serve({'observation': observation})
  assert tape.watched_variables() == ()


def test_keras_3_leaves_a_layer_as_it_is(on_old):
  env = {
    k: v for k, v in os.environ.items() if k not in ('TF_USE_LEGACY_KERAS', 'PYTHONPATH')
  }
  weights = len(on_old.actor.variables) + len(on_old.lower.module._owned_variables)
  run = subprocess.run(
    [sys.executable, '-c', _FIT, str(on_old.path), str(weights)],
    cwd=on_old.path.parent,
    env=env,
    capture_output=True,
    text=True,
  )
  assert run.returncode == 0, run.stderr[-2000:]


def test_a_layer_above_an_old_one_decodes_and_inlines(on_old):
  rng = np.random.default_rng(0)
  observation, latent = rng.normal(size=(2, 4, 2)).astype(np.float32)
  output = on_old.actor.flow(tf.constant(observation)).forward(tf.constant(latent)).numpy()
  action = on_old.saved.decode(observation, latent)
  np.testing.assert_allclose(action, on_old.lower.decode(observation, output), atol=1e-5)
  inlined = tf.function(inlining.inlined(on_old.saved.module.forward), autograph=False)
  np.testing.assert_allclose(
    inlined(tf.constant(observation), tf.constant(latent))[0], action, atol=1e-5
  )


def test_what_an_old_layer_hides_the_one_above_it_tells(on_old):
  observation = np.float32([[np.nan, 0], [0, 0]])
  action = on_old.saved.module.serving_default(observation)['action']
  np.testing.assert_array_equal(np.isnan(action), [[True, True], [False, False]])
  hidden = on_old.lower.module.serving_default(observation)['action']
  assert np.isfinite(hidden).all()


def test_an_old_layer_keeps_its_format_and_a_new_one_has_this(on_old):
  assert on_old.lower.manifest.format_version == 1
  assert on_old.saved.manifest.format_version == manifest_lib.FORMAT_VERSION
  assert observations.describe(on_old.saved.fields) == 'position [2]'


def test_the_fingerprint_is_that_of_the_graph(on_old):
  found = tf.saved_model.experimental.read_fingerprint(str(on_old.path)).singleprint()
  assert found == fingerprinting_utils.singleprint_from_saved_model_proto(str(on_old.path))


def test_the_encoder_of_the_state_is_in_the_layer(tmp_path):
  actor = policy_lib.LatentPolicyNetwork(
    tf.TensorSpec([3], tf.float32),
    helpers.action_spec(),
    helpers.policy_config(embedding_units=(8,)),
    encoders.EmbeddingsConfig(size=4, hidden_units=(5,), projection_units=6),
  )
  actor.create_variables()
  fields = (observations.ObservationField('x', 3),)
  layer = helpers.save_layer(tmp_path / 'layer', 'base', fields, fields, actor=actor).saved
  rng = np.random.default_rng(0)
  observation = rng.normal(size=(4, 3)).astype(np.float32)
  latent = rng.normal(size=(4, 2)).astype(np.float32)
  action = layer.decode(observation, latent)
  np.testing.assert_allclose(layer.encode(observation, action)['latent'], latent, atol=1e-2)
  # Another encoder makes another action: it is the one that was saved.
  distribution, _ = actor(observation)
  np.testing.assert_allclose(action, distribution.bijector.forward(latent), rtol=1e-5)
  helpers.perturb(actor.state_encoder.variables, seed=9)
  distribution, _ = actor(observation)
  assert np.abs(action - distribution.bijector.forward(latent)).max() > 1e-3
