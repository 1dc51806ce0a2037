"""Which layers of a stack fit their tasks and each other."""

import dataclasses

import gymnasium
import pytest

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.environments import tasks
from latent_hrl.plan import layer as layer_lib
from latent_hrl.plan import stacking
from tests import helpers


def _manifest(**changes):
  record = helpers.make_record('base', ('body',))
  return dataclasses.replace(helpers.make_manifest([helpers.BODY], [record]), **changes)


def _field(name, size):
  return (observations.ObservationField(name, size),)


def test_stack_of_new_layers_on_a_trained_one_passes(toy_task):
  upper = layer_lib.Layer(name='upper', observation_fields=('goal',))
  stacking.check_stack([_manifest(), upper], [toy_task()] * 2)
  stacking.check_stack([layer_lib.Layer(name='base'), upper], [toy_task()] * 2)


def test_a_layer_may_come_from_another_task_with_its_fields(toy_task):
  base = layer_lib.Layer(name='base', observation_fields=('body',))
  upper = layer_lib.Layer(name='upper')
  stacking.check_stack([base, upper], [toy_task(), toy_task(goal_first=True)])
  elsewhere = tasks.make_task('latent_hrl/MultiGoal-v0')
  with pytest.raises(errors.StackError, match="'base' .*Toy-v0.* does not fit .*'body'"):
    stacking.check_stack([base, upper], [toy_task(), elsewhere])


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
    layer_lib.Layer(name=name, interval=k) for name, k in zip(names, intervals, strict=True)
  ]
  with pytest.raises(errors.ConfigError, match=reason):
    stacking.check_stack(layers, [toy_task()] * len(layers))


def test_a_layer_on_one_with_an_interval_must_fit_it(toy_task):
  record = dataclasses.replace(_manifest().layers[0], interval=3)
  below = _manifest(layers=(record,))
  stacking.check_stack([below, layer_lib.Layer(name='top', interval=6)], [toy_task()] * 2)
  with pytest.raises(errors.ConfigError, match='no multiple of the 3 steps'):
    stacking.check_stack([below, layer_lib.Layer(name='top')], [toy_task()] * 2)


def test_a_critic_on_the_action_must_see_what_the_layers_below_see(toy_task):
  base = layer_lib.Layer(name='base', observation_fields=('body',))
  upper = layer_lib.Layer(name='upper', observation_fields=('goal',), critic='action')
  with pytest.raises(errors.StackError, match="'upper' .*must read .*'base'.*'body'"):
    stacking.check_stack([base, upper], [toy_task()] * 2)


def test_empty_stack_is_an_error(toy_task):
  with pytest.raises(errors.ConfigError, match='train_stack.layers is empty'):
    stacking.check_stack([], [])


def test_name_used_twice_is_an_error(toy_task):
  with pytest.raises(errors.ConfigError, match="two layers of the stack are called 'base'"):
    stacking.check_stack([_manifest(), layer_lib.Layer(name='base')], [toy_task()] * 2)


def test_trained_layer_in_the_middle_is_an_error(toy_task):
  layers = [layer_lib.Layer(name='lowest'), _manifest()]
  with pytest.raises(errors.StackError, match="trained layer 'base' stands above 'lowest'"):
    stacking.check_stack(layers, [toy_task()] * 2)


def test_unknown_field_of_a_new_layer_is_an_error(toy_task):
  layer = layer_lib.Layer(name='upper', observation_fields=('gaol',))
  with pytest.raises(errors.StackError, match="'gaol'.*did you mean 'goal'"):
    stacking.check_stack([_manifest(), layer], [toy_task()] * 2)


def test_a_trained_layer_must_fit_the_tasks_of_the_layers_above_it_alone(toy_task):
  wide = _manifest(fields=_field('bodi', 3))
  upper = layer_lib.Layer(name='upper')
  with pytest.raises(errors.StackError, match="'bodi'"):
    stacking.check_stack([wide, upper], [toy_task()] * 2)
  other = tasks.Task(gymnasium.make('HalfCheetah-v5'), 'HalfCheetah-v5', {})
  stacking.check_stack([_manifest(), upper], [other, toy_task()])


def test_trained_layer_that_does_not_fit_is_an_error(toy_task):
  with pytest.raises(errors.StackError, match="'base' .* does not fit task 'Toy-v0'"):
    stacking.check_stack([_manifest(fields=_field('body', 9))], [toy_task()])
