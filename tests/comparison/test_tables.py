"""Tables, worked out by hand from three short curves a system."""

import dataclasses

import pytest

from latent_hrl.comparison import curves
from latent_hrl.comparison import tables
from tests.comparison import examples


def _cells(table):
  return {name: [tuple(cell) for cell in cells] for name, cells in table.rows}


def test_final_returns_with_the_number_of_runs():
  cells = _cells(tables.final(examples.results()))

  (flat,), (deep,), (paper,) = cells['flat'], cells['deep'], cells['paper']
  assert flat[0].startswith('400 [') and flat[1] == 'n = 3'
  assert deep == ('650 [300, 1,000]', 'n = 2 of 3')
  assert paper == ('9.00 after 1,000', 'mean, n = 5, Toy-v-1')


def test_one_seed_gives_no_interval():
  cells = _cells(
    tables.final(examples.results(examples.FLAT[:1], examples.DEEP[:1], seeds=1))
  )

  assert cells['flat'] == [('400', 'n = 1')]


def test_a_system_without_a_finished_run_is_not_passed_over():
  cells = _cells(tables.final(examples.results(examples.FLAT, [])))

  assert cells['deep'] == [('–', 'n = 0 of 3')]


def test_scores_over_tasks_go_from_untrained_to_best():
  table = tables.final(examples.results(tasks=['A-v0', 'B-v0']))
  cells = _cells(table)

  assert table.header[-1] == 'score, all tasks'
  # 0 to 650, the mean of the deep ones; of 300, 300, 1000, 1000 the middle half is cut.
  assert cells['deep'][-1][0].startswith('1.00 [')
  assert cells['deep'][-1][1] == 'n = 4 of 6'
  # 200, 200, 400, 400, 600, 600: one off each side.
  assert cells['flat'][-1][0].startswith(f'{400 / 650:.2f} [')
  assert cells['paper'][-1] == ('–', '')


def test_success_is_told_on_tasks_with_goals_alone():
  assert tables.success(examples.results()).header == ['system']
  runs = [dataclasses.replace(run, success=rate) for run, rate in zip(
    examples.FLAT, (0.5, 1.0, None), strict=True)]  # fmt: skip
  table = tables.success(examples.results(runs))
  assert _cells(table) == {'flat': [('75% [50%, 100%]', 'n = 2')], 'deep': [('–', '')]}
  assert 'Success at the end' in [
    t.title for t in tables.all_tables(examples.results(runs))
  ]


def test_the_probability_of_improvement_of_each_over_each():
  table = tables.improvement(examples.results())
  cells = _cells(table)

  # 400, 600, 200 against 300, 1000: two wins of six.
  assert list(table.header) == ['row beats column', 'flat', 'deep']
  assert cells['flat'][0] == ('–', '')
  assert cells['flat'][1][0].startswith('0.33 [0.00, ')
  assert cells['flat'][1][1] == 'n = 3, 2'
  assert cells['deep'][0][0].startswith('0.67 [')


def test_curves_that_stop_before_the_budget_beat_nobody():
  short = curves.Curve([0, 100], [0, 900])
  results = examples.results()
  results.curves['Toy-v0']['outside'] = [short]

  assert list(tables.improvement(results).header) == ['row beats column', 'flat', 'deep']
  only = examples.results(examples.FLAT, [short])
  assert only.systems == ['flat', 'deep']
  assert tables.improvement(only).rows == []


def test_steps_to_a_return():
  results = examples.results(returns={'Toy-v0': [300, 450]})
  table = tables.efficiency(results)
  cells = _cells(table)

  assert list(table.header) == ['system', '300 on Toy-v0', '450 on Toy-v0']
  assert cells['flat'] == [
    ('400 [200, never]', '2 of 3 runs'),
    ('never [400, never]', '1 of 3 runs'),
  ]
  assert cells['deep'][0] == ('300 [200, 400]', '2 of 2 runs')


def test_what_gets_no_better_has_no_scale():
  results = examples.results([examples.curve(5, 4, 3, 2)], [], seeds=1)

  assert results.scale('Toy-v0') is None
  assert results.targets('Toy-v0') == []
  titles = [table.title for table in tables.all_tables(results)]
  assert titles == ['Return after 400 environment steps', 'Training time']


def test_training_time_is_told_with_its_spread():
  slow = curves.Curve([0, 400], [0.0, 1.0], [0.0, 3725.0])
  cells = _cells(
    tables.wall_time(examples.results([examples.FLAT[0], slow], [curves.Curve([0], [0])]))
  )

  assert cells['flat'] == [('1:31:02 [1:02:05, 2:00:00]', 'n = 2, 0.1 steps/s')]
  assert cells['deep'] == [('–', '')]


def test_reaching_a_return_beyond_the_budget_does_not_count():
  long = curves.Curve([0, 400, 800], [0.0, 1.0, 500.0])
  cells = _cells(tables.efficiency(examples.results([long], [], returns={'Toy-v0': [300]})))

  assert cells['flat'] == [('never', '0 of 1 runs')]


@pytest.mark.parametrize(
  ('value', 'text'), [(12096.4, '12,096'), (-42.123, '-42.1'), (0.666, '0.67')]
)
def test_numbers_have_the_digits_that_mean_something(value, text):
  assert tables.number(value) == text


def test_text_for_a_terminal_lines_up():
  lines = tables.as_text([tables.final(examples.results())]).splitlines()

  assert lines[1] == 'Return after 400 environment steps'
  assert lines[2].index('Toy-v0') == lines[3].index('400 [')
