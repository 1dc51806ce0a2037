"""Tests of a layer as a computation: decode, encode and densities, alone and stacked."""

import types

import numpy as np
import pytest
import tensorflow as tf

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.layers import module as module_lib
from tests import helpers

DIMENSIONS = (1, 2, 3, 6, 8, 17)
BATCH = 16
STATE = observations.ObservationField('state', 4)


@pytest.fixture(autouse=True, scope='module')
def _eager():
  """Runs functions without tracing them, which test_load.py does: ten times as fast."""
  tf.config.run_functions_eagerly(True)
  yield
  tf.config.run_functions_eagerly(False)


def _log_normal(latent):
  return np.sum(-0.5 * np.float64(latent) ** 2 - 0.5 * np.log(2 * np.pi), axis=-1)


def _inverse_log_det(module, observation, action):
  """log |det dz/da| by automatic differentiation, for one observation and action."""
  dimension = action.shape[0]
  observation = tf.constant(np.tile(observation, [dimension, 1]))
  actions = tf.constant(np.tile(action, [dimension, 1]))
  with tf.GradientTape() as tape:
    tape.watch(actions)
    latent, *_ = module.inverse(observation, actions)
    # Row i holds the gradient of z_i alone.
    diagonal = tf.reduce_sum(tf.linalg.diag_part(latent))
  jacobian = np.float64(tape.gradient(diagonal, actions))
  return np.linalg.slogdet(jacobian)[1]


@pytest.fixture(name='layer', scope='module', params=DIMENSIONS)
def _layer(request):
  """A bottom layer far from the identity in a lopsided box of D dimensions."""
  dimension = request.param
  rng = np.random.default_rng(dimension)
  low = rng.uniform(-3, -0.5, dimension).astype(np.float32)
  high = rng.uniform(0.5, 3, dimension).astype(np.float32)
  actor = helpers.make_actor(helpers.action_spec(low, high), STATE.size)
  helpers.perturb(actor.variables, scale=0.3, seed=dimension)
  module = module_lib.LayerModule(actor, (STATE,), (STATE,))
  observation = rng.normal(size=(BATCH, STATE.size)).astype(np.float32)
  share = rng.uniform(0.02, 0.98, (BATCH, dimension))
  inside = (low + (high - low) * share).astype(np.float32)
  return types.SimpleNamespace(
    module=module,
    distribution=actor(tf.constant(observation))[0],
    dimension=dimension,
    low=low,
    high=high,
    observation=observation,
    latent=rng.normal(size=(BATCH, dimension)).astype(np.float32),
    inside=inside,
    encoded=module.encode(observation, inside),
  )


three_dimensions = pytest.mark.parametrize('layer', [3], indirect=True)


def test_decode_is_the_actor_distribution_at_the_latent(layer):
  action = layer.module.decode(layer.observation, layer.latent)['action']
  np.testing.assert_allclose(
    action,
    layer.distribution.bijector.forward(tf.constant(layer.latent)),
    rtol=1e-5,
    atol=1e-6,
  )
  fresh = (layer.low + layer.high) / 2 + (layer.high - layer.low) / 2 * np.tanh(
    layer.latent
  )
  assert np.abs(action - fresh).max() > 0.1  # The flow is not the identity.
  mode = layer.module.serving_default(layer.observation)['action']
  np.testing.assert_allclose(mode, layer.distribution.mode(), rtol=1e-5, atol=1e-6)


def test_decode_undoes_encode_inside_the_box(layer):
  assert not np.any(layer.encoded['clipped'])
  back = layer.module.decode(layer.observation, tf.identity(layer.encoded['latent']))[
    'action'
  ]
  np.testing.assert_allclose(back, layer.inside, rtol=0, atol=1e-5)


def test_encode_gives_the_log_prob_of_the_actor_distribution(layer):
  expected = layer.distribution.log_prob(tf.constant(layer.inside))
  np.testing.assert_allclose(layer.encoded['log_prob'], expected, atol=1e-3)


def test_encode_log_prob_matches_the_jacobian(layer):
  for i in range(2):
    log_det = _inverse_log_det(layer.module, layer.observation[i], layer.inside[i])
    expected = _log_normal(layer.encoded['latent'][i]) + log_det
    assert float(layer.encoded['log_prob'][i]) == pytest.approx(expected, abs=1e-3)


