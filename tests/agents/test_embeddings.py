"""Tests of the embeddings: their loss by hand, what learns, what follows and when."""

import numpy as np
import pytest
import tensorflow as tf

from latent_hrl import errors
from latent_hrl.agents import latent_space
from latent_hrl.networks import encoders
from tests import helpers

SEED = tf.constant([11, 12])
SMALL = encoders.EmbeddingsConfig(size=4, hidden_units=(5,), projection_units=3)


@pytest.fixture(autouse=True, scope='module')
def _eager():
  """Runs functions without compiling them."""
  tf.config.run_functions_eagerly(True)
  yield
  tf.config.run_functions_eagerly(False)


def _sgd(learning_rate=0.1):
  return tf.keras.optimizers.SGD(learning_rate)


def _agent(**kwargs):
  return helpers.make_agent(
    helpers.action_spec(), **{'embeddings': SMALL, 'temperature': 0.5, **kwargs}
  )


def _moved(agent, updates):
  """Which parts move in each of so many updates."""
  moved = []
  for i in range(updates):
    before = {k: [v.numpy() for v in part] for k, part in agent.state_parts.items()}
    agent.update(helpers.make_batch(seed=i))
    parts = agent.state_parts.items()
    moved.append({k for k, v in parts if any(map(_differ, v, before[k]))})
  return moved


def _differ(mine, theirs):
  return np.any(mine.numpy() != theirs)


def test_loss_is_the_error_in_the_next_states_embedding():
  embeddings, batch = _agent()._embeddings, helpers.make_batch()
  helpers.perturb(embeddings.learning.weights)
  _, predicted = embeddings.learning(batch.observation, batch.output)
  following = embeddings.learning.state(batch.next_observation)
  squared = np.mean((predicted - following).numpy() ** 2, axis=-1)
  for weights in (1.0, np.arange(6, dtype=np.float32)):
    expected = np.mean(weights * squared)
    assert float(embeddings.loss(batch, weights)) == pytest.approx(expected, rel=1e-4)


def test_next_states_are_no_moving_target():
  embeddings, batch = _agent()._embeddings, helpers.make_batch()
  learning = embeddings.learning
  helpers.perturb(learning.weights)
  with tf.GradientTape() as tape:
    loss = embeddings.loss(batch)
  slopes = tape.gradient(loss, learning.state.variables)
  held = np.float32(learning.state(batch.next_observation))
  losses = []
  bias = learning.state.variables[-1]
  for step in (0.01, -0.01):
    bias.assign_add([step, 0.0, 0.0, 0.0])
    _, predicted = learning(batch.observation, batch.output)
    losses.append(np.mean((predicted - held) ** 2))
    bias.assign_add([-step, 0.0, 0.0, 0.0])
  expected = (losses[0] - losses[1]) / 0.02
  assert float(slopes[-1][0]) == pytest.approx(expected, rel=0.02)


def test_one_generation_learns_and_the_others_follow_one_by_one():
  agent, batch = _agent(encoder_optimizer=_sgd()), helpers.make_batch()
  embeddings = agent._embeddings
  policies = (agent.actor_network, agent.averaged_actor_network)

  def seen(encoder):
    return np.stack(encoder(batch.observation, batch.output))

  first = seen(embeddings.learning)
  losses = [float(embeddings.learn(batch)) for _ in range(5)]
  assert losses[-1] < losses[0]
  learned = seen(embeddings.learning)
  assert np.abs(learned - first).max() > 0.01
  for encoder in (embeddings.in_use, embeddings.of_targets):
    np.testing.assert_array_equal(seen(encoder), first)
  embeddings.follow(tau=1.0)
  np.testing.assert_array_equal(seen(embeddings.in_use), learned)
  np.testing.assert_array_equal(seen(embeddings.of_targets), first)
  for policy in policies:
    np.testing.assert_array_equal(policy.state_encoder(batch.observation), learned[0])
  embeddings.follow(tau=1.0)
  np.testing.assert_array_equal(seen(embeddings.of_targets), learned)


