"""Sweeps of commands: what a policy reaches of what it is told."""

import types

import numpy as np
import pytest

from latent_hrl import commanded_rewards  # noqa: F401
from latent_hrl import errors
from latent_hrl.environments import tasks
from latent_hrl.evaluation import command_sweep
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import plots
from tests import helpers

COMMAND = {
  'entries': [{'name': 'velocity along x', 'unit': 'm/s', 'scale': 1.0}],
  'redraw_probability': 0.1,
}


def _layer(policy, **changes):
  """A layer on the toy, whose x_velocity is the first entry of its action."""
  values = {
    'reward': 'commanded_speed',
    'reward_arguments': {'limit': 1.0, 'overshoot': 0.0},
    'command': COMMAND,
    **changes,
  }
  record = helpers.make_record('base', ('body',), **values)
  return types.SimpleNamespace(
    manifest=helpers.make_manifest([helpers.BODY], [record]),
    path='base',
    dimension=2,
    fields=(helpers.BODY,),
    policy=lambda slots: policy,
  )


@pytest.fixture(autouse=True)
def _toy(monkeypatch):
  make = lambda task_id, options: tasks.Task(helpers.ToyEnv(length=100), task_id, options)  # noqa: E731
  monkeypatch.setattr(tasks, 'make_task', make)


def _half(observation, latent, step):
  """Half of the speed that is told."""
  action = np.clip(np.stack([0.25 * latent[:, 0], 0 * latent[:, 1]], -1), -1, 1)
  return action, action


def test_what_is_reached_is_told_beside_what_is_asked():
  told = command_sweep.sweep(_layer(_half), steps=20)
  found = command_sweep.summary(told)

  assert [float(one.command[0]) for one in told] == [0.5, -0.5, 1, -1, 1.5, -1.5, 2, -2]
  # P(|c'| <= 1) = 0.6827, signed.
  assert told[3].asked == pytest.approx(-0.6827, abs=1e-4)
  assert told[3].reached == pytest.approx(-0.25)
  assert all(one.episode.length == 20 and not one.ended_early for one in told)
  assert found['asked'] == pytest.approx(0.9545, abs=1e-4)
  assert found['reached_mean'] == found['reached_min'] == pytest.approx(0.5)
  assert found['covered'] == found['directions'] == 2
  assert found['correlation'] > 0.98 and found['ended_early'] == 0.0


def test_one_that_goes_one_way_only_covers_that(monkeypatch):
  def forward(observation, latent, step):
    action = np.tile(np.float32([0.6, 0.0]), (len(latent), 1))
    return action, action

  found = command_sweep.summary(command_sweep.sweep(_layer(forward), steps=20))
  assert found['covered'] == 1 and found['correlation'] == 0.0
  assert found['reached_min'] == pytest.approx(-0.6)


def test_an_early_end_is_told_and_counts_against_what_was_reached():
  told = command_sweep.sweep(_layer(_half), steps=200)  # The toy ends after 100.
  assert command_sweep.summary(told)['ended_early'] == 1.0


def test_a_layer_without_a_command_has_no_sweep():
  plain = _layer(_half, reward='task_reward', reward_arguments={'scale': 1.0}, command=None)
  with pytest.raises(errors.ConfigError, match='has no command to sweep'):
    command_sweep.sweep(plain)


def test_directions_of_the_plane_are_eight_and_of_every_size():
  commands = command_sweep._commands(2)
  assert commands.shape == (32, 2)
  np.testing.assert_allclose(np.linalg.norm(commands[-8:], axis=-1), 2.0, rtol=1e-6)
  np.testing.assert_allclose(commands[24:27], [[2, 0], [2**0.5] * 2, [0, 2]], atol=1e-6)


@pytest.mark.parametrize('size', [1, 2])
def test_the_picture_says_what_was_reached(size, monkeypatch):
  figures = []
  monkeypatch.setattr(plots.style, 'save', lambda figure, path: figures.append(figure))
  walk = [np.zeros(2), np.ones(2)]
  told = [
    command_sweep.Told(
      command,
      1.0,
      0.5,
      False,
      episodes_lib.Episode(length=2, positions=walk, measured=[np.zeros(size)] * 2),
    )
    for command in command_sweep._commands(size)
  ]
  told[0] = told[0].__class__(told[0].command, 0.5, 0.2, True, told[0].episode)

  plots.command_picture(told, 'm/s', 'base', None)

  left, right = figures[0].axes
  assert len(left.lines) == (8 if size == 1 else 9)  # The cross at the start is one.
  assert '0.50 m/s on average' in right.get_title()
  assert right.get_xlabel() == 'asked for in m/s'
