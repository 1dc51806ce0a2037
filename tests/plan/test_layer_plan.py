"""The plan of a layer is complete, or says what contradicts what."""

import dataclasses

import gin
import pytest

from latent_hrl import errors
from latent_hrl.agents import ppo
from latent_hrl.environments import symmetries
from latent_hrl.plan import layer as layer_lib
from latent_hrl.plan import layer_plan
from tests import helpers


class _Mirror(symmetries.Symmetry):
  """A symmetry of whatever there is."""

  def __init__(self, fields):
    self.fields = fields

  draw = observation = action = lambda self, rows, view: rows


@pytest.fixture(name='below')
def _below():
  record = helpers.make_record('base', ('body',))
  return helpers.make_manifest([helpers.BODY], [record])


def _plan(task, below, **layer):
  return layer_plan.plan(layer_lib.Layer(name='run', **layer), task, below)


def test_a_plan_holds_what_gin_binds_for_its_layer_alone(toy_task):
  gin.parse_config("""
    OffPolicy.batch_size = 7
    run/OffPolicy.batch_size = 8
    run/create_agent.gamma = 0.5
    run/task_reward.scale = 3.0
  """)
  plan = _plan(toy_task(), None)
  gin.clear_config()
  assert (plan.off_policy.batch_size, plan.agent.gamma) == (8, 0.5)
  assert plan.reward.arguments == {'scale': 3.0} == plan.identity.reward_arguments
  with pytest.raises(dataclasses.FrozenInstanceError):
    plan.bottom = False


def test_what_a_layer_puts_out_and_sees_depends_on_what_lies_below(toy_task, below):
  task = toy_task()
  alone = _plan(task, None, observation_fields=('goal',))
  above = _plan(task, below, observation_fields=('goal',))
  assert alone.output_spec == alone.action_spec == above.action_spec
  assert not hasattr(above.output_spec, 'minimum')
  assert [field.name for field in alone.fields] == ['goal']
  assert {field.name for field in above.fields} == {'body', 'goal'}
  assert above.reads == alone.reads


@pytest.mark.parametrize(
  ('layer', 'bottom', 'reason'),
  [
    ({'agent_fn': ppo.PpoConfig}, True, 'for agents that learn from a replay'),
    ({}, False, "needs run/Layer.critic = 'action'"),
  ],
)
def test_symmetry_needs_a_replay_of_actions(toy_task, below, layer, bottom, reason):
  with pytest.raises(errors.ConfigError, match=reason):
    _plan(toy_task(), None if bottom else below, symmetry_fn=_Mirror, **layer)
  plan = _plan(toy_task(), below, symmetry_fn=_Mirror, critic='action')
  assert plan.symmetry.fields == plan.reads


def test_entropy_of_the_action_needs_a_critic_of_it(toy_task, below):
  gin.bind_parameter('run/create_agent.entropy_of', 'action')
  task = toy_task()
  assert not _plan(task, None).judges_action
  assert _plan(task, below, critic='action').judges_action
  _plan(task, below, agent_fn=ppo.PpoConfig)
  with pytest.raises(errors.ConfigError, match="of = 'action' needs run/Layer.critic"):
    _plan(task, below)


def test_a_replay_that_takes_in_no_decision_is_refused(toy_task, below):
  gin.bind_parameter('run/OffPolicy.initial_steps', 4)
  with pytest.raises(errors.ConfigError, match='is 4, too few for one decision of 5 steps'):
    _plan(toy_task(), below, interval=5)
