"""Tests of stacking: which layers fit which task, and the latent as an action space."""

import dataclasses

import gymnasium
import pytest

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import stack
from latent_hrl.environments import tasks
from latent_hrl.layers import spec
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


def test_stack_of_new_layers_on_a_trained_one_passes(toy_task):
  upper = spec.Layer(name='upper', observation_fields=('goal',))
  stack.check_stack([_manifest(), upper], [toy_task()] * 2)
  stack.check_stack([spec.Layer(name='base'), upper], [toy_task()] * 2)


def test_a_layer_may_come_from_another_task_with_its_fields(toy_task):
  base = spec.Layer(name='base', observation_fields=('body',))
  upper = spec.Layer(name='upper')
  stack.check_stack([base, upper], [toy_task(), toy_task(goal_first=True)])
  elsewhere = tasks.make_task('latent_hrl/MultiGoal-v0')
  with pytest.raises(errors.StackError, match="'base' .*Toy-v0.* does not fit .*'body'"):
    stack.check_stack([base, upper], [toy_task(), elsewhere])


@pytest.mark.parametrize(
  ('intervals', 'reason'),
  [
    ((2, 4), 'base/Layer.interval is 2, but a bottom layer acts every step'),
    ((1, 3, 4), 'top/Layer.interval is 4, no multiple of the 3 steps of the layer below'),
    ((1, 3, 1), 'top/Layer.interval is 1, no multiple of the 3 steps of the layer below'),
  ],
)
def test_intervals_must_nest(toy_task, intervals, reason):
  names = ('base', 'middle', 'top') if len(intervals) == 3 else ('base', 'top')
  layers = [
    spec.Layer(name=name, interval=k) for name, k in zip(names, intervals, strict=True)
  ]
  with pytest.raises(errors.ConfigError, match=reason):
    stack.check_stack(layers, [toy_task()] * len(layers))


def test_a_layer_on_one_with_an_interval_must_fit_it(toy_task):
  record = dataclasses.replace(_manifest().layers[0], interval=3)
  below = _manifest(layers=(record,))
  stack.check_stack([below, spec.Layer(name='top', interval=6)], [toy_task()] * 2)
  with pytest.raises(errors.ConfigError, match='no multiple of the 3 steps'):
    stack.check_stack([below, spec.Layer(name='top')], [toy_task()] * 2)


def test_a_critic_on_the_action_must_see_what_the_layers_below_see(toy_task):
  base = spec.Layer(name='base', observation_fields=('body',))
  upper = spec.Layer(name='upper', observation_fields=('goal',), critic='action')
  with pytest.raises(errors.StackError, match="'upper' .*must read .*'base'.*'body'"):
    stack.check_stack([base, upper], [toy_task()] * 2)


def test_empty_stack_is_an_error(toy_task):
  with pytest.raises(errors.ConfigError, match='train_stack.layers is empty'):
    stack.check_stack([], [])


def test_name_used_twice_is_an_error(toy_task):
  with pytest.raises(errors.ConfigError, match="two layers of the stack are called 'base'"):
    stack.check_stack([_manifest(), spec.Layer(name='base')], [toy_task()] * 2)


def test_trained_layer_in_the_middle_is_an_error(toy_task):
  layers = [spec.Layer(name='lowest'), _manifest()]
  with pytest.raises(errors.StackError, match="trained layer 'base' stands above 'lowest'"):
    stack.check_stack(layers, [toy_task()] * 2)


def test_unknown_field_of_a_new_layer_is_an_error(toy_task):
  layer = spec.Layer(name='upper', observation_fields=('gaol',))
  with pytest.raises(errors.StackError, match="'gaol'.*did you mean 'goal'"):
    stack.check_stack([_manifest(), layer], [toy_task()] * 2)


def test_a_trained_layer_must_fit_the_tasks_of_the_layers_above_it_alone(toy_task):
  wide = _manifest(fields=_field('bodi', 3))
  upper = spec.Layer(name='upper')
  with pytest.raises(errors.StackError, match="'bodi'"):
    stack.check_stack([wide, upper], [toy_task()] * 2)
  other = tasks.Task(gymnasium.make('HalfCheetah-v5'), 'HalfCheetah-v5', {})
  stack.check_stack([_manifest(), upper], [other, toy_task()])


def test_trained_layer_that_does_not_fit_is_an_error(toy_task):
  with pytest.raises(errors.StackError, match="'base' .* does not fit task 'Toy-v0'"):
    stack.check_stack([_manifest(fields=_field('body', 9))], [toy_task()])
