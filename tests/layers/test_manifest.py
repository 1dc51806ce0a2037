"""Tests of the manifest: round trip, digests, and what damage is told."""

import dataclasses
import hashlib
import json

import hypothesis
import pytest
from hypothesis import strategies

from latent_hrl import errors
from latent_hrl.layers import manifest as manifest_lib
from tests import helpers


def _manifest():
  below = helpers.make_record('base', ('body',), digest='ab' * 32, evaluation={})
  top = helpers.make_record(
    'maze',
    ('body', 'goal'),
    task_options={'size': 3, 'noise': None},
    reward='sparse_goal',
    reward_arguments={'goal': None, 'radius': 0.25},
    seed=4,
  )
  return helpers.make_manifest([helpers.BODY, helpers.GOAL], [below, top])


def _write(directory, content):
  path = directory / manifest_lib.PATH
  path.parent.mkdir(exist_ok=True)
  text = content if isinstance(content, str) else helpers.sealed(content)
  path.write_text(text, encoding='utf-8')
  return directory


def _content(**changes):
  return {**json.loads(_manifest().to_json()), **changes}


def _without(key):
  content = _content()
  del content[key]
  return content


def _layer(**changes):
  content = _content()
  content['layers'][0].update(changes)
  return content


def _fails(directory, reason):
  with pytest.raises(errors.LayerLoadError) as error:
    helpers.read_manifest(directory)
  message = str(error.value)
  assert message.startswith(f'cannot load layer {str(directory)!r}: ')
  assert reason in message
  assert '\n' not in message


def test_json_round_trip_keeps_everything(tmp_path):
  manifest = _manifest()
  assert helpers.read_manifest(_write(tmp_path, manifest.to_json())) == manifest


def test_a_layer_of_format_1_that_names_no_interval_acts_every_step(tmp_path):
  content = _content(format_version=1)
  for layer in content['layers']:
    del layer['interval']
  del content['interval']
  manifest = helpers.read_manifest(_write(tmp_path, json.dumps(content)))
  assert [record.interval for record in manifest.layers] == [1, 1]


def test_properties_describe_the_top_layer():
  manifest = _manifest()
  assert (manifest.name, manifest.task) == ('maze', 'Toy-v0')
  assert (manifest.depth, manifest.dimension) == (2, 2)


def test_json_has_what_design_promises():
  content = _content()
  assert content['format_version'] == 3
  assert content['name'] == 'maze' and content['depth'] == 2
  assert content['observation_fields'] == [
    {'name': 'body', 'size': 3},
    {'name': 'goal', 'size': 2},
  ]
  assert content['action_low'] == [-2.0, -1.0] and content['action_high'] == [1.0, 3.0]
  assert content['latent_size'] == 2
  assert content['task'] == 'Toy-v0' and content['reward'] == 'sparse_goal'
  assert content['reward_arguments'] == {'goal': None, 'radius': 0.25}
  assert content['env_steps'] == 1000 and content['seed'] == 4
  assert [layer['name'] for layer in content['layers']] == ['base', 'maze']
  assert content['layers'][0]['digest'] == 'ab' * 32
  assert content['layers'][1]['reads'] == ['body', 'goal']
  assert content['layers'][1]['evaluation']['return_mean'] == 1.5
  assert 'train_stack.task' in content['config']


def test_versions_name_what_a_layer_was_made_with():
  versions = manifest_lib.package_versions()
  assert versions['tf-agents'] == '0.19.0'
  assert {'python', 'tensorflow', 'tf-keras', 'numpy', 'gymnasium'} <= versions.keys()


def test_digests_cover_every_file_but_the_manifest(tmp_path):
  (tmp_path / 'assets').mkdir()
  (tmp_path / 'variables' / 'deep').mkdir(parents=True)
  for name in ('saved_model.pb', 'assets/layer.json', 'variables/deep/x'):
    (tmp_path / name).write_bytes(name.encode())
  assert manifest_lib.file_digests(tmp_path) == {
    name: hashlib.sha256(name.encode()).hexdigest()
    for name in ('saved_model.pb', 'variables/deep/x')
  }


def test_manifest_that_is_no_text_is_damaged(tmp_path):
  _write(tmp_path, '{}')
  (tmp_path / manifest_lib.PATH).write_bytes(b'{"name": "\xff"}')
  _fails(tmp_path, 'assets/layer.json is damaged (UnicodeDecodeError')


