"""Actors on critics that stand still: where they start from, and what can't be compared."""

import gin
import pytest

from benchmarks import actor_fit
from latent_hrl import config
from latent_hrl import errors
from latent_hrl.training import train_stack
from tests import helpers

SMALL = (
  'LatentPolicyNetwork.embedding_units = (16,)',
  'LatentPolicyNetwork.flow = @gaussian()',
  'TwinCriticNetwork.hidden_units = (16,)',
  'OffPolicy.batch_size = 32',
  'OffPolicy.initial_steps = 40',
  'TrainingLoop.eval_episodes = 2',
  'base/Layer.env_steps = 200',
  'base/create_agent.temperature = None',
  # What is saved is the last policy, as it is in the checkpoint.
  'create_agent.policy_average_tau = 1.0',
)
ABOVE = (
  'upper/Layer.reward_fn = @task_reward',
  "upper/Layer.critic = 'action'",
  'upper/Layer.inherit = True',
  "upper/create_agent.entropy_of = 'action'",
)


def _load(*bindings):
  config.load(['gin/multi_goal.gin'], [*SMALL, *bindings])


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """A base that has learned for a moment."""
  root_dir = tmp_path_factory.mktemp('run')
  with pytest.MonkeyPatch.context() as monkeypatch:
    helpers.make_training_quick(monkeypatch)
    _load('train_stack.layers = [@base/Layer()]')
    train_stack.train_stack(root_dir)
  gin.clear_config()
  return root_dir


@pytest.fixture(scope='module')
def checkpoint(run):
  return run / 'checkpoints' / 'base' / 'step_0000000200'


@pytest.fixture(name='content', scope='module')
def _content(checkpoint):
  return helpers.file_bytes(checkpoint)


@pytest.fixture(name='own', scope='module')
def _own(checkpoint, content):
  """The policy of the checkpoint, going on from where it is."""
  with pytest.MonkeyPatch.context() as monkeypatch:
    helpers.make_training_quick(monkeypatch)
    _load('train_stack.layers = [@base/Layer()]')
    return actor_fit.measure(checkpoint, checkpoint, 0, [100])


@pytest.mark.usefixtures('quick_training')
def test_an_actor_rises_to_what_its_critics_ask_for(checkpoint, content, own):
  _load('train_stack.layers = [@base/Layer()]')

  steps, objectives = zip(*actor_fit.measure(checkpoint, None, 0, [100, 200]), strict=True)

  assert steps == (0, 100, 200)
  assert objectives[0] < objectives[1] < objectives[2]
  assert objectives[0] < own[0][1] < own[1][1]
  assert helpers.file_bytes(checkpoint) == content


@pytest.mark.usefixtures('quick_training')
def test_a_layer_above_starts_from_what_the_policy_below_reaches(run, checkpoint, own):
  base = run / 'layers' / 'base'
  _load(f"train_stack.layers = ['{base}', @upper/Layer()]", *ABOVE)
  above = actor_fit.measure(checkpoint, checkpoint, 0, [100])

  assert above[0][1] == pytest.approx(own[0][1], rel=1e-4)
  assert above[1][1] > above[0][1]


@pytest.mark.parametrize(
  ('bindings', 'updates', 'reason'),
  [
    ((), [150], 'must be multiples of 100, got 150'),
    (
      ('train_stack.layers = [@base/Layer(), @north_east/Layer()]',),
      [100],
      'what is below must be trained',
    ),
    (('base/create_agent.target_entropy = -9.0',), [100], 'of another entropy or target'),
    (('create_agent.gamma = 0.5',), [100], 'its gamma is 0.95, here it is 0.5'),
    (('base/Layer.agent_fn = @sac_agent',), [100], "'base' is no latent space layer"),
  ],
)
def test_what_cannot_be_compared_is_told(bindings, updates, reason, checkpoint):
  _load('train_stack.layers = [@base/Layer()]', *bindings)
  with pytest.raises(errors.ConfigError, match=reason):
    actor_fit.measure(checkpoint, None, 0, updates)


@pytest.mark.parametrize('name', ['best', 'step_0000000007'])
def test_a_checkpoint_that_is_not_there_is_told(name, checkpoint):
  _load('train_stack.layers = [@base/Layer()]')
  with pytest.raises(errors.ConfigError, match=f'{name}.*checkpoint'):
    actor_fit.measure(checkpoint.with_name(name), None, 0, [100])
  with pytest.raises(errors.ConfigError, match=f'no checkpoint to read in .*{name}'):
    actor_fit.measure(checkpoint, checkpoint.with_name(name), 0, [100])
