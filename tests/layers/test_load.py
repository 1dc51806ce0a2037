"""Tests of saved layers: export, loading with TensorFlow alone, and refusing damage."""

import dataclasses
import json
import multiprocessing
import os
import pickle
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from latent_hrl import errors
from latent_hrl import files
from latent_hrl.layers import export
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib
from tests import helpers

# Runs where only TensorFlow is imported; prints nothing, saves what it computed.
_TENSORFLOW_ONLY = """
import sys
import numpy as np
import tensorflow as tf

path, inputs, outputs = sys.argv[1:]
layer = tf.saved_model.load(path)
given = {name: tf.constant(value) for name, value in np.load(inputs).items()}
observation, latent, action, seed = (
  given[name] for name in ('observation', 'latent', 'action', 'seed')
)
call = layer.signatures
results = {
  'serving_default': call['serving_default'](observation=observation),
  'decode': call['decode'](observation=observation, latent=latent),
  'encode': call['encode'](observation=observation, action=action),
  'sample': call['sample'](observation=observation, seed=seed),
  'serve': layer.serve({'observation': observation}),
}
keras_layer = tf.keras.layers.TFSMLayer(path, call_endpoint='serve')
results['keras'] = keras_layer({'observation': observation, 'latent': latent})
flat = {
  f'{name}.{key}': value
  for name, result in results.items()
  for key, value in result.items()
}
np.savez(outputs, **flat)
heavy = ('latent_hrl', 'tf_agents', 'tensorflow_probability', 'tf_keras')
loaded = [name for name in heavy if name in sys.modules]
assert not loaded, loaded
"""


def _inputs(size=5, seed=0):
  rng = np.random.default_rng(seed)
  share = rng.uniform(0.05, 0.95, (size, 2))
  return {
    'observation': rng.normal(size=(size, 5)).astype(np.float32),
    'latent': rng.normal(size=(size, 2)).astype(np.float32),
    'action': (helpers.BOX_LOW + (helpers.BOX_HIGH - helpers.BOX_LOW) * share).astype('f4'),
    'seed': np.int32([3, 4]),
  }


def test_signatures_have_the_promised_names_types_and_shapes(saved_stack):
  signatures = saved_stack.top.saved.module.signatures
  described = {
    name: (
      {
        key: (s.dtype, s.shape.as_list())
        for key, s in call.structured_input_signature[1].items()
      },
      {key: (s.dtype, s.shape.as_list()) for key, s in call.structured_outputs.items()},
    )
    for name, call in signatures.items()
  }
  observation = (tf.float32, [None, 5])
  vector, scalar = (tf.float32, [None, 2]), (tf.float32, [None])
  assert described == {
    'serving_default': ({'observation': observation}, {'action': vector}),
    'decode': ({'observation': observation, 'latent': vector}, {'action': vector}),
    'encode': (
      {'observation': observation, 'action': vector},
      {'latent': vector, 'log_prob': scalar, 'clipped': (tf.bool, [None])},
    ),
    'sample': (
      {'observation': observation, 'seed': (tf.int32, [2])},
      {'action': vector, 'latent': vector, 'log_prob': scalar},
    ),
  }


@pytest.mark.parametrize('size', [0, 1, 7])
def test_batch_may_have_any_size_and_rows_do_not_mix(saved_stack, size):
  saved, given = saved_stack.top.saved, _inputs(7)
  observation, latent = given['observation'], given['latent']
  action = saved.decode(observation[:size], latent[:size])
  assert action.shape == (size, 2)
  np.testing.assert_allclose(action, saved.decode(observation, latent)[:size], atol=1e-5)
  assert saved.encode(observation[:size], given['action'][:size])['clipped'].shape == (
    size,
  )
  assert saved.sample(observation[:size], (1, 2))['log_prob'].shape == (size,)