@pytest.mark.parametrize('text', ['', '{', '[]', 'null', '3', '"x"', '[' * 100_000])
def test_json_that_is_no_manifest_is_damaged(tmp_path, text):
  _fails(_write(tmp_path, text), 'assets/layer.json is damaged')


@pytest.mark.parametrize('version', [0, 4, '1', 1.0, True, None])
def test_another_format_version_is_refused(tmp_path, version):
  _fails(
    _write(tmp_path, _content(format_version=version)),
    f'format version {version} is none of (1, 2, 3)',
  )


@pytest.mark.parametrize(
  'key',
  [
    'format_version',
    'observation_fields',
    'action_low',
    'action_high',
    'layers',
    'packages',
    'files',
    'config',
    'depth',
    'latent_size',
  ],
)
def test_missing_key_is_named(tmp_path, key):
  _fails(_write(tmp_path, _without(key)), f"damaged (KeyError: '{key}')")


_WRONG = {
  'fields no list': _content(observation_fields={'body': 3}),
  'field size text': _content(observation_fields=[{'name': 'body', 'size': '3'}]),
  'field size bool': _content(observation_fields=[{'name': 'body', 'size': True}]),
  'field without size': _content(observation_fields=[{'name': 'body'}]),
  'field no object': _content(observation_fields=['body']),
  'box text': _content(action_low='ab'),
  'box null': _content(action_low=[None, 1.0]),
  'box uneven': _content(action_low=[1.0]),
  'box empty': _content(action_low=[], action_high=[]),
  'no layer': _content(layers=[]),
  'layers text': _content(layers='base'),
  'layer number': _content(layers=[3]),
  'packages list': _content(packages=[]),
  'files list': _content(files=[['a', 'b']]),
  'config null': _content(config=None),
  'name number': _layer(name=3),
  'reads text': _layer(reads='body'),
  'reads numbers': _layer(reads=[3]),
  'task null': _layer(task=None),
  'steps text': _layer(env_steps='1000'),
  'steps float': _layer(env_steps=1.5),
  'options list': _layer(task_options=[]),
  'arguments null': _layer(reward_arguments=None),
  'evaluation number': _layer(evaluation=3),
  'unknown entry': _layer(surprise=1),
  'reward list': _layer(reward=['x']),
  'seed text': _layer(seed='x'),
  'digest number': _layer(digest=3),
  'interval text': _layer(interval='3'),
  'interval zero': _layer(interval=0),
}


@pytest.mark.parametrize('label', _WRONG)
def test_wrong_types_are_damage(tmp_path, label):
  _fails(_write(tmp_path, _WRONG[label]), 'assets/layer.json is damaged')


@pytest.mark.parametrize(
  'change',
  [
    {'depth': 3},
    {'latent_size': 1},
    {'name': 'base'},
    {'interval': 2},
    {'task': 'Toy-v1'},
    {'reward': 'task_reward'},
    {'reward_arguments': {}},
    {'env_steps': 1},
    {'seed': 0},
  ],
  ids=str,
)
@pytest.mark.parametrize('version', [1, 2, 3])
def test_contradiction_is_told(tmp_path, change, version):
  content = _content(format_version=version, **change)
  _fails(_write(tmp_path, content), f'it contradicts itself on {next(iter(change))}')


_MISFITS = {
  'a field twice': _content(observation_fields=[{'name': 'body', 'size': 3}] * 2),
  'a field of no size': _content(observation_fields=[{'name': 'body', 'size': 0}]),
  'no field': _content(observation_fields=[]),
  'a box upside down': _content(action_low=[1.0, 3.0], action_high=[-2.0, -1.0]),
  'a box of integers': _content(action_low=[-2, -1]),
  'a field that is not there': _layer(reads=['boddy']),
  'no field read': _layer(reads=[]),
  'a bottom layer that waits': _layer(interval=2),
  'a name that is a path': _layer(name='../base'),
  'negative steps': _layer(env_steps=-1),
  'a negative seed': _layer(seed=-1),
  'a digest that is none': _layer(digest='ab12'),
  'a layer below without a digest': _layer(digest=None),
  'a file with no digest': _content(files={'README.md': 'x'}),
}


