"""The main job, small: train layers on each other, save, resume, and what goes wrong."""

import gin
import gymnasium
import numpy as np
import pytest

from latent_hrl import config
from latent_hrl import errors
from latent_hrl.environments import symmetries
from latent_hrl.environments import tasks
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import rollout
from latent_hrl.layers import load
from latent_hrl.training import learner
from latent_hrl.training import train_stack
from tests import helpers

BASE = config.PROJECT_ROOT / 'testdata' / 'multi_goal_base'
SMALL = (
  'LatentPolicyNetwork.embedding_units = (16,)',
  'LatentPolicyNetwork.flow = @gaussian()',  # Couplings are most of what is traced.
  'TwinCriticNetwork.hidden_units = (32, 32)',
  'OffPolicy.batch_size = 32',
  'OffPolicy.steps_per_call = 4',
  'OffPolicy.initial_steps = 40',
  'TrainingLoop.eval_interval = 100',
  'TrainingLoop.eval_episodes = 2',
  'TrainingLoop.checkpoint_interval = 100',
  'base/Layer.env_steps = 200',
  'north_east/Layer.env_steps = 100',
)


def _train(root_dir, *bindings, seed=0):
  config.load(['gin/multi_goal.gin'], [*SMALL, *bindings])
  return train_stack.train_stack(root_dir, seed=seed)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """A finished run of two layers."""
  root_dir = tmp_path_factory.mktemp('run') / 'nested' / 'run'
  with pytest.MonkeyPatch.context() as monkeypatch:
    helpers.make_training_quick(monkeypatch)
    _train(root_dir)
  gin.clear_config()
  return root_dir


def test_a_run_leaves_the_files_of_the_contract(run):
  assert {path.name for path in run.iterdir()} == {
    '.lock',
    'best',
    'checkpoints',
    'layers',
    'learning_curve.png',
    'metrics.jsonl',
    'operative_config.gin',
    'tensorboard',
  }
  assert {path.name for path in (run / 'layers').iterdir()} == {'base', 'north_east'}
  assert list((run / 'tensorboard' / 'base').glob('events.out.tfevents.*'))


def test_metrics_have_a_row_per_evaluation(run):
  rows = helpers.metrics(run)

  steps = [(row['layer'], row['env_steps']) for row in rows]
  assert steps == [
    ('base', 0),
    ('base', 100),
    ('base', 200),
    ('north_east', 0),
    ('north_east', 100),
  ]
  assert rows[0]['episodes'] == 2 and rows[0]['success_rate'] in (0.0, 0.5, 1.0)
  assert rows[3]['reward'] == 'sparse_goal'
  assert rows[3]['task'] == 'latent_hrl/MultiGoal-v0'
  assert 'collect' not in rows[0] and rows[2]['collect']['episodes'] >= 2
  for key in ('critic_loss', 'temperature', 'entropy', 'q_value', 'steps_per_s', 'wall_s'):
    assert np.isfinite(rows[1][key])
  assert {key for row in rows for key in row} <= helpers.documented_metrics()


def test_the_operative_config_names_the_bindings(run):
  text = (run / 'operative_config.gin').read_text()

  assert 'base/Layer.env_steps = 200' in text
  assert "train_stack.task = 'latent_hrl/MultiGoal-v0'" in text


def test_the_manifest_tells_how_each_layer_was_trained(run):
  manifest = load.load_layer(run / 'layers' / 'north_east').manifest
  base, east = manifest.layers

  assert (base.name, base.reward, base.env_steps, base.seed) == (
    'base',
    'task_reward',
    200,
    0,
  )
  assert base.digest == load.load_layer(run / 'layers' / 'base').digest
  assert east.reward_arguments == {'goal': [4.0, 4.0], 'radius': 1.0, 'weight': 1.0}
  assert east.evaluation['episodes'] == 2
  assert 'OffPolicy.batch_size = 32' in manifest.config


def test_the_frozen_layer_is_the_same_inside_the_stack(run):
  base = load.load_layer(run / 'layers' / 'base')
  east = load.load_layer(run / 'layers' / 'north_east')
  observation = np.float32([[0.5, -1.0], [3.0, 2.0]])
  latent = np.float32([[0.3, -0.2], [1.0, 0.4]])

  inside = east.module._lower.forward(observation, latent)[0].numpy()

  np.testing.assert_array_equal(inside, base.decode(observation, latent))


