"""Commands: which part of a reward takes them, and how they are drawn."""

import numpy as np
import pytest

from latent_hrl import commands
from latent_hrl import config
from latent_hrl import errors
from latent_hrl import rewards
from latent_hrl.plan import layer as layer_lib

SUM = [
  "weighted_sum.terms = {'commanded_velocity': 2.0, 'alive': 1.0}",
  'commanded_velocity.limit = 3.0',
]


def _sum(*bindings):
  config.load([], [*SUM, *bindings])
  return rewards.bind(rewards.weighted_sum)


def test_the_part_of_a_sum_has_its_weight_and_arguments():
  part = commands.part_of(_sum())

  assert [(entry.unit, entry.scale) for entry in part.entries] == [('m/s', 3.0)] * 2
  assert part.field == ('turning_command', 2)
  # Twice the velocity of 0.5 m/s along a command so large that the limit is far.
  value = part.value(np.array([[0.5, 7.0]]), np.array([[9.0, 0.0]]))
  assert value == pytest.approx([1.0])


def test_a_reward_without_a_command_has_no_part():
  config.load([], [])
  assert commands.part_of(rewards.bind(rewards.task_reward)) is None


def test_two_terms_with_a_command_are_refused():
  terms = "weighted_sum.terms = {'commanded_velocity': 1.0, 'commanded_speed': 1.0}"
  with pytest.raises(errors.ConfigError, match='2 of its terms take a command'):
    commands.part_of(_sum(terms))


def test_a_reward_that_takes_a_command_needs_one_and_the_other_way_round():
  told = commands.CommandConfig()
  with pytest.raises(errors.ConfigError, match=r'bind base/Layer.command = @Command\(\)'):
    commands.checked_part('base', _sum(), None, 1, 2)
  config.load([], [])
  plain = rewards.bind(rewards.task_reward)
  with pytest.raises(errors.ConfigError, match='takes no command; there are commanded_'):
    commands.checked_part('base', plain, told, 1, 2)
  assert commands.checked_part('base', plain, None, 1, 2) is None


def test_within_an_interval_no_command_is_drawn_anew():
  with pytest.raises(errors.ConfigError, match='base/Command.relabeled_share = 0'):
    commands.checked_part('base', _sum(), commands.CommandConfig(), 4, 2)
  kept = commands.CommandConfig(relabeled_share=0.0)
  assert commands.checked_part('base', _sum(), kept, 4, 2) is not None


def test_a_command_begins_with_the_episode_and_is_held_for_a_while():
  rng = np.random.default_rng(0)
  commander = commands.Commander(2, redraw_probability=0.1)
  command, changes, first = np.zeros(2, np.float32), 0, None
  for step in range(2000):
    following = commander.next(command, step, rng)
    changes += step > 0 and not np.array_equal(following, command)
    first = following if first is None else first
    command = following

  assert np.all(first != 0) and command.dtype == np.float32
  assert changes == pytest.approx(200, rel=0.2)


def test_a_layer_takes_what_command_makes():
  with pytest.raises(errors.ConfigError, match=r'Layer.command must be @Command\(\)'):
    layer_lib.Layer(name='base', command=2)


def test_a_command_fits_into_the_latent():
  with pytest.raises(errors.ConfigError, match='has 2 entries, the latent has 1'):
    commands.checked_part('base', _sum(), commands.CommandConfig(), 1, 1)


def test_a_command_ends_with_a_decision():
  rng = np.random.default_rng(0)
  commander = commands.Commander(1, redraw_probability=0.1, interval=4)
  command, changed_at = np.zeros(1, np.float32), []
  for step in range(8000):
    following = commander.next(command, step, rng)
    if not np.array_equal(following, command):
      changed_at.append(step)
    command = following

  assert all(step % 4 == 0 for step in changed_at)
  # 1 - 0.9⁴ of the decisions.
  assert len(changed_at) / 2000 == pytest.approx(0.344, abs=0.03)


def test_a_commanded_reward_has_an_end_and_a_quantity_for_each_entry():
  def endless(measured, command):
    return measured[:, 0]

  def ended(measured, command, limit=1.0, overshoot=0.0):
    return measured[:, 0]

  make = commands.CommandedReward
  with pytest.raises(errors.ConfigError, match="'endless' takes measured, command, limit"):
    make(endless, ('lean',), 'rad', ('lean',))
  with pytest.raises(errors.ConfigError, match='has 2 entries, but 1 quantities'):
    make(ended, ('lean', 'turn'), 'rad', ('lean',))
