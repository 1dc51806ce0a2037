"""Which saved layers fit which task."""

import dataclasses

import pytest

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import stack
from tests import helpers


def _manifest(**changes):
  record = helpers.make_record('base', ('body',))
  return dataclasses.replace(helpers.make_manifest([helpers.BODY], [record]), **changes)


def _field(name, size):
  return (observations.ObservationField(name, size),)


@pytest.mark.parametrize('goal_first', [False, True])
def test_layer_fits_a_task_with_its_fields_and_box(toy_task, goal_first):
  stack.check_fits(_manifest(), toy_task(goal_first=goal_first))


def test_box_may_differ_by_rounding(toy_task):
  stack.check_fits(_manifest(action_low=(-2.0000001, -1.0)), toy_task())


@pytest.mark.parametrize(
  ('changes', 'reason'),
  [
    ({'fields': _field('bodi', 3)}, "field 'bodi' (3 entries) is missing"),
    ({'fields': _field('bodi', 3)}, "did you mean 'body'?"),
    ({'fields': _field('body', 4)}, "'body' has 3 entries, but 4 are read"),
    (
      {'action_high': (1.0, 2.5)},
      'it acts in the box [[-2.0, -1.0], [1.0, 2.5]], '
      'the task takes [[-2.0, -1.0], [1.0, 3.0]]',
    ),
    ({'action_low': (-1.0,), 'action_high': (1.0,)}, 'it acts in the box [-1, 1]^1'),
  ],
)
def test_layer_that_does_not_fit_says_what_differs(toy_task, changes, reason):
  with pytest.raises(errors.StackError) as error:
    stack.check_fits(_manifest(**changes), toy_task())
  message = str(error.value)
  assert message.startswith("layer 'base' (trained on Toy-v0) does not fit task 'Toy-v0': ")
  assert reason in message
