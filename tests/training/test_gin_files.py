"""Every gin file trains: its layers, small and for some hundred steps."""

import contextlib
import functools
import io
import pathlib
import re
import shutil
from typing import NamedTuple

import gin
import gymnasium
import pytest

from latent_hrl import config
from latent_hrl import rewards
from latent_hrl.environments import tasks
from latent_hrl.layers import manifest
from latent_hrl.plan import check
from latent_hrl.training import train_stack
from tests import helpers

# Compilation takes most of the time, and gin files have no say in it.
pytestmark = pytest.mark.usefixtures('quick_training')

# What others include.
PARTS = {'defaults', 'embeddings', 'second_layer', 'maze_layer', 'goal_layer'}
FILES = sorted(
  path.relative_to(config.PROJECT_ROOT).as_posix()
  for path in (config.PROJECT_ROOT / 'gin').rglob('*.gin')
  # Comparisons are no runs; `make demo` trains what is for the demo.
  if path.stem not in PARTS and path.parent.name not in ('compare', 'demo')
)
LAYERS = ('base', 'waypoints', 'upper', 'goal', 'maze', 'flat', 'north_east')
SMALL = {
  'OffPolicy.batch_size': 16,
  # Updates are slow where they are not compiled, so there are few. The mazes take 160 steps
  # a call: the second one learns.
  'OffPolicy.initial_steps': 150,
  'TrainingLoop.eval_interval': 10_000,
  'TrainingLoop.eval_episodes': 1,
  'OffPolicy.replay_capacity': 2000,
  'LatentPolicyNetwork.embedding_units': '(8,)',
  'LatentPolicyNetwork.flow': '@gaussian()',  # Couplings are most of what is traced.
  'TwinCriticNetwork.hidden_units': '(8,)',
  'sac_agent.hidden_units': '(8,)',
  'deterministic_networks.actor_units': '(8,)',
  'deterministic_networks.critic_observation_units': '(8,)',
  'deterministic_networks.critic_joint_units': '(8,)',
  'ppo_agent.collect_steps': 120,
  'ppo_agent.minibatch_size': 40,
  'ppo_agent.num_epochs': 1,
  'Layer.env_steps': 240,
}


def _small() -> list[str]:
  """Bindings that win over those of every layer's own scope."""
  return [f'{scope}/{name} = {value}' for scope in LAYERS for name, value in SMALL.items()]


@pytest.fixture(autouse=True)
def _short_episodes(monkeypatch):
  for spec in gymnasium.registry.values():
    monkeypatch.setattr(spec, 'max_episode_steps', 24)


def _base_file(file: str) -> str | None:
  """The file of whose base layer a stack is made, if it has one of its own."""
  text = (config.PROJECT_ROOT / file).read_text(encoding='utf-8')
  included = re.findall("^include '(.*)'", text, re.MULTILINE)
  for name in included:
    base = _base_file(name) if pathlib.Path(name).stem in PARTS else name
    if base:
      return base
  return None


class Run(NamedTuple):
  """A trained file."""

  root_dir: pathlib.Path
  top: manifest.Manifest
  said: str


@pytest.fixture(name='train', scope='module')
def _train(tmp_path_factory):
  """Trains a file once, in a copy of the run of its base's file if there is one."""

  @functools.cache
  def train(file: str) -> Run:
    root_dir = tmp_path_factory.mktemp('run')
    base_file = _base_file(file)
    if base_file:
      shutil.copytree(train(base_file).root_dir, root_dir, dirs_exist_ok=True)
    config.load([file], _small())
    with contextlib.redirect_stdout(io.StringIO()) as said:
      top = train_stack.train_stack(root_dir).manifest
    return Run(root_dir, top, said.getvalue())

  return train


@pytest.mark.parametrize('file', FILES)
def test_a_gin_file_trains(file, train):
  root_dir, top, said = train(file)

  # The base is the one of its own file: nothing of it is trained again.
  assert ('base: already trained' in said) == (_base_file(file) is not None)
  config.load([file])
  assert top.depth == len(gin.query_parameter('train_stack.layers'))
  assert top.task == gin.query_parameter('train_stack.task')
  assert all(record.env_steps >= 240 for record in top.layers)
  assert all('return_mean' in record.evaluation for record in top.layers)
  rows = helpers.metrics(root_dir)
  last = {row['layer']: row for row in rows}
  assert last.keys() == {record.name for record in top.layers}
  # Each has learned something, not only collected.
  assert all(row.keys() & {'critic_loss', 'loss'} for row in last.values())


@pytest.mark.parametrize('robot', ['swimmer', 'ant', 'humanoid'])
def test_a_goal_stack_stands_on_a_base_that_sees_no_goal(robot):
  for file in (f'gin/{robot}_goal.gin', f'gin/{robot}_sparse_goal.gin'):
    config.load([file])
    directions = f'latent_hrl/{robot.capitalize()}Directions-v0'
    assert gin.query_parameter('base/Layer.task') == directions
    assert gin.query_parameter('base/Layer.observation_fields') == ['proprioception']
    assert gin.query_parameter('goal/Layer.interval') == 3


@pytest.mark.parametrize(
  ('file', 'entries'), [('ant', 2), ('humanoid', 2), ('half_cheetah', 1), ('swimmer', 1)]
)
def test_skills_are_commanded(file, entries):
  config.load([f'gin/{file}_skills.gin'])
  stack = gin.get_bindings('train_stack')
  [planned] = check.check(stack['layers'], stack['task'])
  assert planned.command_size == entries
  assert all(field.name != 'position' for field in planned.reads)
  assert (planned.symmetry is not None) == (file == 'ant')


def test_the_mazes_stand_on_skills_that_have_met_no_walls():
  for file in ('ant_cross_maze', 'ant_u_maze', 'robotics_ant_maze'):
    config.load([f'gin/{file}.gin'])
    assert gin.query_parameter('base/Layer.task') == 'latent_hrl/AntDirections-v0'
    assert 'maze' not in gin.query_parameter('base/make_task.options')
    assert gin.query_parameter('base/Layer.command') is not None
    assert gin.query_parameter('maze/create_agent.target_kl') == 3.0


@pytest.mark.parametrize('task', ['hopper', 'walker2d'])
@pytest.mark.parametrize('layer', ['base', 'upper'])
def test_what_can_fall_keeps_its_temperature(task, layer):
  for file in (f'gin/{task}.gin', f'gin/stack_{task}.gin'):
    config.load([file])
    with gin.config_scope(layer):
      assert gin.get_bindings('create_agent')['temperature'] == 0.2


def test_the_maze_pays_what_the_paper_says_and_nothing_else():
  for maze, layer in (('cross', 'maze'), ('cross', 'flat'), ('u', 'maze'), ('u', 'flat')):
    suffix = '_flat' if layer == 'flat' else ''
    config.load([f'gin/ant_{maze}_maze{suffix}.gin'])
    with gin.config_scope(layer):
      reward = rewards.bind(rewards.task_reward)
      task = tasks.make_task(gin.query_parameter('train_stack.task'))
    assert reward.arguments == {'scale': 0.01}  # In hundreds.
    assert task.unwrapped._weight == 1000.0
    task.close()


@pytest.mark.parametrize('name', ['half_cheetah', 'multi_goal'])
def test_the_stacks_of_the_demo_fit(name):
  config.load([f'gin/demo/{name}.gin'])
  stack = gin.get_bindings('train_stack')
  assert len(check.check(stack['layers'], stack['task'])) == 2