@pytest.mark.parametrize('label', _MISFITS)
@pytest.mark.parametrize('version', [1, 2, 3])
def test_parts_that_do_not_fit_together_are_damage(tmp_path, label, version):
  content = {**_MISFITS[label], 'format_version': version}
  _fails(_write(tmp_path, content), 'assets/layer.json is damaged')


_TEXT = _manifest().to_json()


@pytest.mark.parametrize(
  ('text', 'reason'),
  [
    (_TEXT.replace('"depth": 2', '"depth": 3, "depth": 2'), 'something twice'),
    (_TEXT.replace(' "depth"', '  "depth"'), 'more than a manifest'),
    (helpers.sealed({**_content(), 'surprise': 1}), 'more than a manifest'),
    (_TEXT.replace('"noise": null', '"noise": NaN'), 'not JSON compliant'),
    (_TEXT.replace('"noise": null', '"noise": 1e999'), 'not JSON compliant'),
    (_TEXT.replace('"noise": null', '"noise": 0'), 'its own SHA-256 does not match'),
    (_TEXT.replace('return_std', 'return_sta'), 'its own SHA-256 does not match'),
  ],
)
def test_a_manifest_is_what_its_sum_says_and_nothing_else(tmp_path, text, reason):
  assert text != _TEXT
  _fails(_write(tmp_path, text), reason)


@hypothesis.settings(derandomize=True, max_examples=150, deadline=None)
@hypothesis.given(
  position=strategies.integers(0, len(_TEXT.encode()) - 1), bit=strategies.integers(0, 7)
)
def test_any_flipped_bit_is_damage(tmp_path_factory, position, bit):
  directory = _write(tmp_path_factory.getbasetemp(), _TEXT)
  changed = bytearray(_TEXT.encode())
  changed[position] ^= 1 << bit
  (directory / manifest_lib.PATH).write_bytes(changed)
  with pytest.raises(errors.LayerLoadError):
    helpers.read_manifest(directory)


_JSON = strategies.recursive(
  strategies.none() | strategies.booleans() | strategies.floats() | strategies.text(),
  lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
  max_leaves=8,
)


@hypothesis.settings(derandomize=True, max_examples=60, deadline=None)
@hypothesis.given(key=strategies.sampled_from(sorted(_content())), value=_JSON)
def test_any_other_value_is_one_error_or_the_same_again(tmp_path_factory, key, value):
  content = _content(**{key: value})
  directory = _write(tmp_path_factory.getbasetemp(), content)
  try:
    manifest = helpers.read_manifest(directory)
  except errors.LayerLoadError as error:
    assert str(error).isprintable()
  else:
    assert json.loads(manifest.to_json()) == json.loads(helpers.sealed(content))


def test_what_json_does_not_know_is_not_written():
  manifest = _manifest()
  for value in (float('nan'), float('inf'), -float('inf')):
    with pytest.raises(ValueError, match='JSON'):
      dataclasses.replace(manifest, packages={'x': value}).to_json()


def _commanded(**changes):
  command = {
    'entries': [{'name': 'velocity along x', 'unit': 'm/s', 'scale': 1.0}],
    'redraw_probability': 0.25,
  }
  return {**command, **changes}


def test_a_command_is_recorded_and_a_layer_without_one_does_not_mention_it(tmp_path):
  manifest = _manifest()
  *below, top = manifest.layers
  told = dataclasses.replace(
    manifest, layers=(*below, dataclasses.replace(top, command=_commanded()))
  )

  parsed = manifest_lib.parse(tmp_path, told.to_json().encode())
  assert parsed == told and parsed.layers[-1].command_size == 1
  assert 'command' not in json.loads(manifest.to_json())['layers'][-1]


@pytest.mark.parametrize(
  'command',
  [
    {},
    3,
    _commanded(entries=[]),
    _commanded(entries=[{'name': 'x'}]),
    _commanded(entries=[{'name': 'x', 'unit': 'm', 'scale': 'large'}]),
    _commanded(redraw_probability=0),
    _commanded(entries=3 * _commanded()['entries']),
    {**_commanded(), 'more': 1},
  ],
)
def test_a_command_that_is_none_is_damage(tmp_path, command):
  manifest = _manifest()
  *below, top = manifest.layers
  told = dataclasses.replace(
    manifest, layers=(*below, dataclasses.replace(top, command=command))
  )
  with pytest.raises(errors.LayerLoadError, match='damaged'):
    manifest_lib.parse(tmp_path, told.to_json().encode())
