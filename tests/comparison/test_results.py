"""Results: what is collected, and the scales they are laid on."""

from latent_hrl.comparison import curves
from latent_hrl.comparison import outside
from latent_hrl.comparison import results as results_lib
from tests.comparison import examples
from tests.comparison import fake_compare


def test_returns_to_reach_are_shares_of_the_way_to_the_best():
  assert examples.results().targets('Toy-v0') == [325.0, 585.0]  # Of 0 to 650.


def test_collecting_leaves_out_and_tells_what_cannot_be_read(tmp_path):
  comparison = fake_compare.comparison(references=['none.json', 'taken.json'])
  runs = comparison.runs(tmp_path)
  runs[0].record(finished=True, facts={})  # Without metrics.
  results, problems = results_lib.collect(comparison, runs)

  assert results.systems == []
  assert [problem.split(':')[0] for problem in problems] == [
    str(runs[0]),
    'none.json cannot be read',
    'taken.json cannot be read',
  ]


def test_files_of_an_outside_system_add_up_and_no_run_counts_twice(tmp_path):
  def write(name, system, seed):
    result = outside.Result('Toy-v0', 'Toy-v0', examples.FLAT[seed], seed=seed)
    path = tmp_path / f'{name}.json'
    outside.write(outside.Outside(system, 'a command', [result], note='a note'), path)
    return str(path)

  files = [write('a', 'theirs', 0), write('b', 'theirs', 1)]
  again, ours = write('c', 'theirs', 1), write('d', 'flat', 0)
  comparison = fake_compare.comparison(references=[*files, again, ours])
  results, problems = results_lib.collect(comparison, [])

  assert results.systems == ['theirs']
  assert results.final('Toy-v0', 'theirs').tolist() == [400.0, 600.0]
  assert results.sources == {'theirs': 'a note Source: a command'}
  assert problems == [
    f"{again}: some results of 'theirs' are there twice",
    f"{ours}: 'flat' is the name of one of our systems",
  ]


def test_zero_is_the_untrained_and_no_later_first_evaluation():
  late = curves.Curve([300, 400], [500.0, 900.0])

  assert examples.results([examples.FLAT[0], late], []).scale('Toy-v0') == (0.0, 650.0)
  assert examples.results([late], []).scale('Toy-v0') is None
