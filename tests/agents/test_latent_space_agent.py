"""Tests of the agent: its losses against numbers worked out here, and its updates."""

import gin
import numpy as np
import pytest
import tensorflow as tf
from tf_agents.trajectories import time_step as ts
from tf_agents.trajectories import trajectory

from latent_hrl import errors
from latent_hrl.agents import entropy
from latent_hrl.agents import latent_space
from latent_hrl.agents import latent_space_agent
from latent_hrl.agents import protocol
from latent_hrl.networks import encoders
from tests import helpers

SEED = tf.constant([11, 12])
GAMMA = 0.9
CENTER, HALF_WIDTH = np.array([-0.5, 1.0]), np.array([1.5, 2.0])
SHIFT, LOG_SCALE = np.array([0.3, -0.2]), np.array([0.4, -0.6])

SPECS = {'bounded': helpers.action_spec(), 'unbounded': helpers.latent_spec()}
both_kinds = pytest.mark.parametrize('kind', SPECS)


@pytest.fixture(autouse=True, scope='module')
def _eager():
  """Runs functions without compiling them, which training/test_updates.py does."""
  tf.config.run_functions_eagerly(True)
  yield
  tf.config.run_functions_eagerly(False)


def _sgd(learning_rate=1.0):
  return tf.keras.optimizers.SGD(learning_rate)


def _affine_agent(kind, **kwargs):
  """An agent whose flow is z · exp(LOG_SCALE) + SHIFT in every state."""
  agent = helpers.make_agent(SPECS[kind], **{'gamma': GAMMA, 'temperature': 0.5, **kwargs})
  for network in (agent.actor_network, agent.averaged_actor_network):
    helpers.set_affine(network, SHIFT, LOG_SCALE)
  return agent


def _draw(agent, observation):
  """The outputs that the agent draws for SEED."""
  distribution, _ = agent.actor_network(observation)
  return np.float64(distribution.experimental_sample_and_log_prob(seed=SEED)[0])


def _entropy(kind, output):
  """H(u) of an affine agent, from the formulas in the module docstring alone."""
  hidden = output
  if kind == 'bounded':
    hidden = np.arctanh((output - CENTER) / HALF_WIDTH)
  latent = (hidden - SHIFT) * np.exp(-LOG_SCALE)
  log_normal = lambda z: np.sum(-0.5 * z**2 - 0.5 * np.log(2 * np.pi), axis=-1)  # noqa: E731
  log_prob = log_normal(latent) - np.sum(LOG_SCALE)
  if kind == 'unbounded':
    return -log_prob + log_normal(output)
  # The density on the box; H is that of the action in units of the half-width.
  log_prob -= np.sum(np.log(HALF_WIDTH * (1 - np.tanh(hidden) ** 2)), axis=-1)
  return -log_prob - np.sum(np.log(HALF_WIDTH))


def _critic(agent, kind, observation, output, target=False):
  network = agent.target_critic_network if target else agent.critic_network
  return helpers.critic_in_numpy(network, observation, output, SPECS[kind])


@both_kinds
def test_entropy_term_is_measured_against_box_or_prior(kind):
  agent = _affine_agent(kind)
  observation = helpers.make_batch().observation
  output = _draw(agent, observation)
  log_prob = agent.actor_network(observation)[0].log_prob(tf.constant(output, tf.float32))
  entropy = agent.losses.entropy.of_output(tf.constant(output, tf.float32), log_prob)
  np.testing.assert_allclose(entropy, _entropy(kind, output), atol=1e-3)


def test_entropy_of_a_latent_is_minus_its_kl_to_the_prior_on_average():
  agent = _affine_agent('unbounded')
  observation = tf.zeros([50_000, 3])
  _, entropy = agent.losses.actor_loss(observation, SEED)
  kl = np.sum(-LOG_SCALE + (np.exp(2 * LOG_SCALE) + SHIFT**2 - 1) / 2)
  assert float(tf.reduce_mean(entropy)) == pytest.approx(-kl, abs=0.02)
  # A fresh layer leaves the skills below as they are: no cost at all, in every state.
  fresh = helpers.make_agent(helpers.latent_spec())
  _, entropy = fresh.losses.actor_loss(observation[:10], SEED)
  np.testing.assert_array_equal(entropy, np.zeros(10))


