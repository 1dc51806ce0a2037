"""What the methods of a layer take, and how they tell the rest."""

import numpy as np
import pytest
import tensorflow as tf

from latent_hrl import errors
from latent_hrl.layers import inputs
from tests import helpers

FIELDS = (helpers.BODY, helpers.GOAL)
MANY, ONE = np.zeros((3, 5), np.float32), np.zeros(5, np.float32)
BROKEN = np.float32([[0, 0, 0, 0, 0], [0, 0, 0, np.inf, 0]])


@pytest.mark.parametrize(
  'value',
  [MANY, MANY.astype(np.float64), MANY.astype(int), MANY.tolist(), tf.constant(MANY), ONE],
  ids=['float32', 'float64', 'int', 'list', 'tensor', 'one'],
)
def test_observations_become_float32_of_the_same_shape(value):
  array = inputs.observation(value, FIELDS)
  assert array.dtype == np.float32 and array.shape == np.shape(value)


@pytest.mark.parametrize(
  ('value', 'told'),
  [
    (MANY[:, :4], '[B, 5], or [5] for one, made of body [3], goal [2]; got [3, 4]'),
    (MANY[np.newaxis], 'got [1, 3, 5]'),
    (3.0, 'got []'),
    (BROKEN, "field 'goal' is not finite: entry 0 of row 1 is inf"),
    (BROKEN[1], "field 'goal' is not finite: entry 0 is inf"),
    (np.full(5, 1e39), "field 'body' is not finite: entry 0 is inf"),
    ([[1.0], [1.0, 2.0]], 'must be an array of numbers, got [[1.0], [1.0, 2.0]]'),
    ({'body': 1}, "must be an array of numbers, got {'body': 1}"),
    (None, 'must be an array of numbers, got None'),
    (np.array(['a'] * 5), 'must be an array of numbers'),
    (MANY == 0, 'must be an array of numbers'),
  ],
  ids=str,
)
def test_other_observations_are_told(value, told):
  _refused(lambda: inputs.observation(value, FIELDS), told)


def test_one_observation_is_no_batch():
  assert inputs.observation(ONE, FIELDS, one=True).shape == (5,)
  _refused(
    lambda: inputs.observation(MANY, FIELDS, one=True),
    'must have the shape [5], made of body [3], goal [2]; got [3, 5]; `mode`',
  )


@pytest.mark.parametrize('kind', [inputs.latent, inputs.action])
def test_vectors_have_a_row_for_each_observation(kind):
  assert kind(np.zeros((3, 2)), 2, MANY).dtype == np.float32
  assert kind([0, 1], 2, ONE).shape == (2,)
  name = kind.__name__
  for value, given, shape in (
    (np.zeros((2, 2)), MANY, [3, 2]),
    (np.zeros((3, 4)), MANY, [3, 2]),
    (np.zeros(2), MANY, [3, 2]),
    (np.zeros((3, 2)), ONE, [2]),
  ):
    _refused(
      lambda value=value, given=given: kind(value, 2, given),
      f'{name} must have the shape {shape}, as the observation has {list(given.shape)}',
    )


def test_a_latent_is_finite_and_an_action_a_number():
  beyond = np.float32([0, np.inf])
  assert inputs.action(beyond, 2, ONE)[1] == np.inf
  _refused(lambda: inputs.latent(beyond, 2, ONE), 'latent is not finite: entry [1] is inf')
  nan = np.float32([[0, 0], [np.nan, 0], [0, 0]])
  _refused(
    lambda: inputs.action(nan, 2, MANY), 'action is not a number: entry [1, 0] is nan'
  )


@pytest.mark.parametrize(
  ('value', 'pair'),
  [
    (3, [3, 0]),
    (np.int64(-1), [-1, 0]),
    ((1, 2), [1, 2]),
    (tf.constant([1, 2], tf.int64), [1, 2]),
  ],
  ids=str,
)
def test_seeds(value, pair):
  array = inputs.seed(value)
  assert array.dtype == np.int32
  assert array.tolist() == pair


@pytest.mark.parametrize(
  'value', [1.5, True, None, 'a', [1], [1, 2, 3], [1.0, 2.0], 2**31, [0, 2**80]], ids=str
)
def test_other_seeds_are_told(value):
  _refused(lambda: inputs.seed(value), 'seed must be an integer or a pair of integers')


def _refused(call, told):
  with pytest.raises(errors.InputError) as error:
    call()
  assert told in str(error.value)
  assert '\n' not in str(error.value)
