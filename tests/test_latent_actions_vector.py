"""Tests of the latent as the action space of vector environments."""

import functools

import gymnasium
import numpy as np
import pytest

from latent_hrl import config
from latent_hrl import errors
from latent_hrl import latent_actions
from latent_hrl import latent_actions_vector
from latent_hrl.environments import tasks
from latent_hrl.layers import load
from tests import helpers

MODES = gymnasium.vector.AutoresetMode


def _toy(length, as_task=False):
  env = helpers.ToyEnv(length=length)
  return tasks.Task(env, 'Toy-v0', {}) if as_task else env


def _vector(lengths=(3, 5), mode=MODES.NEXT_STEP, as_task=False):
  makers = [functools.partial(_toy, length, as_task) for length in lengths]
  return gymnasium.vector.SyncVectorEnv(makers, autoreset_mode=mode)


@pytest.fixture(scope='module', name='slow')
def _slow(tmp_path_factory, saved_base):
  """A layer that decides every second step, and so must know where episodes begin."""
  both = [helpers.BODY, helpers.GOAL]
  path = tmp_path_factory.mktemp('vector') / 'slow'
  saved = helpers.save_layer(
    path, 'slow', both, both, lower=saved_base.saved, seed=2, interval=2
  )
  return helpers.compiled_once(saved.saved)


@pytest.mark.usefixtures('quick_training')
@pytest.mark.parametrize(
  ('mode', 'as_task'),
  [(MODES.NEXT_STEP, False), (MODES.SAME_STEP, True), (MODES.DISABLED, False)],
)
def test_each_environment_does_as_it_does_alone(slow, mode, as_task):
  """Against a wrapper around each: the same actions, whenever episodes end."""
  env = latent_actions_vector.LatentActionVectorWrapper(
    _vector(mode=mode, as_task=as_task), slow
  )
  alone = [
    latent_actions.LatentActionWrapper(_toy(length, as_task=True), slow)
    for length in (3, 5)
  ]
  assert env.single_action_space == alone[0].action_space
  assert env.action_space.shape == (2, 2)
  env.reset(seed=7)
  for number, one in enumerate(alone):
    one.reset(seed=7 + number)
  rng, ended = np.random.default_rng(0), np.zeros(2, bool)
  for _ in range(9):
    actions = rng.uniform(-1, 1, (2, 2)).astype(np.float32)
    if mode == MODES.DISABLED and ended.any():
      env.reset(options={'reset_mask': ended})
      for one, over in zip(alone, ended, strict=True):
        if over:
          one.reset()
    _, rewards, terminated, truncated, infos = env.step(actions)
    for number, one in enumerate(alone):
      if mode == MODES.NEXT_STEP and ended[number]:
        assert not infos['_action'][number] and rewards[number] == 0.0
        one.reset()
        continue
      _, reward, *over, info = one.step(actions[number])
      assert infos['_action'][number] and infos['_latent'][number]
      np.testing.assert_allclose(infos['action'][number], info['action'], rtol=1e-5)
      np.testing.assert_array_equal(infos['latent'][number], info['latent'])
      assert rewards[number] == pytest.approx(reward, rel=1e-5)
      assert [terminated[number], truncated[number]] == over
      if mode == MODES.SAME_STEP and any(over):
        one.reset()
    ended = np.logical_or(terminated, truncated)


@pytest.mark.usefixtures('quick_training')
def test_the_environments_may_be_in_other_processes(saved_base):
  makers = [functools.partial(gymnasium.make, 'latent_hrl:latent_hrl/MultiGoal-v0')] * 2
  pool = gymnasium.vector.AsyncVectorEnv(makers, context='spawn')
  try:
    with pytest.raises(errors.StackError, match="does not fit task 'latent_hrl/MultiGoal"):
      latent_actions_vector.LatentActionVectorWrapper(pool, saved_base.saved)
    layer = load.load_layer(config.PROJECT_ROOT / 'testdata' / 'multi_goal_base')
    env = latent_actions_vector.LatentActionVectorWrapper(pool, layer)
    env.reset(seed=0)
    observation, *_, infos = env.step(np.zeros((2, 2), np.float32))
    expected = layer.mode(np.zeros((1, 2), np.float32))
    np.testing.assert_allclose(infos['action'], np.repeat(expected, 2, 0), atol=1e-5)
    np.testing.assert_allclose(observation['position'], 0.5 * infos['action'], atol=1e-6)
  finally:
    pool.close()


def test_a_step_needs_a_reset(saved_base):
  env = latent_actions_vector.LatentActionVectorWrapper(_vector(), saved_base.saved)
  with pytest.raises(errors.TaskError, match='have to be reset before their first step'):
    env.step(np.zeros((2, 2)))
  env.reset()
  with pytest.raises(errors.StackError, match=r'shape \(2,\) where the layer takes \(2, 2'):
    env.step(np.zeros(2))


def test_an_observation_that_is_not_finite_names_its_field(saved_base, monkeypatch):
  env = latent_actions_vector.LatentActionVectorWrapper(_vector(), saved_base.saved)
  sent = {'body': np.zeros(3), 'goal': np.array([0.0, np.nan])}
  monkeypatch.setattr(helpers.ToyEnv, '_observation', lambda self: sent)
  env.reset()
  told = "field 'goal' is not finite: entry 1 of row 0 is nan"
  with pytest.raises(errors.InputError, match=told):
    env.step(np.zeros((2, 2)))


def test_changed_observations_are_refused(saved_base):
  makers = [lambda: gymnasium.wrappers.NormalizeObservation(_toy(5, as_task=True))]
  with pytest.raises(errors.StackError, match='NormalizeObservation in the environments'):
    latent_actions_vector.LatentActionVectorWrapper(
      gymnasium.vector.SyncVectorEnv(makers), saved_base.saved
    )
  rows = gymnasium.wrappers.vector.NormalizeObservation(_vector(as_task=True))
  with pytest.raises(errors.StackError, match='NormalizeObservation changes'):
    latent_actions_vector.LatentActionVectorWrapper(rows, saved_base.saved)