def test_encode_is_finite_on_and_beyond_the_boundary_and_says_clipped(layer):
  width = layer.high - layer.low
  actions = np.stack(
    [
      layer.low,
      layer.high,
      np.where(np.arange(layer.dimension) % 2, layer.low, layer.high),
      layer.low - 10 * width,
      layer.high + 1e30,
      np.nextafter(layer.high, layer.low, dtype=np.float32),
    ]
  )
  encoded = layer.module.encode(layer.observation[: len(actions)], actions)
  assert np.all(encoded['clipped'])
  assert np.all(np.isfinite(encoded['latent'])) and np.all(np.isfinite(encoded['log_prob']))
  back = layer.module.decode(layer.observation[: len(actions)], encoded['latent'])['action']
  limited = np.clip(actions, layer.low, layer.high)
  np.testing.assert_allclose(back, limited, rtol=0, atol=1e-5 * width.max())


@pytest.mark.parametrize(('low', 'high'), [(295, 305), (31, 33), (-1000.25, -1000), (0, 1)])
def test_encode_is_finite_at_the_bounds_of_a_box_far_from_zero(low, high):
  spec = helpers.action_spec(*(np.full(3, bound, np.float32) for bound in (low, high)))
  module = module_lib.LayerModule(helpers.make_actor(spec, STATE.size), (STATE,), (STATE,))
  observation = np.zeros((2, STATE.size), np.float32)
  action = np.stack([spec.minimum, spec.maximum])
  encoded = module.encode(observation, action)
  assert np.all(encoded['clipped'])
  assert np.all(np.isfinite(encoded['latent'])) and np.all(np.isfinite(encoded['log_prob']))
  back = module.decode(observation, encoded['latent'])['action']
  np.testing.assert_allclose(back, action, rtol=1e-6, atol=1e-6)


@three_dimensions
def test_one_dimension_on_the_boundary_is_enough_to_be_clipped(layer):
  actions = layer.inside.copy()
  actions[0, -1] = layer.high[-1]
  clipped = layer.module.encode(layer.observation, actions)['clipped']
  np.testing.assert_array_equal(clipped, [True] + [False] * (BATCH - 1))


@three_dimensions
def test_saturated_latents_decode_into_the_box_and_encode_finitely(layer):
  latent = np.float32([[-1e4], [1e4], [30.0]]) * np.ones(layer.dimension, np.float32)
  action = layer.module.decode(layer.observation[:3], latent)['action'].numpy()
  assert np.all(action >= layer.low) and np.all(action <= layer.high)
  encoded = layer.module.encode(layer.observation[:3], action)
  assert np.all(np.isfinite(encoded['latent'])) and np.all(np.isfinite(encoded['log_prob']))


@three_dimensions
def test_sample_is_reproducible_and_agrees_with_decode_and_encode(layer):
  seed = tf.constant([5, 6])
  sample = layer.module.sample(layer.observation, seed)
  again = layer.module.sample(layer.observation, seed)
  for name in ('action', 'latent', 'log_prob'):
    np.testing.assert_array_equal(sample[name], again[name])
  action = layer.module.decode(layer.observation, sample['latent'])['action']
  np.testing.assert_allclose(sample['action'], action, rtol=1e-5, atol=1e-6)
  encoded = layer.module.encode(layer.observation, tf.identity(sample['action']))
  # Near the boundary an action in float32 says little of its latent.
  unit = (sample['action'] - layer.low) / (layer.high - layer.low)
  sound = np.all(np.abs(unit - 0.5) < 0.499, axis=-1)
  assert sound.sum() >= 3
  for name in ('latent', 'log_prob'):
    np.testing.assert_allclose(encoded[name][sound], sample[name][sound], atol=5e-3)


