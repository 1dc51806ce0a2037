"""TF-Agents' agents as layers, from gin to a saved layer."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from latent_hrl import config
from latent_hrl import errors
from latent_hrl.evaluation import rollout
from latent_hrl.layers import load
from latent_hrl.training import on_policy
from latent_hrl.training import train_stack
from tests import helpers

# The compiled updates are in tests/baselines.
pytestmark = pytest.mark.usefixtures('quick_training')

BASE = config.PROJECT_ROOT / 'testdata' / 'multi_goal_base'
SMALL = [
  'Layer.env_steps = 96',
  'OffPolicy.batch_size = 16',
  'OffPolicy.initial_steps = 48',
  'TrainingLoop.eval_interval = 48',
  'TrainingLoop.eval_episodes = 1',
  'sac_agent.hidden_units = (8,)',
  'deterministic_networks.actor_units = (8,)',
  'deterministic_networks.critic_observation_units = (8,)',
  'deterministic_networks.critic_joint_units = (8,)',
  'ppo_agent.actor_units = (8,)',
  'ppo_agent.value_units = (8,)',
  'ppo_agent.collect_steps = 32',
  'ppo_agent.minibatch_size = 16',
  'ppo_agent.num_epochs = 2',
  "train_stack.task = 'latent_hrl/MultiGoal-v0'",
]


def _train(root_dir, *bindings):
  config.load(['gin/defaults.gin'], [*SMALL, *bindings])
  layer = train_stack.train_stack(root_dir, seed=1)
  rows = helpers.metrics(root_dir)
  return layer, rows


def _train_base(root_dir, agent):
  return _train(
    root_dir,
    'train_stack.layers = [@base/Layer()]',
    f'base/Layer.agent_fn = @{agent}_agent',
    'base/OffPolicy.noise_damping = 0.15',
  )


class PPORun(NamedTuple):
  """A base of PPO, and how it learned: gradients and progress before each call."""

  layer: load.SavedLayer
  rows: list[dict[str, Any]]
  learned: list[tuple[int, float]]


@pytest.fixture(name='ppo_run', scope='module')
def _ppo_run(tmp_path_factory):
  learn, learned = on_policy.OnPolicyLearning._learn, []

  def watched(self):
    counter = self._agent.agent.train_step_counter
    before = int(counter)
    loss = learn(self)
    learned.append((int(counter) - before, float(self._agent.progress)))
    return loss

  with pytest.MonkeyPatch.context() as monkeypatch:
    helpers.make_training_quick(monkeypatch)
    monkeypatch.setattr(on_policy.OnPolicyLearning, '_learn', watched)
    layer, rows = _train_base(tmp_path_factory.mktemp('ppo'), 'ppo')
  return PPORun(layer, rows, learned)


@pytest.mark.parametrize(
  ('agent', 'loss'),
  [('sac', 'alpha_loss'), ('td3', 'critic_loss'), ('ddpg', 'critic_loss')],
)
def test_a_baseline_trains_and_is_saved_as_a_layer(agent, loss, tmp_path):
  layer, rows = _train_base(tmp_path, agent)

  assert [row['env_steps'] for row in rows] == [0, 48, 96]
  _check_saved(layer, rows, loss)


def test_ppo_trains_and_is_saved_as_a_layer(ppo_run):
  _check_saved(ppo_run.layer, ppo_run.rows, 'loss')


def _check_saved(layer, rows, loss):
  assert np.isfinite(rows[-1][loss])
  assert {key for row in rows for key in row} <= helpers.documented_metrics()
  assert any(row['collect']['episodes'] > 0 for row in rows if 'collect' in row)
  # What was evaluated last is what was saved.
  assert layer.manifest.layers[-1].evaluation['return_mean'] == rows[-1]['return_mean']
  episodes = rollout.evaluate(layer, episodes=2)
  assert all(np.isfinite(episode.task_return) for episode in episodes)


@pytest.mark.parametrize(('agent', 'interval'), [('sac', 1), ('ppo', 4)])
def test_a_baseline_trains_on_the_latent_of_a_layer(agent, interval, tmp_path):
  layer, rows = _train(
    tmp_path,
    f"train_stack.layers = ['{BASE}', @top/Layer()]",
    f'top/Layer.agent_fn = @{agent}_agent',
    f'top/Layer.interval = {interval}',
  )

  assert [record.name for record in layer.manifest.layers] == ['base', 'top']
  assert layer.manifest.held_outputs == (interval > 1)
  assert rows[-1]['env_steps'] >= 96
  observation = np.zeros((2, 2), np.float32)
  latent = np.float32([[0.1, -0.1], [0.0, 0.2]])
  action = layer.decode(observation, latent)
  np.testing.assert_allclose(layer.encode(observation, action)['latent'], latent, atol=0.05)


def test_ppo_learns_from_each_sequence_as_often_as_it_is_told(ppo_run):
  gradients, progress = zip(*ppo_run.learned, strict=True)
  assert set(gradients) == {2 * 32 // 16}  # Two epochs of 32 decisions, 16 at a time.
  assert progress[0] == 0.0 and progress[-1] > 0.5  # The learning rate falls with it.
  assert list(progress) == sorted(set(progress))


def test_ppo_gives_the_same_numbers_again(ppo_run, tmp_path):
  again, rows = _train_base(tmp_path, 'ppo')

  returns = [row['return_mean'] for row in ppo_run.rows]
  assert [row['return_mean'] for row in rows] == returns
  observation, latent = np.zeros((1, 2), np.float32), np.ones((1, 2), np.float32)
  np.testing.assert_array_equal(
    ppo_run.layer.decode(observation, latent), again.decode(observation, latent)
  )


@pytest.mark.parametrize(
  ('binding', 'message'),
  [
    ("top/Layer.critic = 'action'", "critic = 'action' is for @create_agent"),
    ('ppo_agent.minibatch_size = 7', 'must be a multiple of ppo_agent.minibatch_size'),
    ("top/Layer.agent_fn = 'sac'", 'agent_fn must be an agent such as @create_agent'),
  ],
)
def test_what_does_not_fit_an_agent_is_refused(binding, message, tmp_path):
  bindings = (
    f"train_stack.layers = ['{BASE}', @top/Layer()]",
    'top/Layer.agent_fn = @ppo_agent',
    binding,
  )
  with pytest.raises(errors.ConfigError, match=message):
    _train(tmp_path / 'run', *bindings)
  assert not (tmp_path / 'run').exists()