def test_a_finished_run_trains_nothing_again(run, capsys):
  before = helpers.file_bytes(run)

  _train(run)

  assert helpers.file_bytes(run) == before
  assert 'base: already trained for 200 steps' in capsys.readouterr().out


def test_a_base_is_not_trained_on_beneath_a_trained_layer(run):
  before = helpers.file_bytes(run)
  with pytest.raises(errors.StackError, match="north_east stands on the layer 'base'"):
    _train(run, 'base/Layer.env_steps = 300')
  assert helpers.file_bytes(run) == before


@pytest.mark.usefixtures('quick_training')
def test_a_fresh_layer_leaves_every_episode_as_it_was(run, tmp_path):
  base = load.load_layer(run / 'layers' / 'base')
  task = tasks.make_task(base.manifest.task)
  fresh = helpers.save_task_layer(tmp_path / 'fresh', task, lower=base)
  third = helpers.save_task_layer(tmp_path / 'third', task, lower=fresh)

  returns = [
    [e.task_return for e in rollout.evaluate(layer, episodes=20, latents='sample')]
    for layer in (base, fresh, third)
  ]

  np.testing.assert_allclose(returns[1], returns[0], rtol=1e-4)
  np.testing.assert_allclose(returns[2], returns[0], rtol=1e-4)


def test_a_directory_of_another_seed_is_refused(run):
  with pytest.raises(errors.ConfigError, match='was trained with seed 0, not 1; use anoth'):
    _train(run, seed=1)


@pytest.mark.parametrize(
  ('binding', 'words'),
  [
    ('base/Layer.reward_fn = @control_cost', "reward 'task_reward', not 'control_cost'"),
    ('base/task_reward.scale = 2', "reward arguments {'scale': 1.0}, not {'scale': 2}"),
    ("base/make_task.options = {'goal_radius': 2.0}", 'task options .* not .*2.0'),
    ('north_east/Layer.interval = 2', 'north_east was trained with interval 1, not 2'),
    (f"train_stack.layers = ['{BASE}', @north_east/Layer()]", 'other lower layers'),
  ],
)
def test_a_directory_of_another_configuration_is_refused(run, binding, words):
  config_before = (run / 'operative_config.gin').read_bytes()
  with pytest.raises(errors.LatentHrlError, match=words):
    _train(run, binding)
  assert (run / 'operative_config.gin').read_bytes() == config_before


SAME_REWARD = (
  'north_east/Layer.reward_fn = @task_reward',
  "north_east/Layer.critic = 'action'",
  'north_east/Layer.inherit = True',
)


@pytest.mark.usefixtures('quick_training')
@pytest.mark.parametrize(
  ('units', 'told'), [('(16,)', 'embedding, critic'), ('(9,)', 'critic')]
)
def test_a_layer_starts_from_critic_and_replay_of_the_one_below(
  units, told, run, tmp_path, capsys
):
  base = run / 'layers' / 'base'
  stack = f'train_stack.layers = ["{base}", @north_east/Layer()]'
  start = 'north_east/OffPolicy.initial_steps = 1'
  top = _train(
    tmp_path,
    stack,
    *SAME_REWARD,
    start,
    f'north_east/LatentPolicyNetwork.embedding_units = {units}',
    'north_east/LatentPolicyNetwork.flow = @real_nvp()',
  )

  assert f'north_east: inherits {told} and 200 transitions' in capsys.readouterr().out
  # The layer below has entered the stack by its path, and is not trained here.
  assert [record.name for record in top.manifest.layers] == ['base', 'north_east']
  assert [path.name for path in (tmp_path / 'layers').iterdir()] == ['north_east']
  assert top.manifest.layers[-1].env_steps == 100
  # It has learned through the frozen layer, and not moved far yet.
  first, last = helpers.metrics(tmp_path)
  assert np.isfinite(last['actor_loss']) and -1.0 < last['entropy'] < 0.1
  with np.load(next((tmp_path / 'checkpoints').rglob('rows_*.npz'))) as rows:
    actions = rows['outputs'][rows['starts']]
  assert len(actions) == 300 and np.abs(actions).max() <= 1.0