def test_entropy_of_an_action_does_not_depend_on_the_size_of_its_box():
  entropies = []
  for scale in (1.0, 7.0):
    spec = helpers.action_spec(helpers.BOX_LOW * scale, helpers.BOX_HIGH * scale)
    _, entropy = helpers.make_agent(spec).losses.actor_loss(
      helpers.make_batch().observation, SEED
    )
    entropies.append(entropy)
  np.testing.assert_allclose(entropies[0], entropies[1], atol=1e-5)


@both_kinds
@pytest.mark.parametrize('temperature', [0.5, None], ids=['fixed', 'automatic'])
def test_critic_target(kind, temperature):
  agent = _affine_agent(kind, temperature=temperature, initial_temperature=0.7)
  # Online and target critics differ, so that a mixed-up one shows.
  helpers.perturb(agent.target_critic_network.variables, seed=5)
  batch = helpers.make_batch(20)
  output = _draw(agent, batch.next_observation)
  values = _critic(agent, kind, batch.next_observation, output, target=True)
  assert (
    len(set(np.argmin(values, axis=-1))) == 2
  )  # Each critic is the smaller one somewhere.
  alpha = 0.5 if temperature else 0.7
  soft_value = values.min(axis=-1) + alpha * _entropy(kind, output)
  expected = batch.reward + GAMMA * batch.discount * soft_value
  np.testing.assert_allclose(agent.losses.critic_target(batch, SEED), expected, atol=1e-3)


def test_critic_target_of_constant_critics_by_hand():
  agent = helpers.make_agent(helpers.latent_spec(), gamma=0.5, temperature=0.1)
  helpers.set_constant(agent.target_critic_network, [5.0, 3.0])
  batch = helpers.make_batch(2)._replace(
    reward=tf.constant([1.0, 2.0]), discount=tf.constant([1.0, 0.0])
  )
  # A fresh layer on a latent has H = 0, so the first is 1 + 0.5 · 3.
  np.testing.assert_allclose(agent.losses.critic_target(batch, SEED), [2.5, 2.0], rtol=1e-6)


@both_kinds
def test_critic_loss(kind):
  agent = _affine_agent(kind)
  batch = helpers.make_batch()
  target = tf.constant(np.linspace(-2, 3, 6).astype(np.float32))
  loss, values = agent.losses.critic_loss(batch, target)
  expected = _critic(agent, kind, batch.observation, batch.output)
  np.testing.assert_allclose(values, expected, atol=1e-5)
  squared = (expected - target.numpy()[:, np.newaxis]) ** 2
  assert float(loss) == pytest.approx(np.mean(0.5 * squared.sum(axis=-1)), rel=1e-4)


@both_kinds
@pytest.mark.parametrize('temperature', [0.5, None], ids=['fixed', 'automatic'])
def test_actor_loss(kind, temperature):
  agent = _affine_agent(kind, temperature=temperature, initial_temperature=0.7)
  helpers.perturb(agent.target_critic_network.variables, seed=5)
  helpers.perturb(agent.critic_network.variables, seed=8)
  observation = helpers.make_batch(20).observation
  output = _draw(agent, observation)
  values = _critic(agent, kind, observation, output)
  assert len(set(np.argmin(values, axis=-1))) == 2
  alpha = 0.5 if temperature else 0.7
  loss, entropy = agent.losses.actor_loss(observation, SEED)
  np.testing.assert_allclose(entropy, _entropy(kind, output), atol=1e-3)
  expected = -np.mean(values.min(axis=-1) + alpha * _entropy(kind, output))
  assert float(loss) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
  ('kind', 'arguments', 'target'),
  [
    ('bounded', {}, -2.0),
    ('unbounded', {}, -1.5),
    ('unbounded', {'target_kl': 0.25}, -0.25),
    ('bounded', {'target_entropy': 0.5}, 0.5),
    ('unbounded', {'target_entropy': -3.0}, -3.0),
  ],
)
def test_temperature_loss(kind, arguments, target):
  agent = _affine_agent(kind, temperature=None, initial_temperature=0.2, **arguments)
  assert agent.target_entropy == target
  entropy = np.array([1.0, -4.0, 0.5])
  loss = agent.losses.temperature_loss(tf.constant(entropy, tf.float32))
  assert float(loss) == pytest.approx(np.log(0.2) * np.mean(entropy - target), rel=1e-5)


