"""The benchmark's report: ratios within a round, and what is asked beside what came."""

from benchmarks import report
from benchmarks.workers import floor

# The second round ran on a machine twice as slow; a ratio of medians would mix the rounds.
TRAINING = {
  'realnvp': {'label': 'latent_hrl, RealNVP', 'values': [100.0, 50.0, 110.0]},
  'tf_agents': {'label': 'TF-Agents SAC', 'values': [20.0, 10.0, 44.0]},
  'floor': {
    'label': 'products',
    'values': [200.0, 110.0, 210.0],
    'mflop_per_update': 584.3,
  },
  'updates': {'label': 'updates', 'values': [100.0, 55.0, 115.5]},
}


def _results():
  training = {key: {**row, 'peak_mib': 1000.0} for key, row in TRAINING.items()}
  training['realnvp'] |= {'threads': '2 cores', 'replay_bytes_per_row': 101.0}
  first = {'first_step': {'label': 'first', 'values': [19.0, 25.0, 18.0], 'peak_mib': 1.0}}
  return {'training': training, 'first_step': first}


def test_ratios_are_taken_within_a_round():
  assert report.ratios([100.0, 50.0], [20.0, 10.0]) == [5.0, 5.0]


def test_the_table_says_what_was_asked_what_came_and_whether_it_suffices():
  table = report.text(_results(), {'processor': 'some'})

  assert '| TF-Agents SAC, times | ≥ 5.00 | 5.00 (2.50 to 5.00) | yes |' in table
  assert (
    '| updates alone, share of the floor | ≥ 0.55 | 0.50 (0.50 to 0.55) | no |' in table
  )
  assert (
    '| seconds from command to first training step | ≤ 20 | 19.00 (18.00 to 25.00) | yes |'
    in table
  )  # noqa: E501
  assert 'Stable-Baselines3' not in table  # Not measured, not mentioned.
  assert 'Arithmetic: 584 MFLOP an update.' in table


def test_the_picture_is_a_png(tmp_path):
  report.picture(_results(), tmp_path / 'bench.png')

  assert (tmp_path / 'bench.png').read_bytes().startswith(b'\x89PNG')


def test_the_floor_counts_the_products_of_an_update():
  operations = sum(2 * n * k * m * count for n, k, m, count in floor.products(17, 6))
  wide = sum(count for n, k, m, count in floor.products(17, 6) if (n, k, m) == (256,) * 3)

  # By hand: forward 2 actor + 6 critic, weight gradients 2 + 1, input gradients 2 + 2 + 1.
  assert wide == 16
  assert 16 * 2 * 256**3 < operations < 1.1 * 16 * 2 * 256**3
