"""What is measured of an episode, and of several."""

import numpy as np
import pytest

from latent_hrl.evaluation import episodes as episodes_lib


def test_summary_of_known_episodes():
  episodes = [
    episodes_lib.Episode(
      task_return=1.0, layer_return=10.0, length=4, success=True, goal=2
    ),
    episodes_lib.Episode(
      task_return=3.0, layer_return=20.0, length=6, success=False, goal=-1
    ),
  ]

  assert episodes_lib.summarize(episodes) == {
    'return_mean': 2.0,
    'return_std': 1.0,
    'layer_return_mean': 15.0,
    'layer_return_std': 5.0,
    'length_mean': 5.0,
    'episodes': 2,
    'success_rate': 0.5,
    'goal_rates': {'2': 0.5},
  }


def test_a_layer_return_that_is_not_known_is_none():
  episodes = [
    episodes_lib.Episode(layer_return=None),
    episodes_lib.Episode(layer_return=3.0),
  ]
  summary = episodes_lib.summarize(episodes)
  assert summary['layer_return_mean'] is None and summary['layer_return_std'] is None


@pytest.mark.parametrize(
  ('info', 'success', 'goal'),
  [
    ({'success': np.True_, 'goal': np.int64(2)}, True, 2),
    ({'success': 0.0, 'goal': 1}, False, 1),
    ({'success': np.ones(2), 'goal': np.array([3.0, 4.0])}, None, None),
    ({'success': 'yes', 'goal': 'north'}, None, None),
    ({'is_success': np.float32(1.0)}, True, None),
    ({'success': 'yes', 'is_success': False}, False, None),
    ({}, None, None),
  ],
)
def test_what_others_call_success_and_goal_is_taken_only_if_it_is_one(info, success, goal):
  episode = episodes_lib.Episode()
  episode.end(info)
  assert (episode.success, episode.goal) == (success, goal)
