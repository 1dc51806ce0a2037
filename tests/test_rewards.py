"""Tests of the named rewards: their numbers, and how gin binds their arguments."""

import json

import gin
import numpy as np
import pytest

from latent_hrl import errors
from latent_hrl import rewards
from latent_hrl.environments import layer_reward
from latent_hrl.plan import layer as layer_lib


def _transition(**kwargs):
  values = {
    'observation': {
      'position': np.float32([0.0, 0.0]),
      'goal': np.float32([3.0, 3.75]),
    },
    'action': np.float32([0.5, -1.0]),
    'next_observation': {
      'position': np.float32([3.0, 4.0]),
      'goal': np.float32([-9.0, 9.0]),  # The next one.
    },
    'task_reward': 2.5,
    'terminated': False,
    'info': {'x_velocity': -3.0, 'y_velocity': 4.0},
  }
  return rewards.Transition(**{**values, **kwargs})


def test_task_reward_is_scaled():
  assert rewards.task_reward(_transition()) == 2.5
  assert rewards.task_reward(_transition(), scale=-2.0) == -5.0


def test_forward_velocity_is_signed():
  assert rewards.forward_velocity(_transition()) == -3.0


def test_planar_speed_is_the_same_in_every_direction():
  for info in (
    {'x_velocity': -3.0, 'y_velocity': 4.0},
    {'x_velocity': 0.0, 'y_velocity': -5},
  ):
    assert rewards.planar_speed(_transition(info=info)) == pytest.approx(5.0)
  # On a planar task there is no y.
  assert rewards.planar_speed(_transition(info={'x_velocity': -3.0})) == pytest.approx(3.0)


def test_control_costs_and_being_alive():
  assert rewards.control_cost(_transition()) == pytest.approx(0.25 + 1.0)
  assert rewards.alive(_transition()) == 1.0
  assert rewards.alive(_transition(terminated=True)) == 0.0


def test_the_tasks_own_reward_is_logged_by_its_terms():
  bound = rewards.bind(rewards.task_reward)._replace(arguments={'scale': 2.0})
  transition = _transition(info={'reward_terms': {'speed': 3.0, 'contact': -0.5}})
  assert bound.terms(transition) == {'speed': 6.0, 'contact': -1.0}
  assert bound.terms(_transition()) == {'task_reward': 5.0}


@pytest.mark.parametrize('theirs', [{'speed': 3.0}, {'speed': 'high'}, [2.5], 2.5, None])
def test_what_others_call_reward_terms_changes_no_reward(theirs):
  bound = rewards.bind(rewards.task_reward)
  assert bound.terms(_transition(info={'reward_terms': theirs})) == {'task_reward': 2.5}


def test_a_term_of_the_task_can_be_a_reward():
  transition = _transition(info={'reward_terms': {'speed': 2.0, 'contact': -0.5}})
  assert rewards.task_term(transition, name='contact') == -0.5
  with pytest.raises(rewards.MissingQuantityError, match="'reward_terms'..'jump'"):
    rewards.task_term(transition, name='jump')


def test_a_weighted_sum_adds_up_its_terms_and_tells_each():
  gin.parse_config("""
    weighted_sum.terms = {'planar_speed': 2.0, 'alive': 0.05, 'sparse_goal': 10}
    sparse_goal.weight = 0.5
  """)
  bound = rewards.bind(rewards.weighted_sum)
  assert bound.terms(_transition()) == {
    'planar_speed': pytest.approx(10.0),
    'alive': 0.05,
    'sparse_goal': 5.0,
  }
  assert bound(_transition()) == pytest.approx(15.05)
  # What the manifest records is enough to compute it again.
  recorded = json.loads(json.dumps(bound.arguments))
  assert recorded['terms']['sparse_goal']['arguments']['weight'] == 0.5
  gin.clear_config()
  assert rewards.REWARDS['weighted_sum'](_transition(), **recorded) == pytest.approx(15.05)
  assert rewards.bind(rewards.task_reward).terms(_transition()) == {'task_reward': 2.5}


def test_a_scope_tells_two_terms_of_a_kind_apart():
  gin.parse_config("""
    weighted_sum.terms = {'far/sparse_goal': 1.0, 'sparse_goal': 10.0, 'a/task_term': 2.0}
    sparse_goal.weight = 0.5
    far/sparse_goal.goal = (9.0, 9.0)
    a/task_term.name = 'speed'
  """)
  bound = rewards.bind(rewards.weighted_sum)
  transition = _transition(info={'reward_terms': {'speed': 2.0}})
  assert bound.terms(transition) == {
    'far/sparse_goal': 0.0,  # Elsewhere than the task's own goal.
    'sparse_goal': 5.0,
    'a/task_term': 4.0,
  }
  assert bound.arguments['terms']['far/sparse_goal']['arguments']['weight'] == 0.5


