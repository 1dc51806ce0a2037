"""What gin may bind: every parameter has a rule, and the rules hold what they say."""

import dataclasses
import inspect
import math

import gin
import hypothesis
import pytest
from hypothesis import strategies

from latent_hrl import checks
from latent_hrl import config
from latent_hrl import errors
from latent_hrl import ranges
from latent_hrl.layers import spec as spec_lib
from latent_hrl.training import bindings
from latent_hrl.training import settings

# Given by the caller, never by gin.
GIVEN = {
  'self', 'transition', 'input_tensor_spec', 'output_tensor_spec', 'time_step_spec',
  'observation_spec',
  'action_spec', 'seed', 'executed_action', 'task_id', 'render_mode', 'fields',
}  # fmt: skip
# By themselves, since gin makes them first; the terms of a sum where they are bound.
CHECKED_ELSEWHERE = {'Layer', 'Trainer', 'train_stack', 'System', 'compare', 'weighted_sum'}


@pytest.fixture(autouse=True)
def _registered():
  config.load(['gin/defaults.gin'])
  gin.clear_config()


def test_every_parameter_has_a_rule():
  selectors = [selector for selector, _ in gin.config._REGISTRY.items()]
  ours = {name.split('.')[-1] for name in selectors if name.startswith('latent_hrl.')}
  assert bindings.RULES.keys() < ours
  for configurable in ours - CHECKED_ELSEWHERE:
    parameters = inspect.signature(gin.get_configurable(configurable)).parameters
    rules = bindings.RULES.get(configurable, {})
    assert parameters.keys() - GIVEN == rules.keys(), configurable


@pytest.mark.parametrize(
  'path', ['defaults', 'multi_goal', 'stack_half_cheetah', 'baselines/td3', 'baselines/ppo']
)
def test_the_files_keep_the_rules(path):
  config.load([f'gin/{path}.gin'])
  bindings.check()


PARAMETERS = [(owner, name) for owner, rules in bindings.RULES.items() for name in rules]
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
    bindings.check()
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
    ('LatentPolicyNetwork.num_couplings', (0, 16)),
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
    bindings.check()


def test_every_unbounded_number_has_a_sensible_range_with_a_reason():
  fields = [field.name for field in dataclasses.fields(settings.TrainerSettings)]
  unbounded = (checks.POSITIVE, checks.NOT_NEGATIVE, checks.NUMBER, checks.POSITIVE_INTEGER)
  for _, name in PARAMETERS:
    for owner in bindings.RULES:
      rule = bindings.RULES[owner].get(name)
      # Optional ones are other rules: their text begins alike.
      if rule and any(rule.text.split(',')[0] == other.text for other in unbounded):
        assert name in ranges.RANGES, f'{owner}.{name}'
  assert set(fields) <= ranges.RANGES.keys()
  assert all(
    limits.low < limits.high and limits.reason for limits in ranges.RANGES.values()
  )


@pytest.mark.parametrize(
  ('parameter', 'value', 'reason'),
  [
    ('create_agent.learning_rate', 5e-324, 'Adam'),
    ('LatentPolicyNetwork.num_couplings', 64, 'compiling'),
    ('base/Trainer.replay_capacity', 8, 'memory'),
    ('far/sparse_goal.weight', 1e38, 'float32'),
  ],
)
def test_a_number_out_of_its_range_tells_why_and_how_to_have_it(parameter, value, reason):
  gin.bind_parameter(parameter, value)
  with pytest.raises(errors.ConfigError, match=f'must be from .*{reason}') as caught:
    bindings.check()
  assert 'train_stack.unchecked_ranges = True' in str(caught.value)
  bindings.check(unchecked_ranges=True)


def test_whole_floats_are_the_integers_that_are_meant():
  config.load(
    ['gin/defaults.gin'],
    [
      'base/Trainer.batch_size = 1e2',
      'base/Layer.env_steps = 6e5',
      'widths = (8.0, 16)',
      'LatentPolicyNetwork.embedding_units = %widths',
      'LatentPolicyNetwork.embedding_size = 4.0',
    ],
  )
  bindings.check()

  for name, expected in (('embedding_units', (8, 16)), ('embedding_size', 4)):
    bound = gin.query_parameter(f'LatentPolicyNetwork.{name}')
    assert repr(bound) == repr(expected)
  with gin.config_scope('base'):
    assert repr(settings.TrainerSettings().batch_size) == '100'
    assert repr(spec_lib.Layer().env_steps) == '600000'
