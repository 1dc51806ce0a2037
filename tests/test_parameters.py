"""What gin may bind: every parameter has a rule, and the rules hold what they say."""

import inspect
import math

import attrs
import gin
import hypothesis
import pytest
from hypothesis import strategies

from latent_hrl import checks
from latent_hrl import config
from latent_hrl import errors
from latent_hrl import parameters
from latent_hrl.agents import latent_space
from latent_hrl.plan import layer as layer_lib
from latent_hrl.plan import settings

# Given by the caller, never by gin.
GIVEN = {'root_dir', 'seed', 'transition', 'task_id', 'render_mode', 'fields'}
# What gin makes of other configurations, or where it is bound.
MADE = {'create_agent': {'policy', 'critic'}, 'weighted_sum': {'terms'}}
MADE |= {name: {'networks'} for name in ('td3_agent', 'ddpg_agent')}
OF_COMPARISONS = {'System', 'compare'}


@pytest.fixture(autouse=True)
def _registered():
  config.register()
  gin.clear_config()


def test_every_parameter_is_declared_with_a_rule_and_a_text():
  selectors = [selector for selector, _ in gin.config._REGISTRY.items()]
  ours = {name.split('.')[-1] for name in selectors if name.startswith('latent_hrl.')}
  assert len(ours) > 20
  for name in ours - OF_COMPARISONS:
    signature = inspect.signature(gin.get_configurable(name)).parameters
    declared = parameters.REGISTRY[name].parameters
    left_out = GIVEN | MADE.get(name, set())
    assert signature.keys() - left_out == declared.keys() or name == 'Layer', name
    assert all(parameter.text for parameter in declared.values()), name


def test_a_default_stands_once_and_keeps_its_own_rule_and_range():
  for name, owner in parameters.REGISTRY.items():
    for parameter in owner.parameters.values():
      if parameter.default is inspect.Parameter.empty:
        continue
      assert parameter.rule.holds(parameter.default), f'{name}.{parameter.name}'
      if parameter.range is not None:
        assert not parameter.range.problem(parameter.default), f'{name}.{parameter.name}'
        assert parameter.range.low < parameter.range.high and parameter.range.reason
  config.load(['gin/defaults.gin'])
  assert not list(config.bound_values(parameters.REGISTRY))


def test_a_configuration_takes_what_gin_binds_and_is_frozen():
  gin.parse_config('base/real_nvp.num_couplings = 4')
  with gin.config_scope('base'):
    config_in_scope = latent_space.LatentSpaceConfig()
  assert config_in_scope.policy.flow.num_couplings == 4
  assert latent_space.LatentSpaceConfig().policy.flow.num_couplings == 2
  with pytest.raises(attrs.exceptions.FrozenInstanceError):
    config_in_scope.gamma = 0.5
  with gin.config_scope('base'), pytest.raises(errors.ConfigError) as caught:
    latent_space.LatentSpaceConfig(gamma=2.0)
  message = str(caught.value).splitlines()[0]
  assert message == 'base/create_agent.gamma must be from 0 to 1, got 2.0'


def test_a_function_declares_its_parameters_too():
  radius = parameters.REGISTRY['sparse_goal'].parameters['radius']
  assert radius.default == 0.25 and radius.unit == 'm' and radius.source == 'code'
  assert radius.text == 'Distance at which the goal counts as reached.'


@pytest.mark.parametrize(
  'path', ['defaults', 'multi_goal', 'stack_half_cheetah', 'baselines/td3', 'baselines/ppo']
)
def test_the_files_keep_the_rules(path):
  config.load([f'gin/{path}.gin'])
  parameters.check_bindings()


config.register()
PARAMETERS = [
  (name, parameter)
  for name, owner in parameters.REGISTRY.items()
  for parameter in owner.parameters
  if name not in ('Layer', 'train_stack')  # What refers to others is not text or numbers.
]
VALUES = (
  strategies.none()
  | strategies.booleans()
  | strategies.integers()
  | strategies.floats()
  | strategies.text(max_size=5)
  | strategies.lists(strategies.integers(-9, 9) | strategies.floats(), max_size=3)
  | strategies.dictionaries(strategies.text(max_size=3), strategies.floats(), max_size=2)
)


