"""Three runs of one system and two of another, short enough to work out by hand."""

from latent_hrl.comparison import curves
from latent_hrl.comparison import outside
from latent_hrl.comparison import results as results_lib
from tests.comparison import fake_compare

STEPS = [0, 100, 200, 400]


def curve(*returns):
  return curves.Curve(STEPS, returns, [0.0, 1800.0, 3600.0, 7200.0])


FLAT = [curve(0, 100, 200, 400), curve(0, 200, 300, 600), curve(0, 0, 100, 200)]
DEEP = [curve(0, 50, 100, 300), curve(0, 250, 500, 1000)]
PUBLISHED = outside.Result('Toy-v0', 'Toy-v-1', curves.Curve([300, 1000], [5, 9]), seeds=5)


def results(flat=FLAT, deep=DEEP, **kwargs):
  comparison = fake_compare.comparison(**kwargs)
  by_task = {task: {'flat': flat, 'deep': deep} for task in comparison.tasks}
  means = {task: {'paper': PUBLISHED} for task in comparison.tasks}
  return results_lib.Results(comparison, by_task, means, {'paper': 'a paper'})
