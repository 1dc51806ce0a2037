"""Tests of the latent as an action space: what is executed, seen, told and refused."""

import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.utils import env_checker
from scipy import stats

from latent_hrl import errors
from latent_hrl import latent_actions
from latent_hrl.environments import tasks
from tests import helpers


@pytest.fixture(scope='module', name='layer')
def _layer(saved_base):
  return helpers.compiled_once(saved_base.saved)


def _wrapped(layer, task, *args, **kwargs):
  return latent_actions.LatentActionWrapper(task, layer, *args, **kwargs)


@pytest.mark.parametrize('goal_first', [False, True])
def test_latent_wrapper_executes_what_the_layer_decodes(saved_base, toy_task, goal_first):
  task = toy_task(goal_first=goal_first)
  layer = saved_base.saved  # It reads the body alone.
  env = latent_actions.LatentActionWrapper(task, layer, bound=5.0)
  observation, _ = env.reset(seed=3)
  rng, position = np.random.default_rng(0), np.zeros(2)
  for _ in range(3):
    latent = rng.normal(size=2).astype(np.float32)
    body = task.split(observation)['body'][np.newaxis]
    expected = layer.decode(body, latent[np.newaxis])[0]
    observation, reward, _, _, info = env.step(latent)
    np.testing.assert_allclose(info['action'], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(info['received'], info['action'])
    assert reward == pytest.approx(float(np.sum(expected)), rel=1e-5)
    position += expected
    np.testing.assert_allclose(
      task.split(observation)['body'][:2], position, rtol=1e-4, atol=1e-6
    )
  # A new episode starts from its own observation.
  observation, _ = env.reset(seed=4)
  expected = layer.mode(task.split(observation)['body'][np.newaxis])[0]
  *_, info = env.step(np.zeros(2))
  np.testing.assert_allclose(info['action'], expected, rtol=1e-5, atol=1e-6)


# The compiled policy is in the test before.
@pytest.mark.usefixtures('quick_training')
def test_latent_wrapper_keeps_the_output_of_a_layer_with_an_interval(
  tmp_path, saved_base, toy_task
):
  both = [helpers.BODY, helpers.GOAL]
  slow = helpers.save_layer(
    tmp_path / 'slow', 'slow', both, both, lower=saved_base.saved, seed=2, interval=3
  )
  env = latent_actions.LatentActionWrapper(toy_task(), slow.saved, bound=5.0)
  for _ in range(2):  # Each episode begins with a decision.
    observation, _ = env.reset(seed=3)
    for step in range(4):
      latent = np.full(2, 0.5 - step, np.float32)
      if step % 3 == 0:
        output = slow.actor.flow(observation[np.newaxis]).forward(latent[np.newaxis])
      expected = saved_base.saved.decode(observation[np.newaxis, :3], output.numpy())[0]
      observation, _, _, _, info = env.step(latent)
      np.testing.assert_allclose(info['received'], expected, rtol=1e-4, atol=1e-5)


def test_latent_wrapper_checks_the_fit(saved_base, toy_task):
  task = toy_task()
  task.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
  with pytest.raises(errors.StackError, match='does not fit'):
    latent_actions.LatentActionWrapper(task, saved_base.saved)


@pytest.mark.usefixtures('quick_training')
@pytest.mark.filterwarnings('ignore::UserWarning')  # Wrapped, unbounded observation: meant.
def test_latent_wrapper_keeps_the_contract_of_gymnasium(layer, toy_task):
  env = _wrapped(layer, toy_task())
  env_checker.check_env(env, skip_render_check=True)


def test_uniform_actions_are_draws_from_the_prior():
  actions = latent_actions.LatentActions('prior', 1)
  assert actions.space == gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
  drawn = np.random.default_rng(0).uniform(-1, 1, (4000, 1))
  latents = actions.latents(drawn, (4000, 1))
  assert stats.kstest(latents[:, 0], 'norm').pvalue > 0.01
  edges = actions.latents(np.array([[-1.0], [0.0], [1.0], [3.0]]), (4, 1))
  np.testing.assert_array_equal(edges[:, 0], [-5.0, 0.0, 5.0, 5.0])


@pytest.mark.parametrize(('bound', 'limit'), [(2, 2.0), (0.5, 0.5), (None, np.inf)])
def test_with_a_bound_the_action_is_the_latent(bound, limit):
  actions = latent_actions.LatentActions(bound, 2)
  assert actions.space == gymnasium.spaces.Box(-limit, limit, (2,), np.float32)
  expected = np.clip([0.25, -3.0], -limit, limit)
  np.testing.assert_allclose(actions.latents([0.25, -3.0], (2,)), expected)


@pytest.mark.parametrize('bound', [0, -1.0, np.nan, 'best', True])
def test_an_impossible_bound_is_one_error(bound):
  with pytest.raises(errors.ConfigError, match="bound must be 'prior', a number above 0"):
    latent_actions.LatentActions(bound, 2)


@pytest.mark.parametrize(
  ('action', 'reason'),
  [
    (np.zeros(3), r'shape \(3,\) where the layer takes \(2,\)'),
    (np.zeros((1, 2)), r'shape \(1, 2\) where'),
    ([0.0, np.nan], r'the latent action \[0.0, nan\] is not finite'),
    ([np.inf, 0.0], 'is not finite'),
    ('left', "'left' is no latent action"),
  ],
)
def test_a_wrong_latent_action_is_one_error(layer, toy_task, action, reason):
  env = _wrapped(layer, toy_task(), bound=None)
  env.reset(seed=0)
  with pytest.raises(errors.StackError, match=reason):
    env.step(action)


@pytest.mark.parametrize(
  ('arguments', 'reason'),
  [
    ({'interval': 0}, 'interval must be a whole number of at least 1, got 0'),
    ({'interval': 1.5}, 'interval must be a whole number'),
    ({'gamma': 1.5}, 'gamma must lie between 0 and 1'),
  ],
)
def test_impossible_arguments_are_one_error(layer, toy_task, arguments, reason):
  with pytest.raises(errors.ConfigError, match=reason):
    _wrapped(layer, toy_task(), **arguments)


def test_a_step_needs_a_reset(layer, toy_task):
  with pytest.raises(errors.TaskError, match="'Toy-v0' has to be reset before"):
    _wrapped(layer, toy_task()).step(np.zeros(2))


@pytest.mark.usefixtures('quick_training')
def test_what_was_returned_may_be_changed(layer, toy_task):
  env, other = (_wrapped(layer, toy_task()) for _ in range(2))
  observation, _ = env.reset(seed=0)
  other.reset(seed=0)
  for _ in range(3):
    observation *= 0.0
    observation, *_, info = env.step(np.zeros(2))
    *_, untouched = other.step(np.zeros(2))
    np.testing.assert_array_equal(info['action'], untouched['action'])


@pytest.mark.usefixtures('quick_training')
def test_the_layer_reads_below_what_wrappers_make_of_the_observation(layer, toy_task):
  plain = _wrapped(layer, toy_task())
  stacked = gymnasium.wrappers.FrameStackObservation(
    gymnasium.wrappers.NormalizeObservation(toy_task()), 2
  )
  env = _wrapped(layer, stacked)
  assert env.observation_space.shape == (2, 5)
  plain.reset(seed=0)
  env.reset(seed=0)
  for _ in range(3):
    observation, *_, info = env.step(np.zeros(2))
    np.testing.assert_array_equal(info['action'], plain.step(np.zeros(2))[-1]['action'])
    assert observation.shape == (2, 5)


@pytest.mark.parametrize(
  ('wrapper', 'name'),
  [
    (gymnasium.wrappers.NormalizeObservation, 'NormalizeObservation'),
    (lambda env: gymnasium.wrappers.FrameStackObservation(env, 2), 'FrameStackObservation'),
    (
      lambda env: gymnasium.wrappers.TimeLimit(
        gymnasium.wrappers.ReshapeObservation(env, (17, 1)), 5
      ),
      'ReshapeObservation',
    ),
  ],
)
def test_a_changed_observation_without_a_task_inside_is_refused(layer, wrapper, name):
  env = wrapper(gymnasium.make('HalfCheetah-v5'))
  with pytest.raises(errors.StackError, match=rf'{name} changes .* {name}\(latent_hrl'):
    latent_actions.LatentActionWrapper(env, layer)


@pytest.mark.usefixtures('quick_training')
def test_any_environment_is_made_a_task(layer):
  env = _wrapped(layer, gymnasium.wrappers.TimeLimit(helpers.ToyEnv(), 2))
  assert tasks.find(env).fields == (helpers.BODY, helpers.GOAL)
  env.reset(seed=0)
  assert [env.step(np.zeros(2))[3] for _ in range(2)] == [False, True]


def test_latents_are_no_task_for_another_layer(layer, toy_task):
  env = gymnasium.wrappers.TimeLimit(_wrapped(layer, toy_task()), 5)
  with pytest.raises(errors.StackError, match='the actions are latents already'):
    _wrapped(layer, env)


@pytest.mark.usefixtures('quick_training')
def test_a_latent_is_held_and_its_rewards_are_summed_up(layer, toy_task):
  single, env = _wrapped(layer, toy_task()), None
  env = _wrapped(layer, toy_task(), interval=3, gamma=0.5)
  single.reset(seed=0)
  env.reset(seed=0)
  lengths = []
  for action in np.float32([[0.2, -0.7], [-0.9, 0.4], [0.1, 0.1]]):
    observation, reward, terminated, truncated, info = env.step(action)
    steps = [single.step(action) for _ in range(info['steps'])]
    lengths.append(info['steps'])
    weighted = [0.5**place * step[1] for place, step in enumerate(steps)]
    assert reward == pytest.approx(sum(weighted))
    np.testing.assert_array_equal(observation, steps[-1][0])
    np.testing.assert_array_equal(info['action'], steps[-1][-1]['action'])
    assert (terminated, truncated) == steps[-1][2:4]
  assert lengths == [3, 3, 1] and truncated  # The toy ends after 7 steps.


@pytest.mark.usefixtures('quick_training')
def test_a_spec_makes_the_wrapper_again(layer):
  gymnasium.register('Toy-v0', entry_point='tests.helpers:ToyEnv')
  try:
    env = _wrapped(layer, gymnasium.make('Toy-v0', length=3), 2.0, interval=2)
    again = gymnasium.make(
      gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json())
    )
    assert str(again) == str(env).replace('PassiveEnvChecker<', '').replace(
      '>>>', '>>'
    ) or (str(again) == str(env))
    assert again.action_space == env.action_space
    env.reset(seed=1)
    again.reset(seed=1)
    one, other = (each.step(np.float32([0.5, 0.1])) for each in (env, again))
    np.testing.assert_array_equal(one[0], other[0])
    assert one[1:4] == other[1:4] and one[-1]['steps'] == 2
  finally:
    gymnasium.registry.pop('Toy-v0')


class _Layer:
  """Stands for a layer that goes to other processes."""

  def __init__(self, path):
    self.path = path

  def policy(self, batch):
    del batch
    return _policy


def _policy(observation, latent, step):
  return latent, latent + step


_policy.held = np.zeros((1, 2), np.float32)


def test_what_is_compiled_stays_behind_and_what_is_held_goes_along():
  compiled = latent_actions.CompiledLayer(_Layer('here'), batch=1)
  compiled(np.zeros((1, 3)), np.ones((1, 2)), np.ones(1))
  _policy.held = np.full((1, 2), 7.0, np.float32)
  arrived = pickle.loads(pickle.dumps(compiled))
  assert arrived._policy is None
  _policy.held = np.zeros((1, 2), np.float32)
  np.testing.assert_array_equal(
    arrived(np.zeros((1, 3)), np.ones((1, 2)), np.ones(1)), [[2.0, 2.0]]
  )
  np.testing.assert_array_equal(_policy.held, np.full((1, 2), 7.0))
