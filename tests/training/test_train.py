"""Training one layer from Python."""

import json
import pathlib

import gin
import gymnasium
import pytest

import latent_hrl
from latent_hrl import config
from latent_hrl import environments
from latent_hrl import errors

BASE = config.PROJECT_ROOT / 'testdata' / 'multi_goal_base'
NOTEBOOK = config.PROJECT_ROOT / 'docs' / 'zoo_tutorial.ipynb'
SMALL = {
  'OffPolicy.batch_size': 4,
  'OffPolicy.initial_steps': 10,
  'TrainingLoop.eval_episodes': 1,
}


@pytest.mark.usefixtures('quick_training')
def test_a_layer_and_one_on_it(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  gin.bind_parameter('create_agent.gamma', 0.5)
  options = {'goal_radius': 0.5}
  base = latent_hrl.train(
    environments.MULTI_GOAL, 'task_reward', 24, settings=SMALL, task_options=options
  )
  assert base.path == pathlib.Path('runs/task_reward/layers/task_reward')
  assert base.manifest.task_options == options

  top = latent_hrl.train(
    env_steps=24, reward='sparse_goal', below=base, name='top', seed=1,
    settings={**SMALL, 'sparse_goal.radius': 2.0, 'sparse_goal.goal': (4.0, 4.0)},
    interval=2,
  )  # fmt: skip

  below, record = top.manifest.layers
  assert (below.name, record.name) == ('task_reward', 'top')
  assert record.task_options == options  # Those of the layer below.
  assert record.reward_arguments['radius'] == 2.0
  assert (record.interval, record.seed) == (2, 1)
  # What else is bound stays, and nothing more.
  assert gin.config_str().split() == ['create_agent.gamma', '=', '0.5'] or (
    gin.query_parameter('create_agent.gamma') == 0.5
    and 'batch_size' not in gin.config_str()
    and 'goal_radius' not in gin.config_str()
  )


@pytest.mark.parametrize(
  ('arguments', 'words'),
  [
    ({}, 'needs a task'),
    ({'reward': 'task_rewad', 'task': 'Hopper-v5'}, "did you mean 'task_reward'"),
    ({'below': 'zoo:hopper/bse'}, "did you mean 'zoo:hopper/base'"),
    ({'below': str(BASE), 'settings': {'OffPolicy.batch_sise': 3}}, 'batch_sise'),
  ],
)
def test_a_mistake_is_one_line(arguments, words, tmp_path):
  with pytest.raises(errors.LatentHrlError, match=words):
    latent_hrl.train(root_dir=tmp_path / 'run', **arguments)
  assert not (tmp_path / 'run').exists()


@pytest.mark.usefixtures('quick_training')
def test_the_notebook_runs(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr(gymnasium.registry['HalfCheetah-v5'], 'max_episode_steps', 8)
  config.register()
  for name, value in SMALL.items():  # A loaded configuration takes no new rewards.
    gin.bind_parameter(name, value)
  names: dict = {'__name__': 'notebook'}
  cells = json.loads(NOTEBOOK.read_text(encoding='utf-8'))['cells']
  for cell in cells:
    if cell['cell_type'] == 'code':
      assert not cell['outputs']
      exec(''.join(cell['source']).replace('20_000', '24'), names)

  assert [r.name for r in names['stack'].manifest.layers] == ['base', 'cautious']
  assert len(names['episodes']) == 5