@hypothesis.settings(derandomize=True, max_examples=200, deadline=None)
@hypothesis.given(parameter=strategies.sampled_from(PARAMETERS), value=VALUES)
def test_any_value_is_taken_or_one_line_that_names_it(parameter, value):
  gin.clear_config()
  owner, name = parameter
  gin.bind_parameter(f'base/{owner}.{name}', value)
  try:
    parameters.check_bindings()
  except errors.ConfigError as error:
    message = str(error)
    assert message.startswith(f'base/{owner}.{name} must be ')
    assert '\n' not in message
  else:
    assert _sound(value)


def _sound(value) -> bool:
  """No NaN and no infinity anywhere."""
  if isinstance(value, list | tuple):
    return all(map(_sound, value))
  if isinstance(value, dict):
    return all(map(_sound, value.values()))
  return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize(
  ('parameter', 'limits'),
  [
    ('create_agent.gamma', (0, 1.0)),
    ('create_agent.target_update_tau', (1e-6, 1)),
    ('create_agent.policy_average_tau', (1e-6, 1)),
    ('real_nvp.num_couplings', (1, 16)),
    ('LatentPolicyNetwork.embedding_size', (None, 1, 65_536)),
    ('LatentPolicyNetwork.embedding_units', ((), [1], (256, 256))),
    ('create_agent.temperature', (None, 1e-9)),
    ('make_task.options', (None, {}, {'a': [1, None]})),
    ('sparse_goal.goal', (None, (0, -1.5))),
  ],
)
def test_the_limits_themselves_are_taken(parameter, limits):
  for value in limits:
    gin.bind_parameter(parameter, value)
    parameters.check_bindings()


def test_every_unbounded_number_has_a_sensible_range():
  unbounded = (checks.POSITIVE, checks.NOT_NEGATIVE, checks.NUMBER, checks.POSITIVE_INTEGER)
  for name, owner in parameters.REGISTRY.items():
    for parameter in owner.parameters.values():
      # Optional ones are other rules: their text begins alike.
      if any(parameter.rule.text.split(',')[0] == rule.text for rule in unbounded):
        assert parameter.range is not None, f'{name}.{parameter.name}'


@pytest.mark.parametrize(
  ('parameter', 'value', 'reason'),
  [
    ('create_agent.learning_rate', 5e-324, 'Adam'),
    ('real_nvp.num_couplings', 64, 'compiling'),
    ('base/OffPolicy.replay_capacity', 8, 'memory'),
    ('far/sparse_goal.weight', 1e38, 'float32'),
  ],
)
def test_a_number_out_of_its_range_tells_why_and_how_to_have_it(parameter, value, reason):
  gin.bind_parameter(parameter, value)
  with pytest.raises(errors.ConfigError, match=f'must be from .*{reason}') as caught:
    parameters.check_bindings()
  assert 'train_stack.unchecked_ranges = True' in str(caught.value)
  parameters.check_bindings(unchecked_ranges=True)


def test_whole_floats_are_the_integers_that_are_meant():
  config.load(
    ['gin/defaults.gin'],
    [
      'base/OffPolicy.batch_size = 1e2',
      'base/Layer.env_steps = 6e5',
      'widths = (8.0, 16)',
      'LatentPolicyNetwork.embedding_units = %widths',
      'LatentPolicyNetwork.embedding_size = 4.0',
    ],
  )
  parameters.check_bindings()

  for name, expected in (('embedding_units', (8, 16)), ('embedding_size', 4)):
    bound = gin.query_parameter(f'LatentPolicyNetwork.{name}')
    assert repr(bound) == repr(expected)
  with gin.config_scope('base'):
    assert repr(settings.OffPolicyConfig().batch_size) == '100'
    assert repr(layer_lib.Layer().env_steps) == '600000'
