"""What a few runs say of a system, and how surely.

As Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice"
(2021), section 4: interquartile means, probabilities of improvement, and percentile
intervals of a bootstrap that draws anew within each task. Everything is deterministic.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
_RESAMPLES = 2000
_SEED = 0


class Estimate(NamedTuple):
  """A figure and its interval.

  Attributes:
    value: The figure; an array for figures side by side.
    low: Lower end; None if there are too few runs for an interval.
    high: Upper end; None likewise.
    runs: Number of runs it comes from.
  """

  value: Any
  low: Any
  high: Any
  runs: int


def interquartile_mean(samples: Sequence[np.ndarray]) -> Estimate:
  """Returns the mean of the middle half of all runs.

  Of fewer than four runs nothing is cut off, and it is the mean.

  Args:
    samples: The runs of each task, [..., N]: the bootstrap keeps their number.
  """
  return _estimate(samples, _interquartile_mean)


def probability_of_improvement(
  ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]
) -> Estimate:
  """Returns how probably a run of one system beats a run of another; ties count half.

  It is the Mann-Whitney U over the number of pairs, averaged over tasks.

  Args:
    ours: The runs of one system on each task, [N].
    theirs: The runs of the other, in the same order of tasks, [M].
  """
  tasks = len(ours)

  def statistic(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
    del axis  # SciPy moves the runs to the last axis.
    pairs = zip(samples[:tasks], samples[tasks:], strict=True)
    return np.mean([_wins(a, b) for a, b in pairs], axis=0)

  return _estimate([*ours, *theirs], statistic)


def _interquartile_mean(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
  return stats.trim_mean(np.concatenate(samples, axis=axis), 0.25, axis=axis)


def _wins(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """Returns the share of pairs in which a run of `a` [..., N] beats one of `b` [..., M]."""
  a, b = a[..., :, None], b[..., None, :]
  return np.mean((a > b) + 0.5 * (a == b), axis=(-2, -1))


def _estimate(
  samples: Sequence[np.ndarray], statistic: Callable[..., np.ndarray]
) -> Estimate:
  """Returns a statistic of samples with a bootstrap that draws within each of them."""
  samples = [np.asarray(sample, np.float64) for sample in samples]
  value, runs = statistic(*samples), sum(sample.shape[-1] for sample in samples)
  if min(sample.shape[-1] for sample in samples) < 2:
    return Estimate(value, None, None, runs)
  interval = stats.bootstrap(
    samples,
    statistic,
    n_resamples=_RESAMPLES,
    vectorized=True,
    axis=-1,
    confidence_level=CONFIDENCE,
    method='percentile',
    rng=np.random.default_rng(_SEED),
  ).confidence_interval
  return Estimate(value, interval.low, interval.high, runs)
