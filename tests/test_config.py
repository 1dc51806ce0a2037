"""Gin files load, say what they should, and mistakes name the nearest name."""

import gin
import pytest

import latent_hrl
from latent_hrl import config
from latent_hrl import errors

GIN_FILES = sorted(
  str(path.relative_to(config.PROJECT_ROOT))
  for path in (config.PROJECT_ROOT / 'gin').rglob('*.gin')
  # A part of others; and comparisons, which are no runs.
  if path.stem not in ('embeddings', 'second_layer', 'maze_layer', 'goal_layer')
  and path.parent.name != 'compare'
)


@pytest.mark.parametrize('path', GIN_FILES)
def test_every_gin_file_loads(path):
  config.load([path])

  if path != 'gin/defaults.gin':
    assert gin.query_parameter('train_stack.layers')


def test_stacks_are_ordered_bottom_first():
  config.load(['gin/stack_half_cheetah.gin'])

  layers = gin.query_parameter('train_stack.layers')
  assert [layer.scoped_selector.split('/')[0] for layer in layers] == ['base', 'upper']
  assert gin.query_parameter('upper/real_nvp.shift_scale') == 3.0
  assert gin.query_parameter('upper/create_agent.entropy_of') == 'action'


def test_bindings_override_files_and_loading_replaces_the_last_configuration():
  config.load(['gin/half_cheetah.gin'], ['base/Layer.env_steps = 7'])
  assert gin.query_parameter('base/Layer.env_steps') == 7

  config.load(['gin/half_cheetah.gin'])
  assert gin.query_parameter('base/Layer.env_steps') == 300_000


def test_files_are_found_from_any_directory(tmp_path, monkeypatch):
  path = config.PROJECT_ROOT / 'gin' / 'half_cheetah.gin'
  monkeypatch.chdir(tmp_path)

  config.load([str(path)])
  config.load(['gin/half_cheetah.gin'])


MISTAKES = {
  'OffPolcy.batch_size = 3': "'OffPolcy'.*did you mean 'OffPolicy'",
  'OffPolicy.batch_sise = 3': "batch_sise.*did you mean 'batch_size'",
  'base/Layer.reward_fn = @planar_sped': "planar_sped.*did you mean 'planar_speed'",
  'OffPolicy.batch_size = [3': 'gin cannot read',
  'OffPolicy.batch_size 3': 'gin cannot read',
  'include "gin/nowhere.gin"': 'gin/nowhere.gin',
  'import no_such_module': 'no_such_module',
  'OffPolicy.batch_size = %size': 'gin: %size has no value',
  'size = %size\nbase/Layer.env_steps = %size': 'refers to itself',
  'bsae/OffPolicy.batch_size = 3': "there is no layer 'bsae'; did you mean 'base'",
  'train_stack.layers = [@base/Layer(), @make_task()]': 'make_task.. missing 1 required',
}


@pytest.mark.parametrize('binding', MISTAKES)
def test_a_mistake_is_one_line(binding):
  with pytest.raises(errors.ConfigError, match=MISTAKES[binding]) as caught:
    config.load(['gin/half_cheetah.gin'], [binding])

  assert '\n' not in str(caught.value)


@pytest.mark.parametrize('path', ['gin/half_cheeta.gin', 'nowhere/half_cheetah.gin'])
def test_a_missing_file_names_the_nearest(path):
  with pytest.raises(
    errors.ConfigError, match='no gin file.*did you mean .*half_cheetah.gin'
  ):
    config.load([path])


def test_the_nearest_file_does_not_depend_on_where_the_library_lies(tmp_path, monkeypatch):
  root = tmp_path / ('projects_' * 12) / 'clone'
  (root / 'gin').mkdir(parents=True)
  (root / 'gin' / 'half_cheetah.gin').touch()
  monkeypatch.setattr(config, 'PROJECT_ROOT', root)
  monkeypatch.setattr(config, '_GIN_FOLDER', root / 'gin')

  for path in (
    'gin/half_cheeta.gin',
    'nowhere/half_cheeta.gin',
    f'{root}/gin/half_cheeta.gin',
  ):
    with pytest.raises(errors.ConfigError, match="mean 'gin/half_cheetah.gin'"):
      config.load([path])


