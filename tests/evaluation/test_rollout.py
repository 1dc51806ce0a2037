"""Rollouts: one protocol, whatever the number of slots."""

import gymnasium
import numpy as np
import pytest

from latent_hrl import commands
from latent_hrl import errors
from latent_hrl import rewards
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import rollout
from tests import helpers


def _double(transition, factor=2.0):
  return factor * transition.task_reward


REWARD = rewards.BoundReward(rewards.Reward(_double), {'factor': 2.0})


def _decode(observation, latent, step):
  """An action that depends on both, so that a mix-up of rows shows."""
  return np.clip(0.3 * latent + 0.1 * observation[:, :2] + 0.05, -0.9, 0.9)


def _play(toy_task, slots, episodes=5, **kwargs):
  envs = [layer_reward.LayerReward(toy_task(end_at=1.0), REWARD) for _ in range(slots)]
  if isinstance(kwargs.get('latents'), str) and kwargs['latents'] == 'command':
    kwargs['commander'] = commands.Commander(1, redraw_probability=0.3)
  return rollout.run_episodes(envs, _decode, 2, episodes, seed=3, **kwargs)


@pytest.mark.parametrize('latents', rollout.LATENT_MODES)
def test_the_number_of_slots_changes_nothing(toy_task, latents):
  alone = _play(toy_task, 1, latents=latents, record=True)
  abreast = _play(toy_task, 3, latents=latents, record=True)

  for first, second in zip(alone, abreast, strict=True):
    assert first.length == second.length
    assert first.task_return == pytest.approx(second.task_return)
    np.testing.assert_array_equal(first.latent, second.latent)
    np.testing.assert_allclose(first.actions, second.actions, atol=1e-6)


def test_the_policy_is_told_the_step_of_each_episode(toy_task):
  steps = []

  def decode(observation, latent, step):
    # The toy's body holds a tenth of its steps.
    steps.append(np.stack([step, np.round(10 * observation[:, 2])], axis=-1))
    return _decode(observation, latent, step)

  # One after the other, so that every call is a step of an episode.
  env = layer_reward.LayerReward(toy_task(end_at=1.0), REWARD)
  rollout.run_episodes([env], decode, 2, 3, seed=3)
  told, lived = np.concatenate(steps).T
  np.testing.assert_array_equal(told, lived)
  assert np.count_nonzero(told == 0) == 3 and told.max() > 1


def test_episodes_differ_and_are_recorded_from_start_to_end(toy_task):
  episodes = _play(toy_task, 2, latents='hold', record=True)

  assert len({tuple(episode.actions[0]) for episode in episodes}) == 5
  assert all(len(episode.actions) == episode.length for episode in episodes)


def test_the_mode_plays_latent_zero_and_hold_keeps_its_draw(toy_task):
  seen = []
  env = layer_reward.LayerReward(toy_task(), REWARD)

  def decode(observation, latent, step):
    seen.append(latent.copy())
    return _decode(observation, latent, step)

  rollout.run_episodes([env], decode, 2, 1, seed=0, latents='mode')
  np.testing.assert_array_equal(seen, np.zeros_like(seen))
  seen.clear()
  rollout.run_episodes([env], decode, 2, 1, seed=0, latents='hold')
  assert np.all(np.array(seen) == seen[0]) and np.any(seen[0] != 0)
  seen.clear()
  rollout.run_episodes([env], decode, 2, 1, seed=0, latents='sample')
  assert len({tuple(latent[0]) for latent in seen}) == len(seen)


def test_returns_are_of_the_task_and_of_the_layer(toy_task):
  for episode in _play(toy_task, 2):
    assert episode.layer_return == pytest.approx(2 * episode.task_return)


def test_each_term_of_a_reward_is_told(toy_task):
  bound = rewards.BoundReward(
    rewards.weighted_sum,
    {
      'terms': {
        'task_reward': {'weight': 0.5, 'arguments': {'scale': 1.0}},
        'control_cost': {'weight': -1.0, 'arguments': {}},
      }
    },
  )
  envs = [layer_reward.LayerReward(toy_task(), bound)]
  summary = episodes_lib.summarize(rollout.run_episodes(envs, _decode, 2, 3, seed=0))

  assert summary['terms'].keys() == {'task_reward', 'control_cost'}
  assert summary['terms']['task_reward'] == pytest.approx(0.5 * summary['return_mean'])
  assert summary['terms']['control_cost'] < 0
  assert sum(summary['terms'].values()) == pytest.approx(summary['layer_return_mean'])


