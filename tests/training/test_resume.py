"""A run that was stopped and started again gives the numbers of one that never was."""

import functools
import json
import os
import shutil
import signal

import pytest

from latent_hrl import config
from latent_hrl import errors
from latent_hrl.layers import load
from latent_hrl.training import train_stack
from tests import helpers
from tests.reliability import results

# The compiled updates are in other tests; what is stopped here is the loop.
pytestmark = pytest.mark.usefixtures('quick_training')

SMALL = [
  'Layer.env_steps = 240',
  'OffPolicy.batch_size = 16',
  'OffPolicy.replay_capacity = 150',
  'OffPolicy.initial_steps = 40',
  'TrainingLoop.eval_interval = 120',
  'TrainingLoop.eval_episodes = 1',
  'TrainingLoop.checkpoint_interval = 100',
  'OffPolicy.hold_latent_steps = 3',
  'LatentPolicyNetwork.embedding_units = (8,)',
  'LatentPolicyNetwork.flow = @gaussian()',
  'TwinCriticNetwork.hidden_units = (8,)',
  'sac_agent.hidden_units = (8,)',
  "train_stack.task = 'latent_hrl/MultiGoal-v0'",
]
ONE = ('train_stack.layers = [@base/Layer()]',)
BASE = config.PROJECT_ROOT / 'testdata' / 'multi_goal_base'
TOP = (f"train_stack.layers = ['{BASE}', @top/Layer()]", 'top/Layer.interval = 4')
BASELINE = (*ONE, 'base/Layer.agent_fn = @sac_agent')
# Between two copies of the targets, and with an actor that rests.
EMBEDDINGS = (
  *ONE,
  'create_agent.embeddings = @Embeddings()',
  'Embeddings.size = 4',
  'Embeddings.hidden_units = (8,)',
  'create_agent.actor_update_period = 2',
  'create_agent.critics_first = True',
  'create_agent.target_update_period = 25',
  'create_agent.target_update_tau = 1.0',
  'create_agent.clip_target_values = True',
)
COMMANDED = (
  *ONE,
  "train_stack.task = 'Swimmer-v5'",
  'base/Layer.reward_fn = @commanded_speed',
  'base/Layer.command = @Command()',
  'Command.redraw_probability = 0.1',
)


def _train(root_dir, bindings):
  config.load(['gin/defaults.gin'], [*SMALL, *bindings])
  train_stack.train_stack(root_dir, seed=1)


def _raise(learning):
  raise RuntimeError('power cut')


@pytest.fixture(name='whole', scope='module')
def _whole(tmp_path_factory):
  """Runs that were never stopped, by what they train."""

  @functools.cache
  def whole(bindings):
    root_dir = tmp_path_factory.mktemp('whole')
    _train(root_dir, bindings)
    return root_dir

  return whole


@pytest.mark.parametrize(
  ('bindings', 'stops'),
  [
    (ONE, (17, 93)),
    (TOP, (93,)),
    (BASELINE, (160,)),
    (EMBEDDINGS, (93, 140)),
    (COMMANDED, (93,)),
  ],
  ids=['one', 'top', 'baseline', 'embeddings', 'commanded'],
)
def test_a_stopped_run_ends_like_one_that_never_was(
  bindings, stops, whole, tmp_path, monkeypatch
):
  expected = whole(bindings)
  helpers.act_at(stops, monkeypatch, lambda _: os.kill(os.getpid(), signal.SIGTERM))
  for _ in stops:
    with pytest.raises(errors.StoppedError, match='stopped at step .* goes on from there'):
      _train(tmp_path, bindings)

  _train(tmp_path, bindings)

  assert not results.differences(expected, tmp_path)


def test_a_run_that_died_goes_on_from_its_last_checkpoint(whole, tmp_path, monkeypatch):
  expected = whole(ONE)
  stops = (60, 130)
  helpers.act_at(stops, monkeypatch, _raise)
  for _ in stops:
    with pytest.raises(RuntimeError, match='power cut'):
      _train(tmp_path, ONE)

  # What a process leaves that is killed while it writes: files half done, half a line.
  leftovers = [
    tmp_path / place / '.latent_hrl_unfinished.half' for place in ('', 'layers', 'best')
  ]
  for path in leftovers:
    path.mkdir()
  with (tmp_path / 'metrics.jsonl').open('a') as file:
    file.write('{"layer": "base", "env_st')
  _train(tmp_path, ONE)

  assert not results.differences(expected, tmp_path)
  assert not any(path.exists() for path in leftovers)


def test_a_run_killed_in_its_last_checkpoint_writes_it_again(whole, tmp_path):
  expected = whole(ONE)
  shutil.copytree(expected, tmp_path / 'run')
  checkpoint = tmp_path / 'run' / 'checkpoints' / 'base' / 'step_0000000240'
  checkpoint.rename(checkpoint.with_name('.latent_hrl_unfinished.half'))

  _train(tmp_path / 'run', ONE)  # Its layer is saved already.

  assert checkpoint.exists()
  assert not results.differences(expected, tmp_path / 'run')