@pytest.mark.parametrize(('target', 'direction'), [(50.0, 1), (-50.0, -1)])
def test_temperature_rises_when_entropy_is_below_its_target_and_falls_above(
  target, direction
):
  agent = _affine_agent('bounded', temperature=None, target_entropy=target)
  before = float(agent.temperature)
  agent.update(helpers.make_batch())
  assert direction * (float(agent.temperature) - before) > 0.005


def test_temperature_step_is_its_learning_rate_times_the_excess():
  agent = _affine_agent(
    'bounded', temperature=None, initial_temperature=0.5, temperature_optimizer=_sgd(0.1)
  )
  info = agent.update(helpers.make_batch())
  assert float(info.extra.temperature) == pytest.approx(0.5)  # Before the update.
  expected = np.log(0.5) - 0.1 * (float(info.extra.entropy) - -2.0)
  assert np.log(float(agent.temperature)) == pytest.approx(expected, abs=1e-5)


def test_target_moves_by_tau_exactly_after_the_critic_and_a_fixed_temperature_stays():
  agent = _affine_agent('bounded', target_update_tau=0.125)
  helpers.perturb(agent.target_critic_network.variables, seed=5)
  old_critic = [variable.numpy() for variable in agent.critic_network.variables]
  old_target = [variable.numpy() for variable in agent.target_critic_network.variables]
  info = agent.update(helpers.make_batch())
  # A fixed temperature stays.
  assert float(agent.temperature) == pytest.approx(0.5)
  assert float(info.extra.temperature_loss) == 0.0
  for variable, critic, before, target in zip(
    agent.target_critic_network.variables,
    agent.critic_network.variables,
    old_critic,
    old_target,
    strict=True,
  ):
    assert np.any(critic.numpy() != before)
    expected = 0.875 * target + 0.125 * critic.numpy()
    np.testing.assert_allclose(variable, expected, rtol=1e-6, atol=1e-7)


def test_the_average_of_the_policy_moves_by_its_share_and_is_what_the_mode_acts_with():
  agent = _affine_agent('bounded', policy_average_tau=0.25)
  start = [variable.numpy() for variable in agent.averaged_actor_network.variables]
  np.testing.assert_array_equal(start[-1], agent.actor_network.variables[-1])

  agent.update(helpers.make_batch())
  moved = 0
  for average, before, last in zip(
    agent.averaged_actor_network.variables,
    start,
    agent.actor_network.variables,
    strict=True,
  ):
    moved += np.any(last.numpy() != before)
    expected = 0.75 * before + 0.25 * last.numpy()
    np.testing.assert_allclose(average, expected, rtol=1e-6, atol=1e-7)
  assert moved

  # The policy of the last update does not change what the mode does, its average does.
  time_step = _time_step(tf.zeros([1, 3]))
  mode = agent.policy.action(time_step).action.numpy()
  helpers.perturb(agent.actor_network.variables)
  np.testing.assert_array_equal(agent.policy.action(time_step).action, mode)
  helpers.perturb(agent.averaged_actor_network.variables)
  assert np.any(agent.policy.action(time_step).action.numpy() != mode)


def test_target_starts_as_the_critic():
  agent = helpers.make_agent(helpers.action_spec())
  for mine, theirs in zip(
    agent.target_critic_network.variables, agent.critic_network.variables, strict=True
  ):
    np.testing.assert_array_equal(mine, theirs)
    assert mine is not theirs


