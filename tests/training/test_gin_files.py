"""Every gin file trains: its layers, small and for some hundred steps."""

import pathlib

import gin
import gymnasium
import pytest
import tensorflow as tf

from latent_hrl import config
from latent_hrl.training import train_stack

# What others include.
PARTS = {'defaults', 'second_layer'}
FILES = sorted(
  path.relative_to(config.PROJECT_ROOT).as_posix()
  for path in (config.PROJECT_ROOT / 'gin').rglob('*.gin')
  if path.stem not in PARTS
)
LAYERS = ('base', 'upper', 'goal', 'maze', 'flat', 'north_east')
SMALL = {
  'Trainer.batch_size': 16,
  'Trainer.initial_steps': 200,
  'Trainer.eval_interval': 10_000,
  'Trainer.eval_episodes': 1,
  'Trainer.replay_capacity': 2000,
  'LatentPolicyNetwork.embedding_units': '(8,)',
  'LatentPolicyNetwork.num_couplings': 0,  # Couplings are most of what is traced.
  'TwinCriticNetwork.hidden_units': '(8,)',
  'Layer.env_steps': 240,
}


def _small() -> list[str]:
  """Bindings that win over those of every layer's own scope."""
  return [f'{scope}/{name} = {value}' for scope in LAYERS for name, value in SMALL.items()]


@pytest.fixture(autouse=True)
def _without_xla(monkeypatch):
  """Compilation takes most of the time, and gin files have no say in it."""
  function = tf.function

  def uncompiled(*args, jit_compile=None, **kwargs):
    return function(*args, **kwargs)

  monkeypatch.setattr(tf, 'function', uncompiled)


@pytest.fixture(autouse=True)
def _short_episodes(monkeypatch):
  for spec in gymnasium.registry.values():
    monkeypatch.setattr(spec, 'max_episode_steps', 60)


@pytest.mark.parametrize('file', FILES)
def test_a_gin_file_trains(file, tmp_path):
  config.load([file], _small())
  specs = gin.query_parameter('train_stack.layers')
  task = gin.query_parameter('train_stack.task')

  top = train_stack.train_stack(tmp_path).manifest

  assert top.depth == len(specs)
  assert top.task == task
  assert all(record.env_steps == 240 for record in top.layers)
  assert all('return_mean' in record.evaluation for record in top.layers)
  name = pathlib.Path(file).stem
  if name.endswith(('_goal', '_maze')) and 'multi' not in name:
    base, above = top.layers
    assert base.task == top.task.replace('SparseGoal', 'Goal').replace(
      'CrossMaze', 'Goal'
    ).replace('UMaze', 'Goal').replace('Goal', 'Directions')
    assert (base.reads, base.interval, above.interval) == (('proprioception',), 1, 3)
  if name.startswith('stack_'):
    assert [record.reward for record in top.layers] == ['task_reward'] * 2
