"""Outside results: the schema, a round trip, and files that are no such."""

import json

import pytest

from latent_hrl import errors
from latent_hrl.comparison import curves
from latent_hrl.comparison import outside

RUN = {'task': 'Toy-v0', 'seed': 0, 'env_steps': [0, 10], 'returns': [1.0, 2]}
FILE = {'version': 1, 'system': 'theirs', 'source': 'a paper', 'results': [RUN]}


def _write(path, **changes):
  path.write_text(json.dumps({**FILE, **changes}))
  return path


def test_a_file_is_read(tmp_path):
  mean = {'task': 'Toy-v5', 'measured_on': 'Toy-v2', 'seeds': 5}
  mean |= {'env_steps': [10], 'returns': [3]}
  other = outside.read(_write(tmp_path / 'a.json', results=[RUN, mean], note='old'))

  assert (other.system, other.source, other.note) == ('theirs', 'a paper', 'old')
  run, published = other.results
  assert (run.task, run.measured_on, run.seed, run.seeds) == ('Toy-v0', 'Toy-v0', 0, 1)
  assert run.curve.returns.tolist() == [1.0, 2.0]
  assert (published.measured_on, published.seed, published.seeds) == ('Toy-v2', None, 5)


def test_what_is_written_is_read_again(tmp_path):
  curve = curves.Curve([0, 10], [1.5, 2.5], [0.1, 0.2])
  results = [
    outside.Result('Toy-v0', 'Toy-v0', curve, seed=3),
    outside.Result('Toy-v5', 'Toy-v2', curves.Curve([10], [3.0]), seeds=5),
  ]
  first = outside.Outside('theirs', 'a command', results, note='a note')
  outside.write(first, tmp_path / 'first.json')
  outside.write(outside.read(tmp_path / 'first.json'), tmp_path / 'second.json')

  assert (tmp_path / 'first.json').read_text() == (tmp_path / 'second.json').read_text()
  again = outside.read(tmp_path / 'second.json')
  assert again.results[0].curve.wall_s.tolist() == [0.1, 0.2]
  assert (again.results[0].seed, again.results[1].seeds) == (3, 5)


def test_the_published_figures_of_tf_agents():
  published = outside.read('gin/compare/references/tf_agents_sac.json')

  half_cheetah = published.results[0]
  assert half_cheetah.task == 'HalfCheetah-v5'
  assert half_cheetah.measured_on == 'HalfCheetah-v2'
  assert half_cheetah.curve.returns.tolist() == [12096, 14877]
  assert all(result.seeds == 5 for result in published.results)
  assert 'v2 tasks' in published.note


@pytest.mark.parametrize(
  ('changes', 'words'),
  [
    ({'version': 2}, 'version must be 1, got 2'),
    ({'system': 3}, 'system must be text, got 3'),
    ({'system': ' '}, 'system must not be empty'),
    ({'results': {}}, 'results must be a list'),
    ({'results': [{**RUN, 'env_steps': [-5, 0]}]}, 'env_steps must be 0 or more'),
    ({'results': [{**RUN, 'seed': -1}]}, 'seed must be 0 or more, got -1'),
    ({'sorce': 'x'}, "has no 'sorce'; did you mean 'source'"),
    ({'results': [3]}, r'results\[0\] must be a JSON object'),
    ({'results': [{**RUN, 'seeds': 3}]}, r'results\[0\] needs either seed'),
    ({'results': [{**RUN, 'return': 3}]}, "did you mean 'returns'"),
    ({'results': [RUN, {**RUN, 'seed': '1'}]}, r'results\[1\]: seed must be a whole'),
    ({'results': [{**RUN, 'returns': [1.0, 'x']}]}, 'returns must be numbers'),
    ({'results': [{**RUN, 'returns': [1.0]}]}, 'same length'),
    ({'results': [{**RUN, 'env_steps': [10, 0]}]}, 'must increase'),
  ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, changes, words):
  path = _write(tmp_path / 'a.json', **changes)

  with pytest.raises(errors.ConfigError, match=words) as error:
    outside.read(path)
  assert str(path) in str(error.value)


def test_what_cannot_be_read_is_named(tmp_path):
  (tmp_path / 'a.json').write_text('{"version": 1')

  with pytest.raises(errors.ConfigError, match='a.json is no JSON'):
    outside.read(tmp_path / 'a.json')
  (tmp_path / 'b.json').write_bytes(b'\xff\xfe\x00')
  with pytest.raises(errors.ConfigError, match='b.json is no JSON'):
    outside.read(tmp_path / 'b.json')
  _write(tmp_path / 'd.json', results=[{**RUN, 'returns': [1.0, 10**400]}])
  (tmp_path / 'e.json').write_text('[' * 100_000)
  for name in ('d.json', 'e.json'):
    with pytest.raises(errors.ConfigError, match=f'{name} is no JSON'):
      outside.read(tmp_path / name)
  with pytest.raises(errors.ConfigError, match='c.json cannot be read: No such file'):
    outside.read(tmp_path / 'c.json')