def test_tensorflow_alone_runs_a_stack_of_three(saved_stack, tmp_path):
  given = _inputs()
  np.savez(tmp_path / 'inputs.npz', **given)
  env = {
    k: v for k, v in os.environ.items() if k not in ('TF_USE_LEGACY_KERAS', 'PYTHONPATH')
  }
  arguments = [saved_stack.top.path, tmp_path / 'inputs.npz', tmp_path / 'outputs.npz']
  run = subprocess.run(
    [sys.executable, '-c', _TENSORFLOW_ONLY, *map(str, arguments)],
    cwd=tmp_path,
    env=env,
    capture_output=True,
    text=True,
  )
  assert run.returncode == 0, run.stderr[-2000:]
  there = dict(np.load(tmp_path / 'outputs.npz'))
  saved = saved_stack.top.saved
  observation = given['observation']
  encoded = saved.encode(observation, given['action'])
  sample = saved.sample(observation, (3, 4))
  decoded = saved.decode(observation, given['latent'])
  here = {
    'serving_default.action': saved.mode(observation),
    'decode.action': decoded,
    **{f'encode.{key}': value for key, value in encoded.items()},
    **{f'sample.{key}': value for key, value in sample.items()},
    'serve.action': saved.mode(observation),
    'keras.action': decoded,
  }
  assert there.keys() == here.keys()
  for name, value in here.items():
    np.testing.assert_allclose(there[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_saved_layer_computes_what_its_module_does(saved_stack):
  given = _inputs()
  saved, module = saved_stack.top.saved, saved_stack.top.module
  observation = given['observation']
  action = module.decode(observation, given['latent'])['action']
  np.testing.assert_allclose(saved.decode(observation, given['latent']), action, atol=1e-6)
  encoded = module.encode(observation, given['action'])
  for name, value in saved.encode(observation, given['action']).items():
    np.testing.assert_allclose(value, encoded[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_stack_of_three_composes_its_layers_each_with_its_own_fields(saved_stack):
  given = _inputs()
  observation = tf.constant(given['observation'])
  body, goal = observation[:, :3], observation[:, 3:]
  output = saved_stack.top.actor.flow(goal).forward(tf.constant(given['latent']))
  output = saved_stack.middle.actor.flow(observation).forward(output)
  base = saved_stack.base.actor
  expected = base.squash.forward(base.flow(body).forward(output))
  action = saved_stack.top.saved.decode(observation, given['latent'])
  np.testing.assert_allclose(action, expected, rtol=1e-4, atol=1e-5)


def test_mode_is_latent_zero(saved_stack):
  observation = _inputs()['observation']
  zero = np.zeros((5, 2), np.float32)
  saved = saved_stack.top.saved
  np.testing.assert_array_equal(saved.mode(observation), saved.decode(observation, zero))


def test_one_action_is_that_of_decode(saved_stack):
  inputs, saved = _inputs(), saved_stack.top.saved
  decoded = saved.decode(inputs['observation'], inputs['latent'])
  modes = saved.mode(inputs['observation'])
  for i, observation in enumerate(inputs['observation']):
    action = saved.act(observation, inputs['latent'][i])
    np.testing.assert_allclose(action, decoded[i], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(saved.act(observation), modes[i], rtol=1e-5, atol=1e-6)


def test_saved_layers_keep_their_outputs_for_their_intervals(slow_stack, saved_base):
  middle, top = slow_stack
  policy = top.saved.policy(5)
  rng = np.random.default_rng(0)
  for step in range(8):
    observation = rng.normal(size=(5, 5)).astype(np.float32)
    latent = rng.normal(size=(5, 2)).astype(np.float32)
    if step % 4 == 0:
      goal = tf.constant(observation[:, 3:])
      top_output = top.actor.flow(goal).forward(tf.constant(latent))
    if step % 2 == 0:
      middle_output = middle.actor.flow(tf.constant(observation)).forward(
        tf.identity(top_output)
      )
    output, action = policy(observation, latent, np.full(5, step, np.int32))

    np.testing.assert_allclose(output, top_output, rtol=1e-4, atol=1e-5)
    expected = saved_base.saved.decode(observation[:, :3], middle_output.numpy())
    np.testing.assert_allclose(action, expected, rtol=1e-4, atol=1e-5)


def test_the_model_card_shows_how_to_hold_outputs(slow_stack):
  top = slow_stack[1]
  card = (top.path / 'README.md').read_text(encoding='utf-8')
  assert 'float32 [B, 2, 2], is zeros at first' in card
  [shown] = re.findall(r'```python\n(stepped = .*?)```', card, re.S)
  given = _inputs(3)
  names = {
    'layer': tf.saved_model.load(str(top.path)),
    'observation': tf.constant(given['observation']),
    'latent': tf.constant(given['latent']),
    'held': tf.zeros([3, 2, 2]),
    'step': tf.zeros([3], tf.int32),
  }

  exec(shown, names)

  policy = top.saved.policy(3)
  output, action = policy(given['observation'], given['latent'], np.zeros(3, np.int32))
  np.testing.assert_allclose(names['stepped']['output'], output, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(names['action'], action, rtol=1e-5, atol=1e-6)
  held = np.reshape(names['held'], [3, 4])
  np.testing.assert_allclose(held, policy.held, rtol=1e-5, atol=1e-6)


def test_only_a_stack_with_an_interval_has_the_signature_act(saved_stack, slow_stack):
  assert 'act' not in saved_stack.top.saved.module.signatures
  act = slow_stack[1].saved.module.signatures['act']
  vector = [None, 2]
  assert {key: s.shape.as_list() for key, s in act.structured_outputs.items()} == {
    'output': vector,
    'action': vector,
    'held': [None, 2, 2],
  }
  assert {
    key: (s.dtype, s.shape.as_list())
    for key, s in act.structured_input_signature[1].items()
  } == {
    'observation': (tf.float32, [None, 5]),
    'latent': (tf.float32, vector),
    'held': (tf.float32, [None, 2, 2]),
    'step': (tf.int32, [None]),
  }


def test_the_graph_tells_box_and_fields(saved_stack):
  told = saved_stack.top.saved.module.interface()
  assert {name: value.dtype for name, value in told.items()} == {
    'action_low': tf.float32,
    'action_high': tf.float32,
    'fields': tf.string,
    'sizes': tf.int32,
  }
  np.testing.assert_array_equal(told['action_low'], helpers.BOX_LOW)
  np.testing.assert_array_equal(told['action_high'], helpers.BOX_HIGH)
  assert told['fields'].numpy().tolist() == [b'body', b'goal']
  assert told['sizes'].numpy().tolist() == [3, 2]


def test_numbers_of_any_width_and_single_observations_are_taken(saved_base):
  saved, given = saved_base.saved, _inputs(2)
  observation, latent, action = (
    given['observation'][:, :3],
    given['latent'],
    given['action'],
  )
  decoded, encoded = saved.decode(observation, latent), saved.encode(observation, action)
  sample = saved.sample(observation, (7, 0))
  for take in (np.float64, np.ndarray.tolist, tf.constant):
    many = saved.decode(take(observation), take(latent))
    np.testing.assert_array_equal(many, decoded)
  one = saved.decode(observation[1].tolist(), latent[1])
  np.testing.assert_allclose(one, decoded[1], atol=1e-6)
  np.testing.assert_allclose(
    saved.mode(observation[1]), saved.mode(observation)[1], atol=1e-6
  )
  for name, value in saved.encode(observation[1], action[1]).items():
    np.testing.assert_allclose(value, encoded[name][1], atol=1e-4, err_msg=name)
  for seed in (7, np.int64(7), [7, 0]):
    np.testing.assert_array_equal(
      saved.sample(observation, seed)['action'], sample['action']
    )
  assert saved.sample(observation[1], 7)['log_prob'].shape == ()


def test_what_no_layer_can_take_ends_in_one_line(saved_base):
  saved, good, latent = saved_base.saved, np.zeros((2, 3), 'f4'), np.zeros((2, 2), 'f4')
  calls = {
    'decode': (saved.decode, (good, latent[:1]), 'latent must have the shape [2, 2]'),
    'mode': (saved.mode, (good[:, :2],), 'made of body [3]; got [2, 2]'),
    'encode': (saved.encode, (good, latent + np.nan), 'action is not a number'),
    'sample': (saved.sample, (good, 1.5), 'seed must be an integer'),
    'act': (saved.act, (good,), '`mode` and `decode` take a batch'),
    'latent of act': (saved.act, (good[0], latent), 'latent must have the shape [2]'),
    'not finite': (saved.act, (good[0] + np.nan,), "observation field 'body' is not"),
  }
  for name, (method, arguments, told) in calls.items():
    with pytest.raises(errors.InputError) as error:
      method(*arguments)
    assert told in str(error.value), name
    assert '\n' not in str(error.value)


def test_plain_tensorflow_names_the_fields_of_a_wrong_observation(saved_stack):
  decode = saved_stack.top.saved.module.signatures['decode']
  with pytest.raises(tf.errors.InvalidArgumentError) as error:
    decode(observation=tf.zeros([2, 4]), latent=tf.zeros([2, 2]))
  assert 'observation_is_body_3_goal_2' in error.value.message
  assert '[2,4] is not compatible with expected shape [?,5]' in error.value.message
  with pytest.raises(tf.errors.InvalidArgumentError, match='latent_is_of_size_2'):
    decode(observation=tf.zeros([2, 5]), latent=tf.zeros([2, 3]))


# Every row but the first has something that is not finite.
_UNKNOWN = {
  'observation': np.float32([[0, 0, 0], [np.nan, 0, 0], [0, np.inf, 0], [0, 0, 0]]),
  'vector': np.float32([[0.1, 0.2], [0.1, 0.2], [0.1, 0.2], [np.nan, 0.2]]),
}


def test_litert_decodes_and_encodes_with_its_own_operations_alone(saved_base):
  given = {**_inputs(4), 'observation': _inputs(4)['observation'][:, :3]}
  for name, vector in (('decode', 'latent'), ('encode', 'action')):
    converter = tf.lite.TFLiteConverter.from_saved_model(
      str(saved_base.path), signature_keys=[name]
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    run = interpreter.get_signature_runner(name)
    there = run(observation=given['observation'], **{vector: given[vector]})
    here = saved_base.saved.module.signatures[name](
      observation=tf.constant(given['observation']),
      **{vector: tf.constant(given[vector])},
    )
    for key, value in here.items():
      np.testing.assert_allclose(there[key], value, atol=1e-4, err_msg=key)
    unknown = run(observation=_UNKNOWN['observation'], **{vector: _UNKNOWN['vector']})
    for key in unknown.keys() - {'clipped'}:
      nan = np.isnan(unknown[key].reshape(4, -1))
      np.testing.assert_array_equal(nan.all(axis=1), [False, True, True, True])
      assert not nan[0].any()


def test_the_manifest_tells_the_intervals(slow_stack):
  manifest = slow_stack[1].saved.manifest
  assert [record.interval for record in manifest.layers] == [1, 2, 4]
  assert manifest.held_outputs == 2
  content = json.loads((slow_stack[1].path / 'assets/layer.json').read_text())
  assert content['interval'] == 4


def test_decode_undoes_encode_through_three_layers(saved_stack):
  given, saved = _inputs(50), saved_stack.top.saved
  encoded = saved.encode(given['observation'], given['action'])
  assert not encoded['clipped'].any()
  back = saved.decode(given['observation'], encoded['latent'])
  np.testing.assert_allclose(back, given['action'], rtol=0, atol=1e-5)


def test_corners_of_the_box_are_clipped_and_finite_through_three_layers(saved_stack):
  corners = np.float32([[x, y] for x in (-2.0, 1.0) for y in (-1.0, 3.0)] + [[99.0, -99.0]])
  encoded = saved_stack.top.saved.encode(_inputs()['observation'], corners)
  assert encoded['clipped'].all()
  assert np.isfinite(encoded['latent']).all() and np.isfinite(encoded['log_prob']).all()


def test_sample_depends_on_its_seed_alone_and_knows_its_density(saved_stack):
  saved, observation = saved_stack.top.saved, _inputs()['observation']
  first, again, other = (
    saved.sample(observation, seed) for seed in ((1, 2), (1, 2), (2, 2))
  )
  for name, value in first.items():
    np.testing.assert_array_equal(value, again[name])
  assert np.abs(first['action'] - other['action']).max() > 0.01
  np.testing.assert_allclose(
    first['action'], saved.decode(observation, first['latent']), atol=1e-6
  )
  encoded = saved.encode(observation, first['action'])
  np.testing.assert_allclose(encoded['log_prob'], first['log_prob'], atol=5e-3)


def test_lower_layer_is_bit_identical_after_stacking(saved_stack):
  assert helpers.file_bytes(saved_stack.base.path) == saved_stack.base_bytes
  embedded = saved_stack.top.saved.module._lower._lower._owned_variables
  original = saved_stack.base.actor.variables
  assert len(embedded) == len(original)
  for mine, theirs in zip(embedded, original, strict=True):
    np.testing.assert_array_equal(mine, theirs)
  goals = np.zeros((5, 2), np.float32)
  body = _inputs()['observation'][:, :3]
  lower = saved_stack.middle.saved.module._lower
  observation = np.concatenate([body, goals], axis=-1)
  np.testing.assert_array_equal(
    lower.decode(observation[:, :3], goals)['action'],
    saved_stack.base.saved.decode(body, goals),
  )


def test_fresh_second_layer_computes_exactly_what_the_saved_base_does(saved_base):
  base, body = saved_base.saved, (helpers.BODY,)
  actor = helpers.make_actor(helpers.latent_spec())
  fresh = module_lib.LayerModule(actor, body, body, base.module, base.fields)
  given = _inputs(20)
  observation = given['observation'][:, :3]
  np.testing.assert_array_equal(
    fresh.decode(observation, given['latent'])['action'],
    base.decode(observation, given['latent']),
  )
  encoded = fresh.encode(observation, given['action'])
  for name, value in base.encode(observation, given['action']).items():
    np.testing.assert_array_equal(encoded[name], value, err_msg=name)


def test_manifest_names_the_layers_below_with_their_digests(saved_stack):
  manifest = saved_stack.top.saved.manifest
  assert (manifest.name, manifest.depth, manifest.dimension) == ('top', 3, 2)
  assert [record.name for record in manifest.layers] == ['base', 'middle', 'top']
  assert [record.reads for record in manifest.layers] == [
    ('body',),
    ('body', 'goal'),
    ('goal',),
  ]
  digests = [
    files.sha256(layer.path / manifest_lib.PATH)
    for layer in (saved_stack.base, saved_stack.middle)
  ]
  assert [record.digest for record in manifest.layers] == [*digests, None]
  assert manifest.files.keys() == helpers.file_bytes(saved_stack.top.path).keys() - {
    manifest_lib.PATH
  }
  assert manifest.packages['tensorflow'] == tf.__version__


def test_model_card_tells_people_what_the_layer_is(saved_stack):
  card = (saved_stack.top.path / 'README.md').read_text(encoding='utf-8')
  assert '# Latent space layer `top`' in card
  assert '| 0 | base | Toy-v0 | `task_reward(scale=1.0)` | 1,000 | 1 | body |' in card
  assert '1.5 ± 0.5 (2 episodes)' in card
  assert 'body [3], goal [2]' in card
  assert '[-2, 1], [-1, 3]' in card


def test_the_model_card_tells_what_a_command_asks_for(saved_stack):
  [*below, top] = saved_stack.top.saved.manifest.layers
  entry = {'name': 'velocity along x', 'unit': 'm/s', 'scale': 2.0}
  command = {'entries': [entry], 'redraw_probability': 1 / 60}
  commanded = dataclasses.replace(top, command=command)
  manifest = dataclasses.replace(saved_stack.top.saved.manifest, layers=(*below, commanded))

  card = export.model_card(manifest)
  assert '| 0 | velocity along x | 2 m/s |' in card and '60 steps on average' in card
  assert '## Command' not in export.model_card(saved_stack.top.saved.manifest)


@pytest.fixture(name='copy')
def _copy(saved_base, tmp_path):
  """A copy of the base to damage."""
  return shutil.copytree(saved_base.path, tmp_path / 'copy')


def test_a_layer_is_pickled_as_its_place_and_loads_on_arrival(
  copy, saved_base, monkeypatch, tmp_path
):
  monkeypatch.chdir(copy.parent)
  sent = pickle.dumps(load.load_layer(copy.name))
  assert len(sent) < 1000
  monkeypatch.chdir('/')
  there = multiprocessing.get_context('spawn')
  observation, latent = _inputs()['observation'][:, :3], _inputs()['latent']
  with there.Pool(1) as pool:
    action = pool.apply(_decode_there, (sent, observation, latent))
  np.testing.assert_allclose(action, saved_base.saved.decode(observation, latent), 1e-5)

  helpers.claim(copy, config='another one')
  with pytest.raises(errors.LayerLoadError, match='it is another layer now than the one'):
    pickle.loads(sent)
  shutil.rmtree(copy)
  with pytest.raises(errors.LayerLoadError, match='there is no such directory'):
    pickle.loads(sent)


def _decode_there(sent, observation, latent):
  return pickle.loads(sent).decode(observation, latent)


@pytest.mark.parametrize('wrong', [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(copy, saved_base, wrong):
  variable = saved_base.module._owned_variables[2]
  before = variable.numpy()
  spoilt = before.copy()
  spoilt.flat[-1] = wrong
  variable.assign(spoilt)
  export.export_layer(saved_base.module, saved_base.saved.manifest, copy)
  variable.assign(before)
  _fails(copy, "the weights '_owned_variables/2/.ATTRIBUTES/VARIABLE_VALUE' are no numbers")


@pytest.mark.parametrize(
  'changes',
  [
    {'action_low': [-2.0, -1.01]},
    {'action_high': [1.001, 3.0]},
    {'action_low': [-1.9, -1.0]},
    {'action_low': [-1.0, -2.0], 'action_high': [3.0, 1.0]},
  ],
)
def test_a_manifest_of_another_action_box_is_refused(copy, changes):
  """Also before format 3, when no graph told its box."""
  helpers.claim(copy, format_version=2, **changes)
  _fails(copy, 'its manifest tells another action box than its graph has')


def _fails(path, *reasons):
  with pytest.raises(errors.LayerLoadError) as error:
    load.load_layer(path)
  message = str(error.value)
  assert message.startswith(f'cannot load layer {str(path)!r}: ')
  assert '\n' not in message
  for reason in reasons:
    assert reason in message


def test_untouched_copy_loads(copy, saved_base):
  assert load.check(copy) == saved_base.saved.manifest
  assert load.load_layer(str(copy)).manifest.name == 'base'


def _names(path):
  return sorted(helpers.file_bytes(path))


def test_flipped_bit_in_any_file_is_damage(copy):
  names = [name for name in _names(copy) if name != manifest_lib.PATH]
  assert {'saved_model.pb', 'README.md', 'variables/variables.index'} <= set(names)
  for name in names:
    content = (copy / name).read_bytes()
    for position in {0, len(content) // 2, len(content) - 1} if content else set():
      changed = bytearray(content)
      changed[position] ^= 1
      (copy / name).write_bytes(changed)
      _fails(copy, f'{name} is damaged: its SHA-256 does not match')
    (copy / name).write_bytes(content)
  load.check(copy)


def test_flipped_bit_in_the_manifest_is_damage(copy):
  content = (copy / manifest_lib.PATH).read_bytes()
  where = {name: content.index(name) for name in (b'{', b'"layers"', b'": "')}
  digest = content.index(b'"files"')
  where['digest'] = content.index(b'": "', digest) + 6
  for name, position in where.items():
    changed = bytearray(content)
    changed[position] ^= 1
    (copy / manifest_lib.PATH).write_bytes(changed)
    _fails(copy, 'damaged')
    assert changed != content, name


def test_missing_file_is_named(copy):
  for name in _names(copy):
    if name == manifest_lib.PATH:
      continue
    content = (copy / name).read_bytes()
    (copy / name).unlink()
    _fails(copy, f'{name} is missing')
    (copy / name).write_bytes(content)
  (copy / manifest_lib.PATH).unlink()
  _fails(copy, 'it is no saved layer: no assets/layer.json')


@pytest.mark.parametrize('name', ['extra.txt', 'assets/extra.txt', 'variables/.hidden'])
def test_extra_file_is_named(copy, name):
  (copy / name).touch()
  _fails(copy, f'{name} is not listed in assets/layer.json')


@pytest.mark.parametrize('name', ['README.md', 'extra'])
def test_link_is_refused(copy, tmp_path, name):
  target = tmp_path / 'target'
  if name == 'extra':
    target.mkdir()
  else:
    (copy / name).rename(target)
  (copy / name).symlink_to(target)
  _fails(copy, f'{name} is a link')


def test_manifest_that_is_a_link_is_refused(copy, tmp_path):
  (copy / manifest_lib.PATH).rename(tmp_path / 'layer.json')
  (copy / manifest_lib.PATH).symlink_to(tmp_path / 'layer.json')
  _fails(copy, 'assets/layer.json is a link')


def test_directory_that_is_no_layer_is_refused(tmp_path):
  _fails(tmp_path, 'it is no saved layer')
  _fails(tmp_path / 'none', 'there is no such directory')


def test_manifest_over_no_model_is_refused(copy):
  (copy / 'saved_model.pb').unlink()
  helpers.claim(copy)
  _fails(copy, 'saved_model.pb is missing')


def test_manifest_over_a_broken_model_is_refused(copy):
  (copy / 'saved_model.pb').write_bytes(b'no model')
  helpers.claim(copy)
  _fails(copy, 'saved_model.pb is damaged: no SavedModel')


def test_manifest_over_another_model_is_refused(copy, tmp_path):
  tf.saved_model.save(tf.Module(), str(tmp_path / 'other'))
  shutil.copytree(tmp_path / 'other', copy, dirs_exist_ok=True)
  helpers.claim(copy)
  _fails(copy, "signature 'decode' is not as the manifest tells")


def test_manifest_over_broken_weights_is_refused(copy):
  (copy / 'variables' / 'variables.index').write_bytes(b'no index')
  helpers.claim(copy)
  _fails(copy, 'TensorFlow cannot load it')


def test_export_replaces_the_layer_that_is_there(copy, saved_base):
  (copy / 'assets' / 'stale.txt').touch()
  manifest = helpers.make_manifest([helpers.BODY], [helpers.make_record('new', ('body',))])
  export.export_layer(saved_base.module, manifest, copy)
  assert os.listdir(copy.parent) == ['copy']
  assert load.check(copy).name == 'new'
  assert not (copy / 'assets' / 'stale.txt').exists()


@pytest.mark.parametrize(
  ('where', 'error'),
  [
    ((tf.saved_model, 'save'), OSError('disk full')),
    ((manifest_lib, 'file_digests'), KeyboardInterrupt()),
  ],
  ids=['model', 'digests'],
)
def test_failing_export_keeps_the_old_layer_and_leaves_nothing(
  copy, saved_base, monkeypatch, where, error
):
  def fail(*args, **kwargs):
    raise error

  before = helpers.file_bytes(copy)
  with monkeypatch.context() as patch:
    patch.setattr(*where, fail)
    told = KeyboardInterrupt if where[0] is manifest_lib else errors.LatentHrlError
    with pytest.raises(told):
      export.export_layer(saved_base.module, saved_base.saved.manifest, copy)
    with pytest.raises(told):
      export.export_layer(saved_base.module, saved_base.saved.manifest, copy.parent / 'new')
  assert os.listdir(copy.parent) == ['copy']
  assert helpers.file_bytes(copy) == before
  load.check(copy)
