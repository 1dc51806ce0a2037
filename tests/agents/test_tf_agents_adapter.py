"""The update of a baseline is TF-Agents' own."""

import numpy as np
import pytest
import tensorflow as tf
from tf_agents.agents.ddpg import ddpg_agent as ddpg_lib
from tf_agents.trajectories import time_step as ts
from tf_agents.trajectories import trajectory
from tf_agents.utils import common

from latent_hrl.agents import ddpg
from latent_hrl.agents import sac
from latent_hrl.agents import td3
from latent_hrl.agents import tf_agents_adapter as adapter
from latent_hrl.training import updates
from tests import helpers

TIME_STEP_SPEC = ts.time_step_spec(tf.TensorSpec([3], tf.float32))


def _sac(seed=0):
  tf.keras.utils.set_random_seed(0)
  return sac.SacConfig(hidden_units=(8,)).build(TIME_STEP_SPEC, helpers.action_spec(), seed)


def _td3(seed=0, **kwargs):
  tf.keras.utils.set_random_seed(0)
  return td3.Td3Config(**kwargs).build(TIME_STEP_SPEC, helpers.action_spec(), seed)


def _ddpg(seed=0):
  tf.keras.utils.set_random_seed(0)
  return ddpg.DdpgConfig().build(TIME_STEP_SPEC, helpers.action_spec(), seed)


def _values(baseline):
  return [v.numpy() for part in baseline.state_parts.values() for v in part]


def _assert_equal(first, second, **tolerance):
  for one, other in zip(first, second, strict=True):
    np.testing.assert_allclose(one, other, **tolerance)


def _trajectory(batch) -> trajectory.Trajectory:
  """Two time steps for each transition, as TF-Agents' replay would return them."""
  zeros = tf.zeros_like(batch.reward)
  pair = lambda first, second: tf.stack([first, second], axis=1)  # noqa: E731
  last = tf.where(batch.discount == 0, ts.StepType.LAST, ts.StepType.MID)
  return trajectory.Trajectory(
    step_type=pair(tf.zeros_like(last) + ts.StepType.MID, last),
    observation=pair(batch.observation, batch.next_observation),
    action=pair(batch.output, batch.output),
    policy_info=(),
    next_step_type=pair(last, tf.zeros_like(last)),
    reward=pair(batch.reward, zeros),
    discount=pair(batch.discount, zeros),
  )


def test_an_update_is_that_of_tf_agents_on_the_same_transitions():
  ours, theirs = _ddpg(), _ddpg()
  batch = helpers.make_batch()

  for _ in range(3):
    ours.update(batch)
    assert isinstance(theirs.agent, ddpg_lib.DdpgAgent)
    theirs.agent.train(_trajectory(batch))

  assert int(ours.agent.train_step_counter) == 3
  _assert_equal(_values(ours), _values(theirs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('build', [_sac, _td3, _ddpg])
def test_the_compiled_loop_does_the_same_updates(build):
  single, fused = build(), build()
  batches = [helpers.make_batch(seed=seed) for seed in range(3)]
  before = _values(single)

  # Compiled as well: XLA draws other numbers for the same seed.
  update = tf.function(single.update, jit_compile=True, autograph=False)
  for batch in batches[:2]:
    update(batch)
  stacked = tf.nest.map_structure(lambda *parts: tf.stack(parts), *batches)
  losses = updates.fused_update(fused)(stacked, tf.constant(2))

  assert losses.shape == (len(single.loss_names),)
  assert np.all(np.isfinite(losses))
  _assert_equal(_values(single), _values(fused), rtol=2e-3, atol=2e-5)
  assert any(np.any(new != old) for new, old in zip(_values(fused), before, strict=True))


@pytest.mark.parametrize('build', [_sac, _td3])
def test_noise_depends_on_seed_and_train_step_alone(build):
  batch = helpers.make_batch()
  first, again, other = build(seed=5), build(seed=5), build(seed=6)
  tf.random.uniform([3])  # Shifts TensorFlow's global stream.

  losses = [float(baseline.update(batch).loss) for baseline in (first, again, other)]

  assert losses[0] == losses[1]
  assert losses[0] != losses[2]
  _assert_equal(_values(first), _values(again))


def test_noise_differs_by_train_step_and_by_draw():
  train_step = tf.Variable(0, dtype=tf.int64)
  seeds = set()
  for step in range(3):
    train_step.assign(step)
    seeds |= {tuple(adapter.step_seed(5, train_step, draw).numpy()) for draw in (0, 1)}
  assert len(seeds) == 6


def test_td3_learns_from_targets_with_clipped_noise():
  baseline = _td3(target_policy_noise=100.0, target_policy_noise_clip=0.5)
  quiet = _td3(target_policy_noise=0.0)
  observation = tf.constant(np.zeros((50, 3), np.float32))

  noisy, _ = baseline.agent._target_actor_network(observation)
  mean, _ = quiet.agent._target_actor_network(observation)

  half_width = (helpers.BOX_HIGH - helpers.BOX_LOW) / 2
  distance = np.abs(noisy - mean) / half_width
  np.testing.assert_allclose(distance, 0.5, atol=1e-5)
  # TF-Agents' own noise, which no checkpoint could keep, is off.
  assert baseline.agent._target_policy_noise == 0


def test_a_target_follows_its_network_whatever_wraps_it():
  baseline = _td3(target_update_tau=1.0, target_update_period=2)
  agent = baseline.agent
  start = [v.numpy() for v in agent._target_actor_network.variables]
  _assert_equal(start, [v.numpy() for v in agent._actor_network.variables])

  for _ in range(2):
    baseline.update(helpers.make_batch())

  actor = [v.numpy() for v in agent._actor_network.variables]
  _assert_equal([v.numpy() for v in agent._target_actor_network.variables], actor)
  assert any(np.any(new != old) for new, old in zip(actor, start, strict=True))


def test_the_state_holds_optimisers_targets_and_counters():
  baseline = _td3()
  count = sum(len(part) for part in baseline.state_parts.values())
  baseline.update(helpers.make_batch())

  # Nothing appears later: a checkpoint of a fresh agent has it all.
  assert sum(len(part) for part in baseline.state_parts.values()) == count
  held = {v.ref() for part in baseline.state_parts.values() for v in part}
  agent = baseline.agent
  for wanted in (
    agent._actor_network.variables,
    agent._target_actor_network.variables,
    agent._target_critic_network_2.variables,
    agent._actor_optimizer.variables(),
    [agent.train_step_counter],
  ):
    assert {v.ref() for v in wanted} <= held


def test_slots_leave_weights_and_step_size_as_they_were():
  variable = tf.Variable([1.0, 2.0])
  optimizer = adapter.Adam(0.1)

  adapter.make_slots(optimizer, [variable])

  np.testing.assert_array_equal(variable, [1.0, 2.0])
  assert int(optimizer.iterations) == 0
  assert len(optimizer.variables()) == 3
  optimizer.apply_gradients([(tf.constant([1.0, -1.0]), variable)])
  # Adam's first step is its step size, whatever the gradient.
  np.testing.assert_allclose(variable, [0.9, 2.1], rtol=1e-5)


def test_the_loss_is_elementwise_huber():
  assert _ddpg().agent._td_errors_loss_fn is common.element_wise_huber_loss