def test_terms_are_bound_in_the_scope_of_the_reference():
  gin.parse_config("""
    near/weighted_sum.terms = {'sparse_goal': 1.0}
    near/sparse_goal.weight = 7.0
  """)
  with gin.config_scope('near'):
    assert rewards.bind(rewards.weighted_sum)(_transition()) == 7.0

  @gin.configurable(module='tests')
  def layer(reward_fn):
    return rewards.bind(reward_fn)

  gin.parse_config('layer.reward_fn = @near/weighted_sum')
  assert layer()(_transition()) == 7.0


@pytest.mark.parametrize(
  ('terms', 'message'),
  [
    ('None', 'must map rewards to weights'),
    ('{}', 'must map rewards to weights'),
    ("{'planar_sped': 1.0}", "no reward 'planar_sped'; did you mean 'planar_speed'"),
    ("{'far/sparse_gol': 1.0}", "no reward 'sparse_gol'; did you mean 'sparse_goal'"),
    ("{'weighted_sum': 1.0}", "no reward 'weighted_sum'"),
    ("{'alive': 'much'}", "the weight of 'alive' must be a number, got 'much'"),
    ("{'alive': True}", "the weight of 'alive' must be a number, got True"),
  ],
)
def test_a_sum_that_makes_no_sense_is_an_error(terms, message):
  gin.parse_config(f'weighted_sum.terms = {terms}')
  with pytest.raises(errors.ConfigError, match=message):
    rewards.bind(rewards.weighted_sum)


def test_goal_distance_reads_the_goal_field_or_its_argument():
  assert rewards.goal_distance(_transition()) == pytest.approx(-0.3 * 0.25)
  value = rewards.goal_distance(_transition(), goal=(0.0, 0.0), weight=2.0, offset=6.0)
  assert value == pytest.approx(2.0)


def test_goal_distance_ignores_coordinates_beyond_those_of_the_goal():
  tall = _transition(next_observation={'position': np.float32([3.0, 4.0, 0.7])})
  assert rewards.goal_distance(tall, goal=(0.0, 0.0), weight=1.0) == pytest.approx(-5.0)


@pytest.mark.parametrize(('radius', 'expected'), [(0.2499, 0.0), (0.25, 7.0), (0.3, 7.0)])
def test_sparse_goal_is_paid_within_the_radius_only(radius, expected):
  assert rewards.sparse_goal(_transition(), radius=radius, weight=7.0) == expected


@pytest.mark.parametrize(
  ('reward', 'changed', 'missing'),
  [
    (rewards.forward_velocity, {'info': {}}, "info['x_velocity']"),
    (rewards.planar_speed, {'info': {'y_velocity': 1.0}}, "info['x_velocity']"),
    (rewards.sparse_goal, {'next_observation': {}}, "the observation field 'position'"),
    (
      rewards.goal_distance,
      {'observation': {'position': np.zeros(2)}},
      "the observation field 'goal'",
    ),
  ],
)
def test_missing_quantity_is_named(reward, changed, missing):
  with pytest.raises(rewards.MissingQuantityError) as error:
    reward(_transition(**changed))
  assert str(error.value).splitlines()[0] == missing  # gin adds the place.


def test_every_reward_is_registered_by_its_name():
  names = {
    'task_reward',
    'task_term',
    'alive',
    'control_cost',
    'forward_velocity',
    'planar_speed',
    'goal_distance',
    'sparse_goal',
    'weighted_sum',
  }
  assert names <= rewards.REWARDS.keys()
  assert rewards.REWARDS['planar_speed'](_transition()) == pytest.approx(5.0)


def test_bind_takes_defaults_without_bindings():
  bound = rewards.bind(rewards.goal_distance)
  assert bound.name == 'goal_distance'
  assert bound.arguments == {'goal': None, 'weight': 0.3, 'offset': 0.0}
  assert bound(_transition()) == pytest.approx(-0.3 * 0.25)
  assert isinstance(bound(_transition()), float)


def test_bind_takes_bindings_of_gin_once_and_keeps_them():
  gin.parse_config('sparse_goal.goal = (3.0, 4.0)\nsparse_goal.weight = 9.0')
  bound = rewards.bind(rewards.sparse_goal)
  assert bound.arguments == {'goal': (3.0, 4.0), 'radius': 0.25, 'weight': 9.0}
  gin.clear_config()
  assert bound(_transition()) == 9.0
  assert rewards.bind(rewards.sparse_goal).arguments['weight'] == 0.3


def test_bind_follows_the_scope_it_runs_in():
  gin.parse_config('task_reward.scale = 2.0\nupper/task_reward.scale = 3.0')
  assert rewards.bind(rewards.task_reward).arguments == {'scale': 2.0}
  with gin.config_scope('upper'):
    upper = rewards.bind(rewards.task_reward)
  assert upper.arguments == {'scale': 3.0}
  assert upper(_transition()) == 7.5


def test_bind_follows_the_scope_of_a_gin_reference():
  gin.parse_config('far/sparse_goal.weight = 5.0\nbase/Layer.reward_fn = @far/sparse_goal')
  with gin.config_scope('base'):
    layer = layer_lib.Layer()
  assert rewards.bind(layer.reward_fn).arguments['weight'] == 5.0