def test_a_finished_run_stays_so_without_its_checkpoints(whole, tmp_path, capsys):
  shutil.copytree(whole(ONE), tmp_path / 'run')
  shutil.rmtree(tmp_path / 'run' / 'checkpoints' / 'base')
  capsys.readouterr()

  _train(tmp_path / 'run', ONE)

  assert 'base: already trained for 240 steps' in capsys.readouterr().out


@pytest.mark.parametrize(
  ('binding', 'words'),
  [
    ('base/Layer.agent_fn = @sac_agent', "'agent': 'create_agent'"),
    ("base/make_task.options = {'goal_radius': 2.0}", 'goal_radius'),
    ('base/OffPolicy.replay_capacity = 160', "'replay_capacity': 150"),
    (
      'base/LatentPolicyNetwork.flow = @real_nvp()',
      "'flow_name': 'gaussian'.*'flow_name': 'real_nvp'",
    ),
  ],
)
def test_a_run_goes_on_only_with_its_own_settings(whole, tmp_path, binding, words):
  shutil.copytree(whole(ONE), tmp_path / 'run')
  before = helpers.file_bytes(tmp_path / 'run')

  with pytest.raises(errors.ConfigError, match=words):
    _train(tmp_path / 'run', (*ONE, 'base/Layer.env_steps = 300', binding))

  assert helpers.file_bytes(tmp_path / 'run') == before


def test_a_run_goes_on_only_with_its_own_lower_layers(whole, tmp_path):
  shutil.copytree(whole(TOP), tmp_path / 'run')
  shutil.rmtree(tmp_path / 'run' / 'layers' / 'top')
  other = f"train_stack.layers = ['{whole(ONE) / 'layers' / 'base'}', @top/Layer()]"

  with pytest.raises(errors.ConfigError, match="was written by a run with {'lower': "):
    _train(tmp_path / 'run', (*TOP, other))


def test_a_layer_without_its_checkpoints_is_not_trained_over(whole, tmp_path):
  shutil.copytree(whole(ONE), tmp_path / 'run')
  shutil.rmtree(tmp_path / 'run' / 'checkpoints')
  before = helpers.file_bytes(tmp_path / 'run')

  # However often it is tried.
  for _ in range(2):
    with pytest.raises(errors.ConfigError, match='its checkpoints are gone'):
      _train(tmp_path / 'run', (*ONE, 'base/Layer.env_steps = 300'))
    assert helpers.file_bytes(tmp_path / 'run') == before


def test_a_signal_leaves_a_checkpoint_and_its_handlers_as_they_were(tmp_path, monkeypatch):
  before = signal.getsignal(signal.SIGTERM)
  helpers.act_at([24], monkeypatch, lambda _: os.kill(os.getpid(), signal.SIGINT))

  with pytest.raises(errors.StoppedError) as stopped:
    _train(tmp_path, ONE)

  assert stopped.value.signal == signal.SIGINT
  assert [path.name for path in tmp_path.glob('checkpoints/base/step_*')] == [
    'step_0000000032'
  ]
  assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_in_the_last_step_of_a_layer_stops_before_the_next(tmp_path, monkeypatch):
  two = (
    'train_stack.layers = [@base/Layer(), @top/Layer()]',
    'Layer.env_steps = 48',
  )
  helpers.act_at([40], monkeypatch, lambda _: os.kill(os.getpid(), signal.SIGTERM))

  with pytest.raises(errors.StoppedError, match='base: stopped at step 48'):
    _train(tmp_path, two)

  assert (tmp_path / 'layers' / 'base').is_dir()
  assert not (tmp_path / 'layers' / 'top').exists()


def test_a_run_stopped_beyond_the_steps_asked_for_later_keeps_them(
  tmp_path, monkeypatch, capsys
):
  helpers.act_at([124], monkeypatch, lambda _: os.kill(os.getpid(), signal.SIGTERM))
  with pytest.raises(errors.StoppedError, match='stopped at step 136'):
    _train(tmp_path, ONE)  # The layer is saved at 120.

  fewer = (*ONE, 'base/Layer.env_steps = 125')
  _train(tmp_path, fewer)

  assert load.load_layer(tmp_path / 'layers' / 'base').manifest.layers[-1].env_steps == 136
  assert [row['env_steps'] for row in helpers.metrics(tmp_path)] == [0, 120, 136]
  capsys.readouterr()
  _train(tmp_path, fewer)
  assert 'base: already trained for 136 steps, asked for 125' in capsys.readouterr().out


def test_a_second_signal_stops_at_once(tmp_path, monkeypatch):
  def twice(learning):
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)

  helpers.act_at([24], monkeypatch, twice)
  with pytest.raises(KeyboardInterrupt):
    _train(tmp_path, ONE)
  assert not list(tmp_path.glob('checkpoints/base/step_*'))


def test_the_best_layer_is_kept_beside_the_latest(whole):
  root_dir = whole(ONE)

  rows = helpers.metrics(root_dir)[1:]
  best = max(rows, key=lambda row: row['layer_return_mean'])
  manifest = json.loads((root_dir / 'best' / 'base' / 'assets' / 'layer.json').read_text())
  assert manifest['env_steps'] == best['env_steps']
