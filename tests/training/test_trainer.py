"""Collection: what of an episode's end reaches the replay."""

import numpy as np
import pytest

from latent_hrl import config
from latent_hrl.layers import spec
from latent_hrl.training import settings
from latent_hrl.training import trainer as trainer_lib


# A time limit is no end of the task and bootstraps; reaching a goal is and does not.
@pytest.mark.parametrize(
  ('goal_radius', 'length', 'discount'), [(0.01, 50, 1.0), (99.0, 1, 0.0)]
)
def test_the_last_step_bootstraps_only_at_a_time_limit(
  tmp_path, goal_radius, length, discount
):
  options = {'goal_radius': goal_radius}
  config.load(['gin/multi_goal.gin'], [f'make_task.options = {options}'])
  trainer = trainer_lib.Trainer(
    spec.Layer(name='base'),
    settings.TrainerSettings(initial_steps=100),
    'latent_hrl/MultiGoal-v0',
    None,
    tmp_path,
    seed=0,
  )
  for _ in range(length):
    trainer._collect()

  rows, _ = trainer._replay.state()
  np.testing.assert_array_equal(rows['discounts'][: length - 1], 1.0)
  assert rows['discounts'][length - 1] == discount
  assert trainer._observation is None  # The episode is over.
