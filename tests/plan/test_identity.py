"""What has to be the same for critic and replay to carry over."""

import pytest

from latent_hrl import errors
from latent_hrl.plan import identity
from tests import helpers

OWN = identity.Identity(
  task='HalfCheetah-v5',
  task_options={},
  reward='task_reward',
  reward_arguments={'scale': 1.0},
  fields=('observation',),
  interval=1,
  agent='create_agent',
  judged='action',
  critic_network={'hidden_units': (256, 256), 'value_scale': 10.0},
  policy_network={'shift_scale': 1.0},
  replay_capacity=1000,
)


@pytest.mark.parametrize(
  ('what', 'value', 'text'),
  [
    (
      'task',
      'Hopper-v5',
      "task 'HalfCheetah-v5' here, 'Hopper-v5' in the layer below",
    ),
    ('reward_arguments', {'scale': 2.0}, "reward arguments {'scale': 1.0}"),
    ('fields', ('position',), r"fields \('observation',\)"),
    ('agent', 'another_agent', "agent 'create_agent'"),
    ('judged', 'output', "judged 'action'"),
    ('critic_network', {'hidden_units': (256, 256)}, "'value_scale': 10.0} here"),
    ('replay_capacity', 10, 'replay capacity 1000'),
  ],
)
def test_whatever_differs_is_told_with_both_values(what, value, text):
  below = OWN._replace(**{what: value})
  assert [name for name, *_ in identity.differences(OWN, below)] == [what.replace('_', ' ')]
  with pytest.raises(errors.ConfigError, match=f'^upper/Layer.inherit: .*{text}'):
    identity.check_inherits('upper', OWN, below)


def test_the_same_carries_over_and_tuples_are_lists():
  below = OWN._replace(critic_network={'hidden_units': [256, 256], 'value_scale': 10.0})
  identity.check_inherits('upper', OWN, below)


def test_another_policy_is_another_run_but_inherits_all_the_same():
  below = OWN._replace(policy_network={'shift_scale': 10.0})
  assert [name for name, *_ in identity.differences(OWN, below)] == ['policy network']
  identity.check_inherits('upper', OWN, below)


def test_what_a_manifest_does_not_tell_is_not_compared():
  record = helpers.make_record(
    'base',
    OWN.fields,
    task=OWN.task,
    task_options=OWN.task_options,
    reward=OWN.reward,
    reward_arguments=OWN.reward_arguments,
  )
  identity.check_inherits('upper', OWN, identity.of_record(record))
  other = identity.of_record(record)._replace(interval=3)
  with pytest.raises(errors.ConfigError, match='interval 1 here, 3 in the layer below'):
    identity.check_inherits('upper', OWN, other)


def test_an_agent_that_does_not_declare_its_critic_cannot_inherit():
  # Two of them say the same of their critics: nothing.
  own = OWN._replace(agent='an_agent', critic_network=None)
  for below in (own, OWN, identity.of_record(helpers.make_record('base', OWN.fields))):
    with pytest.raises(errors.ConfigError, match='does not tell .*critic_settings'):
      identity.check_inherits('upper', own, below)


def test_a_bottom_layer_has_nothing_to_inherit():
  with pytest.raises(errors.ConfigError, match='base/Layer.inherit: a bottom layer has no'):
    identity.check_inherits('base', OWN, None)
