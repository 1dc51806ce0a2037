"""Collection: what of an episode reaches the replay."""

import numpy as np
import pytest

from latent_hrl import rewards
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks
from latent_hrl.training import collector as collector_lib


def _collector(hold_latent_steps=1, **options):
  task = tasks.make_task('latent_hrl/MultiGoal-v0', options=options)
  everything = np.arange(task.observation_space.shape[0])
  return collector_lib.Collector(
    layer_reward.LayerReward(task, rewards.bind(rewards.task_reward)),
    lambda observation, latent: (latent, 0.5 * latent),
    everything,
    everything,
    hold_latent_steps,
    seed=0,
    noise_seed=1,
  )


# A time limit is no end of the task and bootstraps; reaching a goal is and does not.
@pytest.mark.parametrize(
  ('goal_radius', 'length', 'discount'), [(0.01, 50, 1.0), (99.0, 1, 0.0)]
)
def test_the_last_step_bootstraps_only_at_a_time_limit(goal_radius, length, discount):
  transitions = _collector(goal_radius=goal_radius).collect(length, uniform=True)

  assert [t.discount for t in transitions] == [1.0] * (length - 1) + [discount]
  assert [t.episode_ends for t in transitions] == [False] * (length - 1) + [True]


def test_an_episode_goes_on_over_calls():
  collector = _collector(goal_radius=0.01)
  first, second = collector.collect(3), collector.collect(3)

  for before, after in zip((first + second)[:-1], (first + second)[1:], strict=True):
    np.testing.assert_array_equal(before.next_observation, after.observation)


def test_a_latent_is_held_and_stored_as_the_output():
  transitions = _collector(hold_latent_steps=2, goal_radius=0.01).collect(6)
  outputs = np.array([t.output for t in transitions])

  np.testing.assert_array_equal(outputs[::2], outputs[1::2])
  assert len(np.unique(outputs, axis=0)) == 3


def test_the_noise_goes_on_where_its_state_was_taken():
  collector, other = _collector(goal_radius=0.01), _collector(goal_radius=0.01)
  collector.collect(5)
  other.restore(collector.state())
  collector.restore(collector.state())

  for mine, theirs in zip(collector.collect(5), other.collect(5), strict=True):
    np.testing.assert_array_equal(mine.output, theirs.output)
    np.testing.assert_array_equal(mine.observation, theirs.observation)