@pytest.mark.usefixtures('quick_training')
def test_the_operative_config_trains_the_same_again(tmp_path, capsys):
  sizes = (
    *('base/Layer.env_steps = 80', 'north_east/Layer.env_steps = 48'),
    # The layer below has it bound, this one by default, and one of them by a scope.
    *('base/TwinCriticNetwork.value_scale = 2.0', 'scale = 2'),
    'north_east/TwinCriticNetwork.value_scale = %scale',
  )
  first, again = tmp_path / 'first', tmp_path / 'again'
  _train(first, *SAME_REWARD, *sizes, 'train_stack.layers = [@base/Layer()]')
  # Resumed: the finished layer is not made in gin's sight.
  gin.clear_config()
  expected = _train(first, *SAME_REWARD, *sizes)

  config.load([str(first / 'operative_config.gin')])
  top = train_stack.train_stack(again)

  assert 'inherits embedding, critic' in capsys.readouterr().out
  mine, theirs = (helpers.saved_weights(layer.path) for layer in (top, expected))
  assert len(mine) > 4
  for name, value in mine.items():
    np.testing.assert_array_equal(value, theirs.pop(name))
  assert not theirs

  # The base alone is not trained on, whether or not the layer above is named.
  longer = 'base/Layer.env_steps = 96'
  with pytest.raises(errors.StackError, match="north_east stands on the layer 'base' of"):
    _train(first, *sizes, longer, 'train_stack.layers = [@base/Layer()]')
  # For fewer steps there is nothing to do; it says how many there were.
  shorter = 'base/Layer.env_steps = 40'
  _train(first, *sizes, shorter, 'train_stack.layers = [@base/Layer()]')
  assert 'base: already trained for 80 steps, asked for 40\n' in capsys.readouterr().out


@pytest.mark.parametrize(
  ('bindings', 'reason'),
  [
    (SAME_REWARD[1:], "reward 'sparse_goal' here, 'task_reward' in the layer below"),
    (
      (*SAME_REWARD, 'base/Layer.agent_fn = @sac_agent'),
      "agent 'create_agent' here, 'sac_agent' in the layer below",
    ),
    (
      (*SAME_REWARD, 'base/OffPolicy.replay_capacity = 120'),
      'replay capacity .* here, 120 in the layer below',
    ),
    (
      (*SAME_REWARD, 'base/TwinCriticNetwork.hidden_units = (4,)'),
      'critic network .* here, .*4.* in the layer below',
    ),
    (SAME_REWARD[::2], "inherit needs north_east/Layer.critic = 'action'"),
    (
      ('base/Layer.inherit = True', "base/Layer.critic = 'action'"),
      'a bottom layer has no',
    ),
    (
      ('north_east/Layer.interval = 50',),
      'initial_steps is 40, too few for one decision of 50 steps',
    ),
    (
      ("north_east/Layer.critic = 'actoin'",),
      "critic must be 'output' or 'action', got 'actoin'; did you mean 'action'",
    ),
    (
      ("north_east/Layer.critic = 'action'", 'north_east/Layer.interval = 2'),
      'needs north_east/Layer.interval = 1, got 2',
    ),
    (('base/Layer.symmetry_fn = @task_reward',), 'must be the symmetry of a robot'),
    (('base/Layer.symmetry_fn = @AntSymmetry',), r'the layer reads position \[2\]'),
    (("base/Layer.task = 'latent_hrl/MultGoal-v0'",), "no task .* mean '.*MultiGoal-v0'"),
  ],
)
def test_layers_that_cannot_be_are_told_before_training(tmp_path, bindings, reason):
  with pytest.raises(errors.LatentHrlError, match=reason):
    _train(tmp_path / 'run', *bindings)
  assert not (tmp_path / 'run').exists()


def test_a_task_may_be_what_makes_it(tmp_path, monkeypatch):
  """It gets an id, by which every copy of it is made."""
  made = []

  def check(layers, task_id, *_):
    made.append(tasks.make_task(task_id))
    raise errors.StackError('enough')

  monkeypatch.setattr(train_stack.check_lib, 'check', check)
  for task in (helpers.ToyEnv, lambda: gymnasium.make('Swimmer-v5')):
    with pytest.raises(errors.StackError, match='enough'):
      train_stack.train_stack(tmp_path, task=task, layers=['base'])
  assert [task.fields[0].name for task in made] == ['body', 'observation']
  with pytest.raises(errors.TaskError, match='cannot be made again'):
    train_stack.train_stack(tmp_path, task=helpers.ToyEnv(), layers=['base'])
  with pytest.raises(errors.ConfigError, match='must be the id of a task in quotes, got 3'):
    train_stack.train_stack(tmp_path, task=3, layers=['base'])