def test_shipped_files_are_found_by_name_from_anywhere(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  mine = tmp_path / 'mine.gin'
  for name in ('gin/half_cheetah.gin', 'half_cheetah.gin', 'demo/half_cheetah.gin'):
    mine.write_text(f"include '{name}'\n")
    for file in (name, 'mine.gin'):
      config.load([file])
      assert gin.query_parameter('train_stack.task') == 'HalfCheetah-v5'

  with pytest.raises(errors.ConfigError, match="mean 'gin/half_cheetah.gin'"):
    config.load(['half_cheeta.gin'])


def test_a_shipped_file_includes_shipped_files(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'gin').mkdir()
  (tmp_path / 'gin' / 'defaults.gin').write_text('create_agent.gamma = 0.5\n')

  config.load(['half_cheetah.gin'])
  assert 'create_agent.gamma' not in gin.config_str()
  config.load(['gin/defaults.gin'])  # One's own of that name, when one names it oneself.
  assert gin.query_parameter('create_agent.gamma') == 0.5


def test_an_include_is_looked_up_beside_its_file_first(tmp_path, monkeypatch):
  (tmp_path / 'work').mkdir()
  (tmp_path / 'mine' / 'parts').mkdir(parents=True)
  mine = tmp_path / 'mine'
  (mine / 'top.gin').write_text("include 'parts/one.gin'\ninclude 'gin/defaults.gin'\n")
  (mine / 'parts' / 'one.gin').write_text("include 'two.gin'\n")
  (mine / 'parts' / 'two.gin').write_text('base/Layer.env_steps = 2\n')
  # Of the same name, where the launcher was started.
  (tmp_path / 'work' / 'two.gin').write_text('base/Layer.env_steps = 3\n')
  monkeypatch.chdir(tmp_path / 'work')

  config.load([str(mine / 'top.gin')], ['train_stack.layers = [@base/Layer()]'])

  assert gin.query_parameter('base/Layer.env_steps') == 2
  assert gin.query_parameter('train_stack.layers')


def test_a_byte_order_mark_is_no_text(tmp_path):
  path = tmp_path / 'notepad.gin'
  path.write_bytes(b'\xef\xbb\xbfcreate_agent.gamma = 0.5 # \xc3\xbc\n')

  latent_hrl.load_config([str(path)])

  assert gin.query_parameter('create_agent.gamma') == 0.5


def test_a_macro_that_nothing_reads_is_noted(capsys):
  config.load(
    ['gin/half_cheetah.gin'],
    ['batch_sise = 3', 'size = 64', 'OffPolicy.batch_size = %size', 'zzzz = 1'],
  )
  assert capsys.readouterr().out.splitlines() == [
    "note: nothing reads 'batch_sise'; did you mean OffPolicy.batch_size?",
    "note: nothing reads 'zzzz'",
  ]


def test_a_damaged_file_is_named(tmp_path):
  path = tmp_path / 'bad.gin'
  path.write_text('train_stack.layers = [@base/Layer(\n')

  with pytest.raises(errors.ConfigError, match='bad.gin'):
    config.load([str(path)])


def test_a_scope_may_be_that_of_a_layer_left_out_or_of_a_reference():
  config.load(
    ['gin/multi_goal.gin'],
    [
      'train_stack.layers = [@base/Layer()]',
      'north_east/OffPolicy.batch_size = 8',
      'base/Layer.reward_fn = @near/sparse_goal',
      'near/sparse_goal.radius = 0.5',
      "weighted_sum.terms = {'far/sparse_goal': 1.0}",
      'far/sparse_goal.radius = 2.0',
      'size = 3',
      'OffPolicy.batch_size = %size',
    ],
  )
  config.load(
    ['gin/defaults.gin'],
    [
      'train_stack.layers = @Layer()',
      'Layer.name = "only"',
      'only/OffPolicy.batch_size = 8',
    ],
  )


def test_a_scope_that_looks_like_a_slip_is_noted(capsys):
  config.load(['gin/half_cheetah.gin'], ['bsae/Layer.env_steps = 9'])
  expected = "note: nothing is made with the bindings of 'bsae'; did you mean 'base'?\n"
  assert capsys.readouterr().out == expected
  # Another name altogether is one that is left out.
  config.load(['gin/half_cheetah.gin'], ['upper/Layer.env_steps = 9'])
  assert not capsys.readouterr().out


@pytest.mark.parametrize(
  'content', [b'\xff\xfe', b'a = 3\x00', b'x = ' + b'(' * 5000, b'include "bad.gin"\n']
)
def test_a_file_that_is_no_gin_is_one_line(tmp_path, monkeypatch, content):
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'bad.gin').write_bytes(content)

  with pytest.raises(errors.ConfigError) as caught:
    config.load(['bad.gin'])

  assert '\n' not in str(caught.value)


@pytest.mark.parametrize('body', ['1 / 0', 'raise KeyError("x")', 'no_such_name', 'def'])
def test_an_import_that_fails_is_one_line(tmp_path, monkeypatch, body):
  monkeypatch.syspath_prepend(tmp_path)
  (tmp_path / 'failing_module.py').write_text(body + '\n')

  with pytest.raises(errors.ConfigError) as caught:
    config.load(['gin/multi_goal.gin'], ['import failing_module'])

  assert '\n' not in str(caught.value)