def test_critic_descends_the_mean_of_its_own_error():
  agent = helpers.make_agent(
    helpers.latent_spec(), optimizer=lambda: _sgd(0.1), temperature=0.1, gamma=0.5
  )
  helpers.set_constant(agent.critic_network, [5.0, 3.0])
  helpers.set_constant(agent.target_critic_network, [1.0, 2.0])
  batch = helpers.make_batch(2)._replace(
    reward=tf.constant([1.0, 2.0]), discount=tf.constant([1.0, 0.0])
  )
  info = agent.update(batch)
  # Targets 1 + 0.5 · 1 and 2; their mean is 1.75.
  bias = agent.critic_network.variables[-1].numpy().ravel()
  np.testing.assert_allclose(bias, [5 - 0.1 * 3.25, 3 - 0.1 * 1.25], rtol=1e-5)
  assert float(info.extra.target_value) == pytest.approx(1.75)
  assert float(info.extra.q_value) == pytest.approx(4.0)
  off = [[3.5, 1.5], [3.0, 1.0]]
  assert float(info.extra.critic_loss) == pytest.approx(np.sum(np.square(off)) / 4)


def test_actor_loss_moves_the_actor_and_not_the_critic():
  agent = _affine_agent('bounded', critic_optimizer=_sgd(0.0))
  critic = [variable.numpy() for variable in agent.critic_network.variables]
  actor = [variable.numpy() for variable in agent.actor_network.variables]
  agent.update(helpers.make_batch())
  for variable, before in zip(agent.critic_network.variables, critic, strict=True):
    np.testing.assert_array_equal(variable, before)
  moved = [
    np.any(v != old) for v, old in zip(agent.actor_network.variables, actor, strict=True)
  ]
  assert any(moved)


def test_critic_loss_moves_the_critic_and_not_the_actor():
  agent = _affine_agent('bounded', actor_optimizer=_sgd(0.0))
  critic = [variable.numpy() for variable in agent.critic_network.variables]
  actor = [variable.numpy() for variable in agent.actor_network.variables]
  agent.update(helpers.make_batch())
  for variable, before in zip(agent.actor_network.variables, actor, strict=True):
    np.testing.assert_array_equal(variable, before)
  for variable, before in zip(agent.critic_network.variables, critic, strict=True):
    assert np.any(variable != before)


@both_kinds
def test_gradient_of_the_actor_loss_is_its_slope(kind):
  # Along the last bias of the flow, against a central difference of the loss: the path
  # through the sample, the critic and the density.
  agent = _affine_agent(kind)
  observation = helpers.make_batch(40).observation
  bias = agent.actor_network._conditioners[0]._output.bias
  with tf.GradientTape() as tape:
    loss, _ = agent.losses.actor_loss(observation, SEED)
  gradient = tape.gradient(loss, bias).numpy()
  start, step = bias.numpy(), np.float32([1e-2, -1e-2])  # Shift and log-scale at once.
  losses = []
  for sign in (1, -1):
    bias.assign(start + sign * step)
    losses.append(float(agent.losses.actor_loss(observation, SEED)[0]))
  slope = (losses[0] - losses[1]) / 2
  assert float(gradient @ step) == pytest.approx(slope, abs=5e-5)


def _time_step(observation):
  return ts.restart(observation, batch_size=observation.shape[0])


def _experience(batch, next_step_type=1):
  """Transitions as experience [B, 2], which is how TF-Agents hands them over."""
  size = batch.reward.shape[0]
  junk = 100.0 + tf.zeros_like(batch.reward)  # Must not be read.
  return trajectory.Trajectory(
    step_type=tf.tile([[0, next_step_type]], [size, 1]),
    observation=tf.stack([batch.observation, batch.next_observation], axis=1),
    action=tf.stack([batch.output, tf.zeros_like(batch.output)], axis=1),
    policy_info=(),
    next_step_type=tf.tile([[next_step_type, 1]], [size, 1]),
    reward=tf.stack([batch.reward, junk], axis=1),
    discount=tf.stack([batch.discount, junk], axis=1),
  )


def _values(agent):
  return [variable.numpy() for variable in agent.state_variables]