def test_a_task_without_goals_has_no_success_rate(toy_task):
  summary = episodes_lib.summarize(_play(toy_task, 1))

  assert 'success_rate' not in summary and 'goal_rates' not in summary


def test_an_unknown_latent_mode_is_named(toy_task):
  with pytest.raises(errors.ConfigError, match="latent mode 'best'; there are mode, hold"):
    _play(toy_task, 1, latents='best')


def test_a_random_policy_on_the_cheetah_is_as_bad_as_known():
  episodes = rollout.evaluate_random('HalfCheetah-v5', episodes=2)

  # Random actions are known to score about -280 with a spread of 80.
  assert -600 < episodes_lib.summarize(episodes)['return_mean'] < 0
  assert [episode.length for episode in episodes] == [1000, 1000]


def test_a_layer_on_a_task_it_does_not_fit(saved_base):
  with pytest.raises(errors.StackError, match=r"'body' \(3 entries\) is missing"):
    rollout.evaluate(saved_base.saved, 'HalfCheetah-v5', episodes=1)


@pytest.mark.usefixtures('quick_training')
def test_elsewhere_a_reward_that_lacks_its_quantity_gives_way(
  tmp_path, capsys, monkeypatch
):
  """A base that was rewarded for its speed, towards a goal, which has no such term."""
  goal = gymnasium.registry['latent_hrl/AntGoal-v0']
  monkeypatch.setattr(goal, 'max_episode_steps', 20)
  layer = helpers.save_task_layer(
    tmp_path / 'base',
    tasks.make_task('latent_hrl/AntDirections-v0'),
    reward='task_term',
    reward_arguments={'name': 'speed'},
  )
  (episode,) = rollout.evaluate(layer, 'latent_hrl/AntGoal-v0', 1)
  assert episode.layer_return is None and episode.task_return != 0.0
  assert "reward 'task_term' needs info['reward_terms']" in capsys.readouterr().out


def test_an_episode_ends_after_the_most_steps_asked_for(toy_task):
  whole = _play(toy_task, 2)
  short = _play(toy_task, 2, max_steps=2)
  assert max(e.length for e in whole) > 2 and [e.length for e in short] == [2] * 5


def test_long_play_is_told_on_standard_error(toy_task, monkeypatch, capsys):
  monkeypatch.setattr(rollout.progress, 'INTERVAL', 0.0)
  _play(toy_task, 1, episodes=2)
  lines = capsys.readouterr().err.splitlines()
  assert lines[0].startswith('still playing: 0 of 2 episodes done')
  assert lines[-1].startswith('still playing: 1 of 2 episodes done')


def test_commands_are_drawn_with_nothing_behind_them_and_told_to_the_reward(toy_task):
  seen = []

  def decode(observation, latent, step):
    seen.append((latent.copy(), env.command))
    return _decode(observation, latent, step)

  env = layer_reward.LayerReward(toy_task(), REWARD)
  commander = commands.Commander(1, redraw_probability=0.3)
  rollout.run_episodes([env], decode, 2, 4, seed=3, latents='command', commander=commander)

  latents = np.concatenate([latent for latent, _ in seen])
  assert np.all(latents[:, 1] == 0)
  np.testing.assert_array_equal(latents[:, 0], np.concatenate([told for _, told in seen]))
  assert 4 < len(np.unique(latents[:, 0])) < len(latents)


def test_a_layer_without_a_command_cannot_be_commanded(toy_task):
  env = layer_reward.LayerReward(toy_task(), REWARD)
  with pytest.raises(errors.ConfigError, match='trained with a command'):
    rollout.run_episodes([env], _decode, 2, 1, seed=3, latents='command')


def test_latents_of_ones_own_are_held_one_an_episode(toy_task):
  chosen = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)
  played = _play(toy_task, 2, latents=chosen)
  assert [list(e.latent) for e in played] == chosen.tolist()
  with pytest.raises(ValueError, match='of shape'):
    _play(toy_task, 2, latents=chosen[:4])


def test_a_saved_layer_without_a_command_names_its_latents(saved_base):
  with pytest.raises(
    errors.ConfigError, match="'base' takes no command; its latents are mode, hold, sample"
  ):
    rollout.evaluate(saved_base.saved, latents='command')
