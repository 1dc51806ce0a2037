"""Tests of the fused update: the same training as `agent.train`, in one compiled call."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from tf_agents.trajectories import trajectory

from latent_hrl.agents import latent_space_agent
from latent_hrl.agents import losses
from latent_hrl.agents import protocol
from latent_hrl.training import updates
from tests import helpers

K = 2


def _as_trajectory(batch):
  """Transitions as experience [B, 2], which is how TF-Agents hands them over."""
  size = batch.reward.shape[0]
  pad = tf.zeros_like
  return trajectory.Trajectory(
    step_type=tf.tile([[0, 1]], [size, 1]),
    observation=tf.stack([batch.observation, batch.next_observation], axis=1),
    action=tf.stack([batch.output, pad(batch.output)], axis=1),
    policy_info=(),
    next_step_type=tf.tile([[1, 1]], [size, 1]),
    reward=tf.stack([batch.reward, pad(batch.reward)], axis=1),
    discount=tf.stack([batch.discount, pad(batch.discount)], axis=1),
  )


class Run(NamedTuple):
  """Variables before and after, losses of single updates, means of the fused ones."""

  start: list[np.ndarray]
  single: list[np.ndarray]
  fused: list[np.ndarray]
  losses: list[Any]
  means: np.ndarray
  update: Callable[[tf.Tensor], tf.Tensor]
  agent: latent_space_agent.LatentSpaceAgent


@pytest.fixture(name='run', scope='module')
def _run():
  """Two equal agents, one trained by K calls of `train`, one by a fused call, and how."""
  spec = helpers.action_spec()
  single = helpers.make_agent(spec, jit_compile=True, seed=4)
  fused = helpers.make_agent(spec, jit_compile=True, seed=4)
  helpers.perturb(single.actor_network.variables)
  for mine, theirs in zip(fused.state_variables, single.state_variables, strict=True):
    mine.assign(theirs)
  start = [variable.numpy() for variable in single.state_variables]
  batches = [helpers.make_batch(seed=seed) for seed in range(K)]
  losses = [single.train(_as_trajectory(batch)) for batch in batches]
  stacked = protocol.Batch(*[tf.stack(parts) for parts in zip(*batches, strict=True)])
  update = updates.fused_update(fused)
  means = update(stacked, tf.constant(K)).numpy()
  trained = [
    [variable.numpy() for variable in agent.state_variables] for agent in (single, fused)
  ]
  return Run(start, *trained, losses, means, functools.partial(update, stacked), fused)


def test_fused_update_gives_the_weights_of_single_updates(run):
  moved = 0
  for variable, old, mine, theirs in zip(
    run.agent.state_variables, run.start, run.fused, run.single, strict=True
  ):
    np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-8, err_msg=variable.name)
    moved += np.any(old != mine)
  assert moved == len(run.start)


def test_fused_update_returns_mean_losses_in_order(run):
  assert run.means.shape == (len(losses.LossExtra._fields),)
  for name, mean in zip(losses.LossExtra._fields, run.means, strict=True):
    expected = np.mean([getattr(loss.extra, name) for loss in run.losses])
    np.testing.assert_allclose(mean, expected, rtol=1e-4, atol=1e-6, err_msg=name)


def test_it_does_as_many_updates_as_told_and_as_there_are_batches(run):
  counter = run.agent.train_step_counter
  before = [variable.numpy() for variable in run.agent.state_variables]
  assert int(counter) == K

  means = run.update(tf.constant(0))

  assert int(counter) == K
  for old, variable in zip(before, run.agent.state_variables, strict=True):
    np.testing.assert_array_equal(variable, old)
  np.testing.assert_array_equal(means, 0.0)
  run.update(tf.constant(1))
  assert int(counter) == K + 1
  run.update(tf.constant(5))
  assert int(counter) == K + 1 + K
