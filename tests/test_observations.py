"""Tests of named observation fields."""

import numpy as np
import pytest

from latent_hrl import errors
from latent_hrl import observations

Field = observations.ObservationField
FIELDS = (Field('body', 3), Field('goal', 2), Field('lidar', 4))


def test_fields_lie_one_after_the_other():
  assert observations.total_size(FIELDS) == 9
  assert observations.slices(FIELDS) == {
    'body': slice(0, 3),
    'goal': slice(3, 5),
    'lidar': slice(5, 9),
  }


def test_selection_keeps_the_order_of_the_task():
  assert observations.select(FIELDS, ['lidar', 'body']) == (FIELDS[0], FIELDS[2])
  assert observations.select(FIELDS, None) == FIELDS


def test_unknown_field_is_an_error_with_the_nearest_name():
  with pytest.raises(errors.StackError, match="'gaol'.*did you mean 'goal'"):
    observations.select(FIELDS, ['body', 'gaol'])


def test_selecting_nothing_is_an_error():
  with pytest.raises(errors.StackError, match='at least one observation field'):
    observations.select(FIELDS, [])


def test_merge_joins_reads_in_the_order_of_the_task():
  merged = observations.merge(FIELDS, (FIELDS[2],), (FIELDS[0], FIELDS[2]))
  assert merged == (FIELDS[0], FIELDS[2])
  assert observations.merge(FIELDS, (FIELDS[1],), ()) == (FIELDS[1],)


def test_indices_pick_the_wanted_fields_in_the_wanted_order():
  vector = np.arange(9) * 10
  where = observations.indices(FIELDS, (FIELDS[2], FIELDS[0]))
  assert where.dtype == np.int32
  np.testing.assert_array_equal(vector[where], [50, 60, 70, 80, 0, 10, 20])
  assert observations.indices(FIELDS, ()).shape == (0,)


def test_missing_field_is_an_error_that_lists_what_there_is():
  with pytest.raises(errors.StackError) as error:
    observations.indices(FIELDS[:2], (Field('goals', 2),))
  message = str(error.value)
  assert "'goals' (2 entries) is missing" in message
  assert 'body [3], goal [2]' in message
  assert "did you mean 'goal'" in message


def test_field_of_another_size_is_an_error_with_both_sizes():
  with pytest.raises(errors.StackError, match="'goal' has 2 entries, but 3 are read"):
    observations.indices(FIELDS, (Field('goal', 3),))