@pytest.mark.parametrize('reference', ['@far/sparse_goal', '@far/sparse_goal()'])
def test_a_reference_binds_in_its_scope_called_or_not(reference):
  gin.parse_config(f"""
    far/sparse_goal.weight = 5.0
    Layer.reward_fn = {reference}
  """)
  layer = layer_lib.Layer(name='base')
  gin.clear_config()
  gin.parse_config('far/sparse_goal.weight = 6.0')
  weight = 5.0 if reference.endswith('()') else 6.0
  assert rewards.bind(layer.reward_fn).arguments['weight'] == weight


def test_the_same_reward_comes_of_what_a_manifest_records():
  gin.parse_config("weighted_sum.terms = {'a/alive': 2.0, 'control_cost': -1.0}")
  bound = rewards.bind(rewards.weighted_sum)
  recorded = json.loads(json.dumps(bound.arguments))
  assert rewards.weighted_sum.is_known(recorded)
  assert rewards.BoundReward(rewards.weighted_sum, recorded)(_transition()) == 0.75
  recorded['terms']['of_elsewhere'] = {'weight': 1.0, 'arguments': {}}
  assert not rewards.weighted_sum.is_known(recorded)


def test_gin_rejects_a_misspelt_argument():
  with pytest.raises(ValueError, match="doesn't have a parameter named 'wieght'"):
    gin.parse_config('sparse_goal.wieght = 5.0')


@pytest.mark.parametrize('function', [lambda transition: 1.0, np.sum, len])
def test_bind_rejects_what_is_no_reward(function):
  with pytest.raises(TypeError, match='is no reward function; decorate it'):
    rewards.bind(function)


def _with_reward(task, reward):
  env = layer_reward.LayerReward(task, rewards.bind(reward))
  env.reset(seed=0)
  return env


def test_layer_reward_replaces_the_reward_and_keeps_the_task_reward(toy_task):
  env = _with_reward(toy_task(), rewards.forward_velocity)
  _, reward, _, _, info = env.step(np.float32([0.5, 2.0]))
  assert reward == 0.5
  assert info['task_reward'] == 2.5


def test_layer_reward_sees_the_step_it_pays_for(toy_task):
  seen = []

  def spy(transition):
    seen.append(transition)
    return 0.0

  env = layer_reward.LayerReward(toy_task(), rewards.BoundReward(rewards.Reward(spy), {}))
  observations = [env.reset(seed=0)[0]]
  for action in np.float32([[0.5, 2.0], [0.25, 0.0]]):
    observations.append(env.step(action)[0])
  for i, transition in enumerate(seen):
    np.testing.assert_array_equal(transition.observation['body'], observations[i][:3])
    np.testing.assert_array_equal(
      transition.next_observation['body'], observations[i + 1][:3]
    )
    np.testing.assert_array_equal(
      transition.next_observation['goal'], observations[i + 1][3:]
    )
  env.reset(seed=1)
  env.step(np.float32([0.5, 2.0]))
  np.testing.assert_array_equal(seen[-1].observation['body'], np.zeros(3))


def test_reward_that_needs_what_the_task_lacks_names_both(toy_task):
  env = _with_reward(toy_task(), rewards.sparse_goal)
  with pytest.raises(errors.TaskError) as error:
    env.step(np.zeros(2, np.float32))
  assert str(error.value) == (
    "reward 'sparse_goal' needs the observation field 'position', which task 'Toy-v0' "
    'does not give'
  )


def test_reward_that_is_not_finite_is_an_error(toy_task):
  bound = rewards.BoundReward(rewards.Reward(lambda transition: np.nan, 'broken'), {})
  env = layer_reward.LayerReward(toy_task(), bound)
  env.reset(seed=0)
  with pytest.raises(errors.TaskError, match="reward 'broken' is nan on task 'Toy-v0'"):
    env.step(np.zeros(2, np.float32))


def _needs(transition, goal):
  return goal


def _any_names(transition, **more):
  return 0.0


def _any_number(transition, *more):
  return 0.0


def _array(transition, goal=np.zeros(2)):  # noqa: B008
  return 0.0


@pytest.mark.parametrize('function', [_any_names, _any_number])
def test_arguments_without_names_are_refused_where_a_reward_is_registered(function):
  with pytest.raises(errors.ConfigError, match=r'takes \*+more: .* arguments with names'):
    rewards.reward(function)


def test_an_argument_that_no_manifest_can_record_is_named():
  array = rewards.reward(_array)
  with pytest.raises(errors.ConfigError, match=r'record goal = array\(\[0., 0.\]\); use'):
    rewards.bind(array)


def test_an_argument_without_default_has_to_be_bound():
  needs = rewards.reward(_needs)
  with pytest.raises(errors.ConfigError, match='has no default; bind _needs.goal'):
    rewards.bind(needs)
  gin.bind_parameter('_needs.goal', 2.0)
  assert rewards.bind(needs).arguments == {'goal': 2.0}
