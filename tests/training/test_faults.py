"""Faults that are really caused: each ends in one message, with nothing lost."""

import pathlib
import resource

import gymnasium
import numpy as np
import pytest

from latent_hrl import config
from latent_hrl import errors
from latent_hrl import files
from latent_hrl.layers import load
from latent_hrl.training import train_stack
from latent_hrl.training import training_state
from tests import helpers

pytestmark = pytest.mark.usefixtures('quick_training')

SMALL = [
  'Layer.env_steps = 120',
  'OffPolicy.batch_size = 16',
  'OffPolicy.replay_capacity = 200',
  'OffPolicy.initial_steps = 48',
  'TrainingLoop.eval_interval = 40',
  'TrainingLoop.eval_episodes = 1',
  'TrainingLoop.checkpoint_interval = 40',
  'LatentPolicyNetwork.embedding_units = (8,)',
  'LatentPolicyNetwork.flow = @gaussian()',
  'TwinCriticNetwork.hidden_units = (8,)',
  'train_stack.layers = [@base/Layer()]',
  "train_stack.task = 'latent_hrl/MultiGoal-v0'",
]


def _train(root_dir, *bindings):
  config.load(['gin/defaults.gin'], [*SMALL, *bindings])
  return train_stack.train_stack(root_dir, seed=1)


def _checkpoints(root_dir):
  return sorted(path.name for path in (root_dir / 'checkpoints' / 'base').glob('step_*'))


def _assert_goes_on(root_dir):
  """The last checkpoint is intact, and a run from it comes to its end."""
  layer = _train(root_dir)
  assert layer.manifest.layers[-1].env_steps == 120
  rows = helpers.metrics(root_dir)
  assert [row['env_steps'] for row in rows] == [0, 40, 80, 120]
  assert not [path for path in root_dir.rglob('.*') if path.name != files.LOCK]


def test_a_loss_that_is_no_number_leaves_the_batch_behind_it(tmp_path, monkeypatch):
  def spoil(learning):
    learning.replay._rewards[:] = np.nan

  helpers.act_at([90], monkeypatch, spoil)

  with pytest.raises(
    errors.LatentHrlError, match='diverged at step 104: critic_loss is nan'
  ):
    _train(tmp_path)

  with np.load(tmp_path / 'diverged_base.npz') as batch:
    assert np.isnan(batch['reward']).all()
    assert batch['observation'].shape == (8, 16, 2)
  assert load.load_layer(tmp_path / 'layers' / 'base').manifest.layers[-1].env_steps == 80
  assert _checkpoints(tmp_path)[-1] == 'step_0000000080'
  _assert_goes_on(tmp_path)


def test_weights_that_are_no_numbers_are_never_saved(tmp_path, monkeypatch):
  save = training_state.TrainingState.save

  def spoiled(self, env_steps, best=False):
    if env_steps >= 80:
      self._module.variables[0].assign_add(self._module.variables[0] + np.nan)
    save(self, env_steps, best)

  monkeypatch.setattr(training_state.TrainingState, 'save', spoiled)
  with pytest.raises(errors.LatentHrlError, match='not finite at step 80; it is not saved'):
    _train(tmp_path)
  assert load.load_layer(tmp_path / 'layers' / 'base').manifest.layers[-1].env_steps == 40
  monkeypatch.setattr(training_state.TrainingState, 'save', save)
  _assert_goes_on(tmp_path)


class _FailingEnv(helpers.ToyEnv):
  """Takes so many steps in all, then does what it was told."""

  steps_left = 0
  fault = None

  def __init__(self, render_mode=None):
    super().__init__()

  def step(self, action):
    type(self).steps_left -= 1
    if type(self).steps_left < 0:
      return type(self).fault(super().step(action))
    return super().step(action)


def _explode(result):
  raise ValueError('the simulation is unstable\nat joint 3')


def _go_blank(result):
  observation, *rest = result
  return {**observation, 'body': np.full(3, np.nan)}, *rest


@pytest.mark.parametrize(
  ('fault', 'message'),
  [
    (_explode, 'task .* failed in step: ValueError: the simulation is unstable'),
    (_go_blank, 'returned NaN or infinity in observation field body'),
  ],
)
def test_a_task_that_breaks_down_ends_the_run(fault, message, tmp_path, monkeypatch):
  monkeypatch.setitem(
    gymnasium.registry,
    'Failing-v0',
    gymnasium.envs.registration.EnvSpec('Failing-v0', entry_point=_FailingEnv),
  )
  task = "train_stack.task = 'Failing-v0'"
  monkeypatch.setattr(_FailingEnv, 'fault', staticmethod(fault))
  monkeypatch.setattr(_FailingEnv, 'steps_left', 100)

  with pytest.raises(errors.TaskError, match=message) as error:
    _train(tmp_path, task)

  # gin adds lines of its own, which a launcher leaves out.
  assert str(error.value).splitlines()[0].startswith("task 'Failing-v0' ")
  assert _checkpoints(tmp_path) == ['step_0000000040']
  monkeypatch.setattr(_FailingEnv, 'steps_left', 10**6)
  assert _train(tmp_path, task).manifest.layers[-1].env_steps == 120


# No file at all; small ones, but no SavedModel.
@pytest.mark.parametrize('size', [1, 20_000])
def test_a_full_disk_ends_the_run_with_what_was_there(size, tmp_path, monkeypatch):
  _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

  def fill(learning):
    del learning
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

  helpers.act_at([72], monkeypatch, fill)
  try:
    with pytest.raises(errors.LatentHrlError, match='cannot write .*File too large'):
      _train(tmp_path)
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

  assert load.load_layer(tmp_path / 'layers' / 'base').manifest.layers[-1].env_steps >= 40
  _assert_goes_on(tmp_path)


def test_a_directory_that_cannot_be_made_is_told():
  with pytest.raises(errors.LatentHrlError, match='cannot write /proc/run: No such file'):
    _train(pathlib.Path('/proc/run'))


def test_a_directory_in_use_is_left_alone(tmp_path):
  with (
    files.lock(tmp_path),
    pytest.raises(errors.ConfigError, match='is in use by process'),
  ):
    _train(tmp_path)
  assert [path.name for path in tmp_path.iterdir()] == [files.LOCK]
