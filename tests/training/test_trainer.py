"""The trainer's loop: what it computes does not depend on how fast its parts are."""

import numpy as np
import pytest
import tensorflow as tf

from latent_hrl import config
from latent_hrl import threads
from latent_hrl.training import train_stack
from tests import helpers

# The compiled updates are in other tests.
pytestmark = pytest.mark.usefixtures('quick_training')

BINDINGS = [
  'base/Layer.env_steps = 90',
  'OffPolicy.batch_size = 16',
  'OffPolicy.initial_steps = 40',
  'TrainingLoop.eval_interval = 50',
  'TrainingLoop.eval_episodes = 1',
  'LatentPolicyNetwork.embedding_units = (8,)',
  'TwinCriticNetwork.hidden_units = (8,)',
  'base/LatentPolicyNetwork.flow = @gaussian()',  # Couplings are most of what is traced.
  'train_stack.layers = [@base/Layer()]',
]


def _train(root_dir, monkeypatch, cores):
  monkeypatch.setattr(threads, 'available_cores', lambda: cores)
  config.load(['gin/multi_goal.gin'], BINDINGS)
  layer = train_stack.train_stack(root_dir, seed=3)
  rows = helpers.metrics(root_dir)
  clocks = ('wall_s', 'steps_per_s')
  return layer, [{k: v for k, v in row.items() if k not in clocks} for row in rows]


def test_learning_beside_collection_changes_no_number(tmp_path, monkeypatch):
  in_turn, rows_in_turn = _train(tmp_path / 'in_turn', monkeypatch, cores=1)
  beside, rows_beside = _train(tmp_path / 'beside', monkeypatch, cores=2)

  assert rows_in_turn == rows_beside
  assert 'critic_loss' in rows_beside[-1]  # It did learn.
  observation = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
  latent = np.zeros((3, 2), np.float32)
  np.testing.assert_array_equal(
    in_turn.decode(observation, latent), beside.decode(observation, latent)
  )


def test_a_finished_layer_is_filmed_for_tensorboard_where_asked(tmp_path):
  config.load(['gin/multi_goal.gin'], [*BINDINGS, 'base/TrainingLoop.film = True'])
  train_stack.train_stack(tmp_path)

  assert [path.name for path in (tmp_path / 'films').iterdir()] == ['base.gif']
  film = (tmp_path / 'films' / 'base.gif').read_bytes()
  shown = [
    value.image.encoded_image_string
    for file in (tmp_path / 'tensorboard' / 'base').iterdir()
    for event in tf.compat.v1.train.summary_iterator(str(file))
    for value in event.summary.value
    if value.tag == 'film'
  ]
  assert shown == [film] and film.startswith(b'GIF')


def test_the_averaged_policy_is_evaluated_and_saved_and_the_last_one_collects(tmp_path):
  config.load(['gin/multi_goal.gin'], [*BINDINGS, 'create_agent.policy_average_tau = 1e-6'])
  layer = train_stack.train_stack(tmp_path)

  # Such an average stays where the policy began, at the identity.
  observation = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
  latent = np.random.default_rng(1).normal(size=(3, 2)).astype(np.float32)
  decoded = layer.decode(observation, latent)
  np.testing.assert_allclose(decoded, np.tanh(latent), rtol=1e-3, atol=1e-4)
  first, *_, last = helpers.metrics(tmp_path)
  assert last['return_mean'] == pytest.approx(first['return_mean'], rel=1e-6)
  # It has learned all the while, and acted with that.
  path = next((tmp_path / 'checkpoints' / 'base').rglob('step_*90/agent.npz'))
  with np.load(path) as saved:
    parts = [key for key in saved if key.startswith('actor_') and key[6:].isdigit()]
    assert any(np.any(saved[key] != saved[f'averaged_{key}']) for key in parts)


def test_a_decision_brings_its_updates(tmp_path):
  base = config.PROJECT_ROOT / 'testdata' / 'multi_goal_base'
  config.load(
    ['gin/multi_goal.gin'],
    [
      *BINDINGS[1:-1],
      f'train_stack.layers = ["{base}", @north_east/Layer()]',
      'north_east/Layer.env_steps = 90',
      'north_east/Layer.interval = 4',
      'OffPolicy.updates_per_decision = 0.3',
    ],
  )
  train_stack.train_stack(tmp_path)

  path = next((tmp_path / 'checkpoints' / 'north_east').rglob('agent.npz'))
  with np.load(path) as saved:
    # Steps 41 to 90 complete the decisions 11 to 22; 0.3 of 10 is 3, of 22 is 6.
    assert int(saved['train_step_0']) == 3