def test_state_parts_hold_each_weight_once():
  variables = _agent(clip_target_values=True).state_variables
  assert len({id(v) for v in variables}) == len(variables)


def test_parts_move_every_so_many_updates():
  moved = _moved(
    _agent(
      temperature=None,
      actor_update_period=2,
      target_update_period=3,
      target_update_tau=1.0,
      policy_average_tau=0.5,
      critics_first=True,
    ),
    6,
  )
  for part in ('actor', 'averaged_actor', 'log_temperature', 'actor_optimizer'):
    assert [part in parts for parts in moved] == [True, False] * 3, part
  for part in ('target_critic', 'encoder_in_use', 'encoder_of_average'):
    assert [part in parts for parts in moved] == [False, False, True] * 2, part
  assert [i for i, parts in enumerate(moved) if 'encoder_of_targets' in parts] == [5]
  assert all({'critic', 'encoder'} <= parts for parts in moved)


def test_losses_of_an_actor_that_rests_count_for_the_updates_in_between():
  often, seldom = (_agent(actor_update_period=period) for period in (1, 2))
  expected = float(often.update(helpers.make_batch()).extra.actor_loss)
  losses = [float(seldom.update(helpers.make_batch()).extra.actor_loss) for _ in range(2)]
  assert losses == [pytest.approx(2 * expected), 0.0]


@pytest.mark.parametrize('critics_first', [False, True])
def test_the_actor_learns_from_critics_before_or_after_their_step(critics_first):
  agent = _agent(embeddings=None, critics_first=critics_first, actor_optimizer=_sgd(0.0))
  batch = helpers.make_batch()
  seed = agent._seeds()[1]
  before = float(agent.losses.actor_loss(batch.observation, seed)[0])
  info = agent.update(batch)
  after = float(agent.losses.actor_loss(batch.observation, seed)[0])
  assert abs(after - before) > 1e-4
  expected = after if critics_first else before
  assert float(info.extra.actor_loss) == pytest.approx(expected, abs=1e-5)


def test_target_values_are_held_to_the_range_of_targets_at_the_last_copy():
  agent = helpers.make_agent(
    helpers.latent_spec(),
    gamma=0.5,
    temperature=0.1,
    clip_target_values=True,
    target_update_period=2,
    target_update_tau=1.0,
    actor_optimizer=_sgd(0.0),
    critic_optimizer=_sgd(0.0),
  )
  helpers.set_constant(agent.critic_network, [9.0, 9.0])
  helpers.set_constant(agent.target_critic_network, [4.0, 4.0])
  batch = helpers.make_batch(2)._replace(
    reward=tf.constant([1.0, -2.0]), discount=tf.ones([2])
  )
  targets = []
  for _ in range(3):
    targets.append(agent.losses.critic_target(batch, SEED).numpy())
    agent.update(batch)
  # Nothing holds at first; then the copied 9 is held to [0, 3], what the targets had.
  np.testing.assert_allclose(targets, [[3.0, 0.0], [3.0, 0.0], [2.5, -0.5]], atol=1e-6)


def test_a_run_tells_of_its_embeddings_only_if_there_are_any():
  plain = latent_space.LatentSpaceConfig()
  other = latent_space.LatentSpaceConfig(embeddings=SMALL, clip_target_values=True)
  assert not {'embeddings', 'clip_target_values'} & set(plain.critic_settings)
  told = {'size': 4, 'hidden_units': (5,), 'projection_units': 3}
  assert other.critic_settings['embeddings'] == other.policy_settings['embeddings'] == told
  assert other.critic_settings['clip_target_values']
  assert 'encoder_loss' not in helpers.make_agent(helpers.action_spec()).loss_names
  with pytest.raises(errors.ConfigError, match=r'embeddings must be .*@Embeddings\(\)'):
    latent_space.LatentSpaceConfig(embeddings=True)