@pytest.mark.usefixtures('quick_training')
@pytest.mark.parametrize(('env_steps', 'told'), [(44, True), (45, False)])
def test_a_run_too_short_to_learn_says_so(tmp_path, capsys, env_steps, told):
  # Calls of four steps: 36 to 40 and 40 to 44 begin before and with the first update.
  _train(
    tmp_path,
    'train_stack.layers = [@base/Layer()]',
    f'base/Layer.env_steps = {env_steps}',
    'OffPolicy.initial_steps = 41',
  )

  assert ('base: note: no update within 44 steps' in capsys.readouterr().out) == told
  assert ('critic_loss' in helpers.metrics(tmp_path)[-1]) != told


@gin.configurable(module='test_train_stack')
class Mirror(symmetries.Symmetry):
  """The multi-goal task in a mirror; keeps the shapes of what it is shown."""

  shown: list[tuple[int, ...]] = []

  def __init__(self, fields):
    assert fields == (('position', 2),)

  def draw(self, count, rng):
    return rng.integers(2, size=count)

  def observation(self, observation, view):
    self.shown.append(observation.shape)
    return np.where(view[:, None], -observation, observation)

  def action(self, action, view):
    self.shown.append(action.shape)
    return np.where(view[:, None], -action, action)


@pytest.mark.usefixtures('quick_training')
def test_a_layer_learns_from_views_of_its_replay(tmp_path, monkeypatch):
  monkeypatch.setattr(Mirror, 'shown', [])
  base = 'train_stack.layers = [@base/Layer()]'
  _train(tmp_path, base, 'base/Layer.symmetry_fn = @Mirror', 'base/Layer.env_steps = 100')

  # Batches of 32 in calls of four updates, after 40 steps: observation, action, next.
  assert Mirror.shown == [(128, 2)] * (3 * (100 - 40) // 4)


@pytest.mark.usefixtures('quick_training')
def test_a_commanded_layer_learns_from_commands_drawn_anew(tmp_path, monkeypatch):
  batches, start = [], learner.Learner.start
  monkeypatch.setattr(
    learner.Learner,
    'start',
    lambda self, batch, count: batches.append(batch) or start(self, batch, count),
  )
  top = _train(
    tmp_path,
    "train_stack.task = 'Swimmer-v5'",
    'train_stack.layers = [@base/Layer()]',
    'base/Layer.reward_fn = @commanded_speed',
    'base/Layer.command = @Command()',
    'base/Layer.env_steps = 100',
  )

  given = batches[-1].observation[..., -1]
  # It lived under a few commands; half of the transitions are told others.
  assert len(np.unique(given)) == pytest.approx(given.size / 2, rel=0.3)
  np.testing.assert_array_equal(batches[-1].next_observation[..., -1], given)
  [record] = top.manifest.layers
  assert record.command == {
    'entries': [{'name': 'velocity along x', 'unit': 'm/s', 'scale': 1.0}],
    'redraw_probability': 1 / 60,
  }
  assert rollout.default_latents(top) == 'command'
  assert rollout.evaluate(top, episodes=1, max_steps=5)[0].layer_return is not None


def test_the_base_layer_learns_the_multi_goal_task(tmp_path):
  config.load(
    ['gin/multi_goal.gin'],
    [
      'train_stack.layers = [@base/Layer()]',
      'base/Layer.env_steps = 3000',
      'base/create_agent.temperature = 0.3',
      'create_agent.learning_rate = 1e-3',
      'TrainingLoop.eval_interval = 3000',
      'OffPolicy.initial_steps = 500',
    ],
  )
  layer = train_stack.train_stack(tmp_path)

  episodes = rollout.evaluate(layer, episodes=50, latents='sample')
  random = rollout.evaluate_random(layer.manifest.task, episodes=50)

  # A random walk hardly reaches a goal within the time limit.
  assert episodes_lib.summarize(random)['success_rate'] < 0.3
  assert episodes_lib.summarize(episodes)['success_rate'] > 0.9