@pytest.fixture(name='stack', scope='module')
def _stack():
  """A base, and on it a layer far from the identity and a fresh one; D = 2.

  The base was trained where the body came first, the others where the goal does.
  """
  body, goal = helpers.BODY, helpers.GOAL
  base_actor = helpers.make_actor(helpers.action_spec(), 5)
  helpers.perturb(base_actor.variables, seed=8)
  base = module_lib.LayerModule(base_actor, (body, goal), (goal, body))

  def on_base(actor, reads):
    return module_lib.LayerModule(actor, (goal, body), reads, base, (body, goal))

  upper_actor = helpers.make_actor(helpers.latent_spec(), 2)
  helpers.perturb(upper_actor.variables, seed=9)
  fresh_actor = helpers.make_actor(helpers.latent_spec(), 5)
  return types.SimpleNamespace(
    base_actor=base_actor,
    base=base,
    upper_actor=upper_actor,
    upper=on_base(upper_actor, (goal,)),
    fresh=on_base(fresh_actor, (goal, body)),
  )


def _inputs(size=9):
  """A body, a goal and a latent for each row."""
  rng = np.random.default_rng(0)
  return [tf.constant(rng.normal(size=(size, n)).astype(np.float32)) for n in (3, 2, 2)]


def _no_memory(latent):
  """What `act` takes where no layer has an interval: nothing held, any step."""
  return tf.zeros([len(latent), 0, latent.shape[1]]), tf.zeros([len(latent)], tf.int32)


def test_sample_draws_the_prior(stack):
  observation = np.zeros((20_000, 5), np.float32)
  latent = stack.base.sample(observation, tf.constant([1, 2]))['latent'].numpy()
  np.testing.assert_allclose(latent.mean(axis=0), 0, atol=0.03)
  np.testing.assert_allclose(np.cov(latent.T), np.eye(2), atol=0.04)
  other = stack.base.sample(observation, tf.constant([1, 3]))['latent'].numpy()
  assert np.abs(np.mean(latent * other)) < 0.03


def test_layers_pick_their_own_fields_whatever_the_order(stack):
  body, goal, latent = _inputs()
  observation = tf.concat([goal, body], axis=-1)
  output, action, _ = stack.upper.act(observation, latent, *_no_memory(latent))
  expected_output = stack.upper_actor.flow(goal).forward(latent)
  np.testing.assert_allclose(output, expected_output, rtol=1e-5, atol=1e-6)
  # The base reads the goal first, though its own observation has it last.
  flow = stack.base_actor.flow(observation)
  expected = stack.base_actor.squash.forward(flow.forward(expected_output))
  np.testing.assert_allclose(action, expected, rtol=1e-5, atol=1e-6)
  decoded = stack.upper.decode(observation, latent)['action']
  np.testing.assert_allclose(decoded, expected, rtol=1e-5, atol=1e-6)


def test_encode_of_a_stack_matches_its_jacobian_and_undoes_decode(stack):
  body, goal, latent = _inputs()
  observation = tf.concat([goal, body], axis=-1)
  action = stack.upper.decode(observation, latent)['action'].numpy()
  encoded = stack.upper.encode(observation, action)
  np.testing.assert_allclose(encoded['latent'], latent, atol=1e-3)
  for i in range(2):
    log_det = _inverse_log_det(stack.upper, observation[i].numpy(), action[i])
    expected = _log_normal(encoded['latent'][i]) + log_det
    assert float(encoded['log_prob'][i]) == pytest.approx(expected, abs=1e-3)


def test_what_is_not_finite_comes_out_as_nan_and_stays_in_its_row(stack):
  body, goal, latent = (value.numpy() for value in _inputs(size=5))
  action = stack.upper.decode(np.concatenate([goal, body], axis=-1), latent)['action']
  good = [np.concatenate([goal, body], axis=-1), latent, action.numpy()]
  observation, latent, action = (value.copy() for value in good)
  observation[1, 4] = np.nan  # Only the base reads it.
  observation[2, 0] = np.inf
  latent[3, 1], action[3, 1] = np.nan, np.nan
  unknown = [False, True, True, True, False]

  def outputs(observation, latent, action):
    return {
      **stack.upper.decode(observation, latent),
      **{f'encoded {k}': v for k, v in stack.upper.encode(observation, action).items()},
      'acted': stack.upper.act(observation, latent, *_no_memory(latent))[1],
    }

  expected = outputs(*good)
  for name, value in outputs(observation, latent, action).items():
    if name != 'encoded clipped':
      entries = np.isnan(np.reshape(value, [5, -1]))
      np.testing.assert_array_equal(entries.all(axis=1), unknown, err_msg=name)
      np.testing.assert_array_equal(entries.any(axis=1), unknown, err_msg=name)
      np.testing.assert_allclose(value[::4], expected[name][::4], rtol=1e-5, atol=1e-6)
  sample = stack.upper.sample(observation, tf.constant([1, 2]))
  np.testing.assert_array_equal(np.isnan(sample['log_prob']), [0, 1, 1, 0, 0])


