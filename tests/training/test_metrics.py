"""metrics.jsonl and TensorBoard: what is written, rewound, and refused."""

import pytest
import tensorflow as tf

from latent_hrl import errors
from latent_hrl import run_directory
from latent_hrl.training import metrics
from tests import helpers


def _run(path):
  return run_directory.RunDirectory(path)


def _row(layer, env_steps, **changes):
  values = {'return_mean': 1.0, 'return_std': 0.5, 'layer_return_mean': 1.0}
  return {
    'layer': layer,
    'reward': 'task_reward',
    'env_steps': env_steps,
    'layer_return_std': 0.5,
    **values,
    **changes,
  }


def test_rows_are_appended_without_infinities_and_the_curve_is_drawn(tmp_path):
  log = metrics.MetricsLog(_run(tmp_path), 'title')
  log.append(_row('base', 0, q_value=float('inf'), entropy=float('nan')))
  log.append(_row('base', 10, q_value=2.0))

  rows = helpers.metrics(tmp_path)
  assert 'q_value' not in rows[0] and 'entropy' not in rows[0]
  assert rows[1]['q_value'] == 2.0
  assert (tmp_path / 'learning_curve.png').exists()


def test_a_resumed_layer_drops_what_it_will_write_again(tmp_path):
  first = metrics.MetricsLog(_run(tmp_path), 'title')
  for layer, steps in (('base', 0), ('base', 10), ('base', 20), ('upper', 0)):
    first.append(_row(layer, steps))

  log = metrics.MetricsLog(_run(tmp_path), 'title')
  log.rewind('base', 10)

  assert [(r['layer'], r['env_steps']) for r in helpers.metrics(tmp_path)] == [
    ('base', 0),
    ('base', 10),
    ('upper', 0),
  ]
  assert [row['env_steps'] for row in log.rows('base')] == [0, 10]


def test_a_damaged_file_is_refused_and_stays(tmp_path):
  path = tmp_path / 'metrics.jsonl'
  path.write_text('{"layer": "base"\n')
  with pytest.raises(errors.ConfigError, match='metrics.jsonl is damaged'):
    metrics.MetricsLog(_run(tmp_path), 'title')
  assert path.read_text() == '{"layer": "base"\n'


def test_tensorboard_gets_every_number_by_its_path(tmp_path):
  board = metrics.TensorBoard(
    tmp_path / 'events', {'layer': 'base', 'seed': 3}, 'a = 1\nb = 2'
  )
  log = metrics.MetricsLog(_run(tmp_path), 'title')
  log.append(_row('base', 30))
  board.write(
    _row(
      'base',
      30,
      terms={'speed': 2.5},
      collect={'success_rate': 0.25, 'terms': {'a': 7}},
      steps_per_s=90.0,
      critic_loss=0.5,
    ),
    log.curve_path,
  )
  board.close()

  (file,) = (tmp_path / 'events').glob('events.out.tfevents.*')
  found = {}
  for event in tf.compat.v1.train.summary_iterator(str(file)):
    for value in event.summary.value:
      found[value.tag] = (event.step, tf.make_ndarray(value.tensor))
  assert found['eval/return_mean'] == (30, 1.0)
  assert found['eval/terms/speed'] == (30, 2.5)
  assert found['collect/success_rate'] == (30, 0.25)
  assert found['collect/terms/a'] == (30, 7.0)
  assert found['time/steps_per_s'] == (30, 90.0)
  assert found['losses/critic_loss'] == (30, 0.5)
  assert not {'env_steps', 'layer'} & {tag.rpartition('/')[2] for tag in found}
  assert b'    a = 1\n    b = 2' in found['configuration'][1].item()
  assert found['learning_curve'][1][2].startswith(b'\x89PNG')
  assert '_hparams_/session_start_info' in found


def _said(capsys, rows, place=None, seconds=(1.0,) * 8, learning=True):
  progress = metrics.Progress('base', 1000, 0, place)
  for row in rows:
    for each in seconds:
      progress.advance(10, each)
    progress.report(row, learning)
  progress.close()
  return capsys.readouterr().out.splitlines()


def test_the_time_left_counts_neither_compiling_nor_steps_without_updates(capsys):
  # Two quick steps without an update, compiling for a minute, then ten steps a second.
  seconds = [0.1, 0.1, 60.0, 1.0, 1.0, 1.0, 1.0, 1.0]
  (line,) = _said(capsys, [_row('base', 80)], metrics.Place(1, 2, 500), seconds)
  assert line.startswith('base (1 of 2)  step        80 / 1,000')
  # 920 steps at 10 a second, and 500 more of the layer above.
  assert line.endswith('10 steps/s, 01:32 left, about 02:22 for all layers')


def test_before_the_first_update_no_time_is_foretold(capsys):
  (line,) = _said(capsys, [_row('base', 80)], learning=False)
  assert line.endswith('return       1.0 ± 0.5')


def test_the_time_left_is_told_with_one_call_a_report(capsys):
  rows = [_row('base', 10), _row('base', 20)]
  first, second = _said(capsys, rows, seconds=[5.0])
  assert 'left' not in first  # It compiled.
  assert second.endswith('2 steps/s, 08:10 left')


def test_a_line_tells_the_layers_own_return_where_it_is_another(capsys):
  rows = [_row('base', 80), _row('base', 160, layer_return_mean=90.0, success_rate=0.5)]
  same, other = _said(capsys, rows)
  assert 'layer return' not in same
  assert 'return       1.0 ± 0.5  layer return      90.0 ± 0.5  success 50%' in other


@pytest.mark.parametrize('content', [b'5\n', b'{}\n', b'\xff\xfe\n', b'{"layer": "a"}\n'])
def test_what_holds_no_rows_is_refused(tmp_path, content):
  path = tmp_path / 'metrics.jsonl'
  path.write_bytes(content)
  with pytest.raises(errors.ConfigError, match='metrics.jsonl is damaged'):
    metrics.MetricsLog(_run(tmp_path), 'title')
  assert path.read_bytes() == content