def test_train_on_a_trajectory_is_one_update_of_its_transitions():
  trained, updated = _affine_agent('bounded'), _affine_agent('bounded')
  batch = helpers.make_batch()
  info = trained.train(_experience(batch))
  expected = updated.update(batch)
  assert int(trained.train_step_counter) == 1
  assert [type(part) for part in (info, info.extra)] == [
    type(expected),
    type(expected.extra),
  ]
  for name, mine, theirs in zip(
    expected.extra._fields, info.extra, expected.extra, strict=True
  ):
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5, err_msg=name)
  for mine, theirs in zip(_values(trained), _values(updated), strict=True):
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_termination_does_not_bootstrap_but_a_time_limit_does():
  agent = helpers.make_agent(helpers.latent_spec(), gamma=0.5, temperature=0.1)
  helpers.set_constant(agent.target_critic_network, [4.0, 6.0])
  batch = helpers.make_batch(3)._replace(reward=tf.ones([3]))
  last = 2  # Both are the last step of an episode; the discount tells them apart.
  terminated = batch._replace(discount=tf.zeros([3]))
  info = agent.loss(_experience(terminated, next_step_type=last))
  assert float(info.extra.target_value) == pytest.approx(1.0)
  truncated = batch._replace(discount=tf.ones([3]))
  info = agent.loss(_experience(truncated, next_step_type=last))
  assert float(info.extra.target_value) == pytest.approx(3.0)


def test_loss_is_the_sum_of_the_losses_and_changes_nothing():
  agent = _affine_agent('bounded', temperature=None, initial_temperature=0.5)
  before = _values(agent)
  info = agent.loss(_experience(helpers.make_batch()))
  for mine, old in zip(_values(agent), before, strict=True):
    np.testing.assert_array_equal(mine, old)
  extra = info.extra
  assert float(extra.temperature_loss) != 0
  total = extra.critic_loss + extra.actor_loss + extra.temperature_loss
  assert float(info.loss) == pytest.approx(float(total), rel=1e-6)
  # So is an update: every part of it sees the weights from before.
  expected = agent.update(helpers.make_batch()).extra
  for name, value in extra._asdict().items():
    assert float(value) == pytest.approx(float(getattr(expected, name)), rel=1e-5), name


def test_weights_multiply_the_loss_of_each_transition():
  agent = _affine_agent('bounded', temperature=None, initial_temperature=0.5)
  batch, weights = helpers.make_batch(), tf.constant([0.0, 2.0, 0.0, 0.5, 0.0, 1.0])
  target = agent.losses.critic_target(batch, SEED)
  loss, values = agent.losses.critic_loss(batch, target, weights)
  each = 0.5 * np.sum((values.numpy() - target.numpy()[:, np.newaxis]) ** 2, axis=-1)
  assert float(loss) == pytest.approx(np.mean(weights * each), rel=1e-5)

  loss, entropy = agent.losses.actor_loss(batch.observation, SEED, weights)
  output = _draw(agent, batch.observation)
  objective = _critic(agent, 'bounded', batch.observation, output).min(-1) + 0.5 * entropy
  assert float(loss) == pytest.approx(-np.mean(weights * objective), abs=1e-3)

  loss = agent.losses.temperature_loss(entropy, weights)
  assert float(loss) == pytest.approx(
    np.log(0.5) * np.mean(weights * (entropy + 2)), rel=1e-4
  )


