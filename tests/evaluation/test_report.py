"""The JSON file and the text of an evaluation."""

import json

from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import report


def _episodes():
  return [
    episodes_lib.Episode(task_return=1.0, layer_return=1.0, length=4, success=True, goal=0),
    episodes_lib.Episode(task_return=3.0, layer_return=4.0, length=6, success=True, goal=0),
  ]


def test_the_file_has_what_the_contract_names(saved_base, tmp_path):
  content = report.result(saved_base.saved, None, 7, 'mode', _episodes())
  report.write(content, tmp_path / 'new' / 'eval.json')

  read = json.loads((tmp_path / 'new' / 'eval.json').read_text())
  assert read == content
  assert read['layer'] == str(saved_base.path)
  assert (read['task'], read['seed'], read['episodes']) == ('Toy-v0', 7, 2)
  assert read['returns'] == [1.0, 3.0] and read['lengths'] == [4, 6]
  assert read['return_mean'] == 2.0 and read['return_std'] == 1.0
  assert read['success_rate'] == 1.0


def test_the_text_tells_returns_and_goals(saved_base):
  text = report.text(report.result(saved_base.saved, 'Other-v1', 0, 'hold', _episodes()))

  assert 'on Other-v1, 2 episodes, latents: hold' in text
  assert 'return  2.0 ± 1.0' in text
  assert 'layer return  2.5 ± 1.5' in text
  assert 'success rate  100.0%' in text
  assert 'goals reached  0: 100.0%' in text


def test_an_existing_file_is_replaced_whole(saved_base, tmp_path):
  path = tmp_path / 'eval.json'
  path.write_text('old ' * 10_000)

  report.write(report.result(saved_base.saved, None, 0, 'mode', _episodes()), path)

  assert json.loads(path.read_text())['episodes'] == 2
  assert list(tmp_path.iterdir()) == [path]
