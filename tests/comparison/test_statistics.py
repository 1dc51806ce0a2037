"""Statistics against numbers worked out by hand, and against SciPy's rank test."""

import numpy as np
import pytest
from scipy import stats

from latent_hrl.comparison import statistics


def test_the_interquartile_mean_drops_a_quarter_on_each_side():
  estimate = statistics.interquartile_mean([np.array([100.0, 1, 2, 3, 4, 5, 6, -100])])

  assert estimate.value == 3.5  # Of 2, 3, 4, 5.
  assert estimate.low < 3.5 < estimate.high
  assert estimate.runs == 8


def test_the_interquartile_mean_of_three_is_their_mean():
  assert statistics.interquartile_mean([np.array([1.0, 2.0, 6.0])]).value == 3.0


def test_runs_of_all_tasks_are_pooled():
  estimate = statistics.interquartile_mean([np.array([0.0, 1.0]), np.array([2.0, 9.0])])

  assert estimate.value == 1.5
  assert estimate.runs == 4


def test_the_bootstrap_draws_within_each_task():
  # Within a task all runs are equal: nothing can vary, though the tasks differ widely.
  estimate = statistics.interquartile_mean([np.zeros(3), np.full(3, 10.0)])

  assert estimate.value == estimate.low == estimate.high


def test_the_interval_of_two_runs_reaches_from_one_to_the_other():
  # Draws: both the lesser 1/4, one of each 1/2, both the greater 1/4.
  estimate = statistics.interquartile_mean([np.array([1.0, 3.0])])

  assert (estimate.low, estimate.value, estimate.high) == (1.0, 2.0, 3.0)


def test_one_run_has_no_interval():
  estimate = statistics.interquartile_mean([np.array([4.0])])

  assert estimate == (4.0, None, None, 1)


def test_one_task_with_one_run_takes_the_interval_from_all():
  assert statistics.interquartile_mean([np.array([4.0]), np.array([1.0, 2.0])]).low is None


def test_figures_are_the_same_each_time():
  sample = np.random.default_rng(0).normal(size=(4, 5))
  first, second = (statistics.interquartile_mean([sample]) for _ in range(2))

  for a, b in zip(first, second, strict=True):
    np.testing.assert_array_equal(a, b)
  assert first.value.shape == first.low.shape == (4,)
  assert np.all(first.low <= first.value) and np.all(first.value <= first.high)


def test_the_interval_covers_as_often_as_it_says():
  # With twenty runs of a normal distribution; a percentile interval is a little narrow.
  samples = np.random.default_rng(1).normal(size=(200, 20))
  estimate = statistics.interquartile_mean([samples])

  coverage = np.mean((estimate.low <= 0) & (estimate.high >= 0))
  assert 0.88 < coverage < 0.98


def test_the_probability_of_improvement_counts_pairs():
  ours, theirs = np.array([1.0, 5.0, 7.0]), np.array([1.0, 6.0])
  estimate = statistics.probability_of_improvement([ours], [theirs])

  # 1: a tie and a loss; 5: a win and a loss; 7: two wins. (0.5 + 1 + 2) / 6.
  assert estimate.value == pytest.approx(3.5 / 6)
  u = stats.mannwhitneyu(ours, theirs).statistic
  assert estimate.value == pytest.approx(u / 6)
  assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_the_probability_of_improvement_is_a_mean_over_tasks():
  better, worse = np.array([2.0, 3.0]), np.array([0.0, 1.0])
  estimate = statistics.probability_of_improvement([better, worse], [worse, better])

  assert (estimate.value, estimate.low, estimate.high) == (0.5, 0.5, 0.5)


def test_one_run_on_either_side_gives_no_interval():
  estimate = statistics.probability_of_improvement([np.array([2.0, 3.0])], [np.ones(1)])

  assert (estimate.value, estimate.low, estimate.high) == (1.0, None, None)