def test_act_of_a_bottom_layer_puts_out_the_action(stack):
  body, goal, latent = _inputs()
  observation = tf.concat([body, goal], axis=-1)
  output, action, _ = stack.base.act(observation, latent, *_no_memory(latent))
  np.testing.assert_array_equal(output, action)
  np.testing.assert_array_equal(action, stack.base.decode(observation, latent)['action'])


def test_fresh_layer_acts_exactly_as_the_one_below(stack):
  body, goal, latent = _inputs()
  below, above = tf.concat([body, goal], axis=-1), tf.concat([goal, body], axis=-1)
  for name, inputs in (('decode', [latent]), ('serving_default', [])):
    np.testing.assert_array_equal(
      getattr(stack.fresh, name)(above, *inputs)['action'],
      getattr(stack.base, name)(below, *inputs)['action'],
    )
  output, *_ = stack.fresh.act(above, latent, *_no_memory(latent))
  np.testing.assert_array_equal(output, latent)


def test_a_layer_with_an_interval_keeps_its_output_and_the_one_below_acts_on(stack):
  body, goal, latent = _inputs(size=2)
  fields = (helpers.GOAL, helpers.BODY)
  upper = module_lib.LayerModule(
    stack.upper_actor, fields, fields[:1], stack.base, fields[::-1], interval=3
  )
  step = tf.constant([3, 1])  # The first episode decides, the second is in between.
  held = tf.constant(np.float32([[[7.0, 7.0]], [[0.3, -0.2]]]))

  observation = tf.concat([goal, body], axis=-1)
  output, action, kept = upper.act(observation, latent, held, step)

  decided = stack.upper_actor.flow(goal).forward(latent)
  np.testing.assert_allclose(output[0], decided[0], rtol=1e-5, atol=1e-6)
  np.testing.assert_array_equal(output[1], held[1, 0])
  np.testing.assert_array_equal(kept[:, 0], output)
  below = stack.base.decode(tf.concat([body, goal], axis=-1), output)['action']
  np.testing.assert_allclose(action, below, rtol=1e-5, atol=1e-6)


def test_intervals_of_two_layers_run_side_by_side(stack):
  fields = (helpers.GOAL, helpers.BODY)
  middle = module_lib.LayerModule(
    stack.upper_actor, fields, fields[:1], stack.base, fields[::-1], interval=2
  )
  top_actor = helpers.make_actor(helpers.latent_spec(), 2)
  helpers.perturb(top_actor.variables, seed=4)
  top = module_lib.LayerModule(
    top_actor, fields, fields[:1], middle, fields, interval=4, held_below=1
  )
  held, outputs = tf.zeros([1, 2, 2]), []
  for step in range(8):
    rng = np.random.default_rng(step)
    observation = tf.constant(rng.normal(size=(1, 5)).astype(np.float32))
    latent = tf.constant(rng.normal(size=(1, 2)).astype(np.float32))
    _, _, held = top.act(observation, latent, held, tf.constant([step]))
    outputs.append(held.numpy()[0])
  outputs = np.stack(outputs)  # [steps, layers, D], the top first

  changes = np.any(np.diff(outputs, axis=0) != 0, axis=-1)
  np.testing.assert_array_equal(changes[:, 0], [i % 4 == 3 for i in range(7)])
  np.testing.assert_array_equal(changes[:, 1], [i % 2 == 1 for i in range(7)])


def test_missing_field_is_an_error():
  actor = helpers.make_actor(helpers.action_spec())
  with pytest.raises(errors.StackError, match="'body'"):
    module_lib.LayerModule(actor, (helpers.GOAL,), (helpers.BODY,))
