"""Curves: read from runs, laid together, and what is made of their steps."""

import json
import math

import numpy as np
import pytest

from latent_hrl import errors
from latent_hrl.comparison import curves

STEPS = {'base': 200, 'upper': 100}


def _row(layer, env_steps, value, wall_s, **kwargs):
  row = {'layer': layer, 'env_steps': env_steps, 'wall_s': wall_s, 'return_mean': value}
  return {**row, **kwargs}


ROWS = [
  _row('base', 0, 1.0, 1.0),
  _row('base', 100, 2.0, 5.0),
  _row('base', 200, 3.0, 9.0),
  _row('upper', 0, 3.5, 2.0),
  _row('upper', 100, 5.0, 6.0),
]


def _write(path, rows):
  path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
  return path


def test_steps_and_time_of_layers_add_up(tmp_path):
  curve = curves.read_run(_write(tmp_path / 'metrics.jsonl', ROWS), 'Toy-v0', STEPS)

  # At 200 steps the fresh upper layer counts, with its own evaluation's time on top.
  assert curve.env_steps.tolist() == [0, 100, 200, 300]
  assert curve.returns.tolist() == [1.0, 2.0, 3.5, 5.0]
  assert curve.wall_s.tolist() == [1.0, 5.0, 11.0, 15.0]
  assert curve.success is None


def test_success_is_that_of_the_last_evaluation(tmp_path):
  rows = [{**row, 'success_rate': row['return_mean'] / 10} for row in ROWS]
  curve = curves.read_run(_write(tmp_path / 'metrics.jsonl', rows), 'Toy-v0', STEPS)
  assert curve.success == 0.5


def test_a_base_from_another_task_costs_steps_and_has_no_returns(tmp_path):
  rows = [{**row, 'task': 'Other-v0'} for row in ROWS[:3]]
  rows += [{**row, 'task': 'Toy-v0'} for row in ROWS[3:]]
  curve = curves.read_run(_write(tmp_path / 'metrics.jsonl', rows), 'Toy-v0', STEPS)

  assert curve.env_steps.tolist() == [200, 300]
  assert curve.wall_s.tolist() == [11.0, 15.0]


@pytest.mark.parametrize(
  ('text', 'words'),
  [
    (json.dumps(ROWS[0]) + '\n', "0 of 200 environment steps of layer 'base'"),
    ('', "0 of 200 environment steps of layer 'base'"),
    ('{"layer": "base"', 'is damaged'),
    ('{"layer": "base"}\n', 'is damaged'),
    ('3\n', 'is damaged'),
  ],
)
def test_what_is_no_finished_run_is_named(tmp_path, text, words):
  path = tmp_path / 'metrics.jsonl'
  path.write_text(text)

  with pytest.raises(errors.ConfigError, match=words) as error:
    curves.read_run(path, 'Toy-v0', STEPS)
  assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path):
  with pytest.raises(errors.ConfigError, match='cannot be read: No such file'):
    curves.read_run(tmp_path / 'metrics.jsonl', 'Toy-v0', STEPS)


def test_steps_to_a_return_are_those_of_the_first_evaluation_that_has_it():
  curve = curves.Curve([0, 10, 20, 30], [0.0, 5.0, 4.0, 6.0])

  assert curve.steps_to(5.0) == 10
  assert curve.steps_to(5.5) == 30  # Nothing is interpolated.
  assert curve.steps_to(7.0) == math.inf


def test_the_final_return_is_that_at_the_budget():
  curve = curves.Curve([0, 50, 96], [0.0, 5.0, 9.0])

  assert curve.final(50) == 5.0
  assert curve.final(73) == 7.0
  assert curve.final(100) == 9.0  # 96% of the budget: where a rollout ended.
  assert curve.final(102) is None


def test_curves_are_laid_on_the_steps_that_all_have():
  first = curves.Curve([0, 10, 20, 30], [0.0, 1.0, 2.0, 3.0])
  second = curves.Curve([5, 15, 25], [10.0, 20.0, 10.0])
  steps = curves.common_steps([first, second])

  assert steps.tolist() == [5, 10, 15, 20, 25]
  np.testing.assert_allclose(
    curves.together([first, second], steps),
    [[0.5, 10.0], [1.0, 15.0], [1.5, 20.0], [2.0, 15.0], [2.5, 10.0]],
  )


def test_curves_that_do_not_overlap_have_no_common_steps():
  early, late = curves.Curve([0, 1], [0.0, 0.0]), curves.Curve([2, 3], [0.0, 0.0])

  assert curves.common_steps([early, late]).size == 0


@pytest.mark.parametrize(
  ('arguments', 'words'),
  [
    (([], []), 'not empty'),
    (([0, 1], [1.0]), 'same length'),
    (([0, 1], [1.0, math.nan]), 'returns has others'),
    (([1, 1], [1.0, 2.0]), 'must increase'),
    (([0, 1], [1.0, 2.0], [0.0]), 'wall_s has the shape'),
  ],
)
def test_a_curve_refuses_what_is_none(arguments, words):
  with pytest.raises(errors.ConfigError, match=words):
    curves.Curve(*arguments)
