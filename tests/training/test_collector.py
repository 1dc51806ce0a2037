"""Collection: what of an episode reaches the replay."""

import json

import numpy as np
import pytest

from latent_hrl import commanded_rewards
from latent_hrl import commands
from latent_hrl import rewards
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks
from latent_hrl.training import collector as collector_lib


class _Act:
  """Puts out the latent, executes half of it, and counts what it is asked."""

  def __init__(self):
    self.held = np.zeros((1, 1), np.float32)

  def __call__(self, observation, latent, step):
    self.held = self.held + 1
    return latent, 0.5 * latent


def _collector(
  hold_latent_steps=1,
  interval=1,
  gamma=1.0,
  store_action=False,
  noise_damping=1.0,
  **options,
):
  task = tasks.make_task('latent_hrl/MultiGoal-v0', options=options)
  everything = np.arange(task.observation_space.shape[0])
  return collector_lib.Collector(
    layer_reward.LayerReward(task, rewards.bind(rewards.task_reward)),
    _Act(),
    everything,
    everything,
    hold_latent_steps,
    seed=0,
    noise_seed=1,
    interval=interval,
    gamma=gamma,
    store_action=store_action,
    noise_damping=noise_damping,
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


def _every_step(count, **options):
  return _collector(hold_latent_steps=99, **options).collect(count)


def test_an_interval_sums_rewards_and_discounts_from_decision_to_decision():
  options = {'goal_radius': 0.01, 'store_action': True}
  single = _every_step(9, **options)
  joined = _collector(99, interval=3, gamma=0.5, **options).collect(9)

  assert len(joined) == 3
  for i, transition in enumerate(joined):
    rewards_within = [t.reward for t in single[3 * i : 3 * i + 3]]
    expected = rewards_within[0] + 0.5 * rewards_within[1] + 0.25 * rewards_within[2]
    assert transition.reward == pytest.approx(expected)
    assert transition.discount == 0.25
    np.testing.assert_array_equal(transition.observation, single[3 * i].observation)
    after = single[3 * i + 2].next_observation
    np.testing.assert_array_equal(transition.next_observation, after)


def test_an_interval_is_completed_over_calls():
  whole = _collector(99, interval=4, goal_radius=0.01).collect(8)
  collector = _collector(99, interval=4, goal_radius=0.01)
  parts = [collector.collect(count) for count in (3, 3, 2)]

  assert [len(part) for part in parts] == [0, 1, 1]
  for mine, theirs in zip(sum(parts, []), whole, strict=True):
    assert mine.reward == theirs.reward
    np.testing.assert_array_equal(mine.observation, theirs.observation)


# An interval of 3: the last of 17 decisions is carried out for two of 50 steps.
@pytest.mark.parametrize(
  ('goal_radius', 'steps', 'discounts'), [(0.01, 50, [0.25, 0.5]), (99.0, 1, [0.0])]
)
def test_an_episode_ends_within_an_interval(goal_radius, steps, discounts):
  collector = _collector(99, interval=3, gamma=0.5, goal_radius=goal_radius)
  transitions = collector.collect(steps)

  last = transitions[-1]
  assert last.episode_ends and not any(t.episode_ends for t in transitions[:-1])
  assert [t.discount for t in transitions][-len(discounts) :] == discounts
  assert collector.collect(3)[0].discount == discounts[0]  # The next episode decides anew.


def test_the_action_can_be_stored_instead_of_the_output():
  outputs = [t.output for t in _collector(goal_radius=0.01).collect(4)]
  actions = [t.output for t in _collector(goal_radius=0.01, store_action=True).collect(4)]

  np.testing.assert_array_equal(0.5 * np.array(outputs), actions)


# In the first episode, at its end, and in the middle of an interval of the second.
@pytest.mark.parametrize('steps', [5, 50, 63])
@pytest.mark.parametrize('interval', [1, 4])
def test_collection_goes_on_where_its_state_was_taken(steps, interval):
  options = {'goal_radius': 0.01, 'interval': interval, 'hold_latent_steps': 3}
  collector, other = _collector(**options), _collector(**options)
  collector.collect(steps)
  scalars, arrays = collector.state()

  assert other.restore(json.loads(json.dumps(scalars)), arrays)

  again, arrays_again = other.state()
  assert again == scalars
  for name, array in arrays.items():
    np.testing.assert_array_equal(arrays_again[name], array)
  for mine, theirs in zip(collector.collect(80), other.collect(80), strict=True):
    for one, two in zip(mine, theirs, strict=True):
      np.testing.assert_array_equal(one, two)
  mine, theirs = collector.take_episodes(), other.take_episodes()
  assert [e.measures() for e in mine] == [e.measures() for e in theirs]
  assert len(mine) == (steps + 80) // 50


def test_a_task_that_does_not_repeat_itself_begins_a_new_episode():
  collector, other = _collector(goal_radius=0.01), _collector(goal_radius=0.01)
  collector.collect(5)
  scalars, arrays = collector.state()
  arrays['observation'] = arrays['observation'] + np.float32(1e-6)

  assert not other.restore(scalars, arrays)

  # The next episode is the second one.
  collector.collect(45)
  first = collector.collect(1)[0].observation
  np.testing.assert_array_equal(other.collect(1)[0].observation, first)


def test_damped_noise_remembers():
  white = [t.output for t in _collector(goal_radius=0.01).collect(4)]
  damped = [t.output for t in _collector(goal_radius=0.01, noise_damping=0.25).collect(4)]

  # z ← 0.75 z + ε with the same ε; what the generator gave first is where it starts.
  for before, after, drawn in zip(damped[:-1], damped[1:], white[1:], strict=True):
    np.testing.assert_allclose(after, 0.75 * before + drawn, rtol=1e-5, atol=1e-6)


def test_collected_episodes_are_told_once():
  collector = _collector(goal_radius=0.01)
  transitions = collector.collect(101)  # Two episodes of 50 steps, and one begun.
  ended = collector.take_episodes()

  assert [episode.length for episode in ended] == [50, 50]
  assert ended[1].layer_return == pytest.approx(sum(t.reward for t in transitions[50:100]))
  assert ended[0].success is False
  assert collector.take_episodes() == []


def _commanded():
  """A collector on a task that has x_velocity, commanded along x."""
  reward = rewards.BoundReward(
    commanded_rewards.commanded_speed, {'limit': 1.0, 'overshoot': 0.0}
  )
  task = tasks.make_task('Swimmer-v5')
  everything = np.arange(task.observation_space.shape[0])
  return collector_lib.Collector(
    layer_reward.LayerReward(task, reward),
    _Act(),
    everything,
    everything,
    hold_latent_steps=3,
    seed=0,
    noise_seed=1,
    commander=commands.Commander(1, redraw_probability=0.2),
  )


def test_a_command_is_in_the_latent_the_observation_and_the_reward():
  told = [t for _ in range(2) for t in _commanded().collect(40)][:40]
  command = np.array([t.observation[-1] for t in told])
  outputs = np.array([t.output for t in told])

  assert 4 < len(np.unique(command)) < 20
  np.testing.assert_array_equal(outputs[:, 0], command)
  assert len(np.unique(outputs[:, 1])) == 14  # Noise has a time of its own.
  for transition in told:
    assert transition.next_observation[-1] == transition.observation[-1]
    value = commanded_rewards.commanded_speed.value(
      transition.measured, transition.observation[-1:], limit=1.0, overshoot=0.0
    )
    assert transition.reward == pytest.approx(float(value), abs=1e-6)


def test_a_command_is_told_in_the_first_random_steps_too():
  told = _commanded().collect(30, uniform=True)
  assert len({t.observation[-1] for t in told}) > 2
  assert all(np.isfinite(t.reward) for t in told)


def test_a_restored_collector_goes_on_with_its_command():
  whole = _commanded()
  whole.collect(25)
  scalars, arrays = whole.state()
  expected = whole.collect(30)
  resumed = _commanded()
  assert resumed.restore(json.loads(json.dumps(scalars)), arrays)
  found = resumed.collect(30)

  assert whole.take_episodes() == resumed.take_episodes()
  for one, other in zip(expected, found, strict=True):
    np.testing.assert_array_equal(one.observation, other.observation)
    assert one.reward == other.reward