def test_transitions_of_weight_zero_do_not_teach():
  batch, junk = helpers.make_batch(), helpers.make_batch(seed=1)
  weights = tf.constant([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
  mixed = protocol.Batch(
    *[tf.concat([a[:3], b[3:]], axis=0) for a, b in zip(batch, junk, strict=True)]
  )
  agent = _affine_agent('bounded', temperature=None)
  mine = agent.loss(_experience(batch), weights)
  theirs = agent.loss(_experience(mixed), weights)
  assert float(mine.loss) == pytest.approx(float(theirs.loss), rel=1e-5)
  unweighted = agent.loss(_experience(mixed))
  assert float(unweighted.loss) != pytest.approx(float(mine.loss), rel=1e-2)


def test_noise_follows_seed_and_train_step():
  experience = _experience(helpers.make_batch())
  agent, other = _affine_agent('bounded', seed=1), _affine_agent('bounded', seed=2)
  first = float(agent.loss(experience).extra.entropy)
  assert float(other.loss(experience).extra.entropy) != first
  agent.train_step_counter.assign_add(1)
  assert float(agent.loss(experience).extra.entropy) != first


def test_automatic_temperature_does_not_touch_the_gradient_of_the_actor():
  agent = _affine_agent('bounded', temperature=None)
  with tf.GradientTape() as tape:
    _, entropy = agent.losses.actor_loss(helpers.make_batch().observation, SEED)
    loss = agent.losses.temperature_loss(entropy)
  gradients = tape.gradient(loss, agent.actor_network.trainable_variables)
  assert gradients == [None] * len(gradients)


def test_policies_act_by_mode_and_by_sample():
  agent = _affine_agent('bounded')
  time_step = _time_step(tf.zeros([2000, 3]))
  mode = agent.policy.action(time_step).action
  expected = CENTER + HALF_WIDTH * np.tanh(SHIFT)
  np.testing.assert_allclose(mode, np.tile(expected, [2000, 1]), rtol=1e-4)
  sample = agent.collect_policy.action(time_step, seed=3).action.numpy()
  hidden = np.arctanh((sample - CENTER) / HALF_WIDTH)
  np.testing.assert_allclose(hidden.mean(axis=0), SHIFT, atol=0.1)
  np.testing.assert_allclose(hidden.std(axis=0), np.exp(LOG_SCALE), rtol=0.1)


@pytest.mark.parametrize('temperature', [0.0, -1.0])
def test_temperature_must_be_positive(temperature):
  with pytest.raises(
    errors.ConfigError, match=f'temperature must be .*, got {temperature}'
  ):
    helpers.make_agent(helpers.action_spec(), temperature=temperature)


def test_actor_for_another_action_spec_is_an_error():
  agent = helpers.make_agent(helpers.latent_spec())
  with pytest.raises(ValueError, match=r'The actor puts out \(2,\), but .* \(3,\)'):
    latent_space_agent.LatentSpaceAgent(
      agent.time_step_spec,
      helpers.latent_spec(3),
      agent.actor_network,
      agent.critic_network,
      _sgd(),
      _sgd(),
      _sgd(),
    )


def test_create_agent_follows_gin_in_scope():
  gin.parse_config("""
    LatentPolicyNetwork.embedding_units = (4,)
    TwinCriticNetwork.hidden_units = (5,)
    upper/TwinCriticNetwork.hidden_units = (6, 7)
    create_agent.temperature = 0.5
    upper/create_agent.temperature = 0.2
  """)
  template = helpers.make_agent(helpers.latent_spec())
  with gin.config_scope('upper'):
    agent = latent_space.create_agent(template.time_step_spec, template.action_spec)
  assert float(agent.temperature) == pytest.approx(0.2)
  assert agent.actor_network.variables[0].shape == (3, 4)
  for critic in (agent.critic_network, agent.target_critic_network):
    # Weights and biases, and for the normalised layers scale and offset.
    assert sorted(v.shape[-1] for v in critic.variables) == [1, 1, *[6] * 4, *[7] * 4]


def _through(decode, **kwargs):
  """An agent on a latent whose critic judges `decode(observation, output)`."""
  executed = entropy.ExecutedAction(decode, SPECS['bounded'])
  return _affine_agent('unbounded', executed_action=executed, **kwargs)


def _shifted_double(observation, output):
  doubled = 2.0 * output + observation[:, :2]
  return doubled, tf.fill(tf.shape(output)[:1], 2 * np.log(np.float32(2)))


def test_a_critic_on_the_action_sees_what_the_layers_below_make_of_the_output():
  agent = _through(_shifted_double)
  batch = helpers.make_batch()
  output = _draw(agent, batch.next_observation)
  judged = 2 * output + batch.next_observation.numpy()[:, :2]
  values = helpers.critic_in_numpy(
    agent.target_critic_network, batch.next_observation.numpy(), judged, SPECS['bounded']
  )
  soft = values.min(axis=-1) + 0.5 * _entropy('unbounded', output)
  expected = batch.reward + GAMMA * batch.discount * np.float32(soft)

  np.testing.assert_allclose(agent.losses.critic_target(batch, SEED), expected, rtol=1e-4)


def test_entropy_of_the_action_counts_how_the_layers_below_stretch_the_output():
  agent = _through(_shifted_double, entropy_of='action')
  observation = helpers.make_batch().observation
  distribution, _ = agent.actor_network(observation)
  _, log_prob = distribution.experimental_sample_and_log_prob(seed=SEED)
  low, high = np.array(helpers.BOX_LOW), np.array(helpers.BOX_HIGH)
  volume = np.sum(np.log((high - low) / 2))

  _, entropy = agent.losses.actor_loss(observation, SEED)

  expected = -log_prob + 2 * np.log(2) - volume
  np.testing.assert_allclose(entropy, expected, rtol=1e-5, atol=1e-6)
  assert agent.target_entropy == -2.0  # That of a bottom layer.
  assert _through(_shifted_double).target_entropy == -1.5


def test_entropy_of_an_action_that_is_not_there_is_an_error():
  with pytest.raises(ValueError, match="entropy_of = 'action' needs .* Layer.critic"):
    helpers.make_agent(helpers.latent_spec(), entropy_of='action')
  with pytest.raises(errors.ConfigError, match="'output' or 'action', got 'actions'"):
    helpers.make_agent(helpers.latent_spec(), entropy_of='actions')


def test_the_actors_gradient_runs_through_the_layers_below():
  agent = _through(_shifted_double, temperature=1e-6)
  observation = helpers.make_batch().observation
  bias = agent.actor_network._conditioners[0]._output.bias

  def loss():
    return agent.losses.actor_loss(observation, SEED)[0]

  with tf.GradientTape() as tape:
    value = loss()
  gradient = tape.gradient(value, bias).numpy()
  step = np.zeros_like(gradient)
  step[0] = 2e-3  # The shift of one output.
  bias.assign_add(step)
  above = float(loss())
  bias.assign_sub(2 * step)
  slope = (above - float(loss())) / 4e-3

  assert abs(slope) > 1e-3
  assert gradient[0] == pytest.approx(slope, rel=0.05)


def test_experience_of_tf_agents_holds_outputs_and_is_judged_by_the_action():
  agent = _through(_shifted_double)
  batch = helpers.make_batch(size=4)
  experience = _experience(batch)

  np.testing.assert_allclose(
    agent._to_batch(experience).output,
    2 * batch.output + batch.observation[:, :2],
    rtol=1e-6,
  )


@both_kinds
def test_a_command_is_seen_by_the_critic_and_reaches_the_policy_by_its_latent(kind):
  agent = _affine_agent(kind, command_size=1)
  observation = helpers.make_batch(observation_size=4).observation
  loss, entropy_term = agent.losses.actor_loss(observation, SEED)

  own, command = observation[:, :3], observation[:, 3:]
  distribution, _ = agent.actor_network(own)
  output = np.float64(distribution.sample_and_log_prob(SEED, command)[0])
  hidden = output
  if kind == 'bounded':
    hidden = np.arctanh((output - CENTER) / HALF_WIDTH)
  latent = (hidden - SHIFT) * np.exp(-LOG_SCALE)
  np.testing.assert_allclose(latent[:, :1], command, atol=1e-4)
  np.testing.assert_allclose(entropy_term, _entropy(kind, output), rtol=1e-4, atol=1e-4)
  values = _critic(agent, kind, np.float64(observation), output)
  objective = values.min(axis=-1) + 0.5 * _entropy(kind, output)
  np.testing.assert_allclose(loss, -np.mean(objective), rtol=1e-4)


def test_a_commanded_agent_updates_and_its_policy_acts_without_the_command():
  agent = helpers.make_agent(SPECS['bounded'], command_size=1)
  before = [variable.numpy() for variable in agent.actor_network.variables]
  agent.update(helpers.make_batch(observation_size=4))

  assert any(
    np.any(variable != old)
    for variable, old in zip(agent.actor_network.variables, before, strict=True)
  )
  assert agent.policy.action(_time_step(np.zeros((1, 3), np.float32))).action.shape == (
    1,
    2,
  )


def test_embeddings_predict_what_the_policy_sees_without_the_command():
  embeddings = encoders.EmbeddingsConfig(size=4, hidden_units=(8,))
  agent = helpers.make_agent(SPECS['bounded'], command_size=1, embeddings=embeddings)
  batch = helpers.make_batch(observation_size=4)
  other = batch._replace(
    observation=tf.concat([batch.observation[:, :3], batch.observation[:, 3:] + 1], -1)
  )
  losses = [agent._embeddings.loss(each) for each in (batch, other)]
  assert losses[0] == losses[1] > 0
  agent.update(batch)
