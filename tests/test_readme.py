"""What README and the pages show runs as it stands there, for fewer steps."""

import pathlib
import re

import gymnasium
import numpy as np
import pytest

import latent_hrl
from latent_hrl import config
from latent_hrl import rewards
from latent_hrl.plan import check


def _block(page: str, language: str, words: str) -> str:
  """The code block of a page that holds some words."""
  text = (config.PROJECT_ROOT / page).read_text(encoding='utf-8')
  # Fences in turn: one opens, the next closes.
  blocks = re.findall(r'```(\w*)\n(.*?)```', text, re.S)
  [block] = [code for kind, code in blocks if kind == language and words in code]
  return block


@pytest.mark.usefixtures('quick_training')
def test_two_layers_in_python_as_readme_shows_them(tmp_path, monkeypatch):
  shown = _block('README.md', 'python', 'below=move')
  assert len([line for line in shown.splitlines() if line.strip()]) <= 16
  short = shown.replace('20_000', '24').replace('10_000', '24').replace('100)', '3)')
  assert short.count('24') == 2
  spec = gymnasium.registry['HalfCheetah-v5']
  monkeypatch.setattr(spec, 'max_episode_steps', 8)
  monkeypatch.chdir(tmp_path)
  latent_hrl.load_config([], ['TrainingLoop.eval_episodes = 1'])
  names: dict = {}

  exec(short, names)

  layers = ['planar_speed', 'forward_velocity']
  assert [record.name for record in names['ahead'].manifest.layers] == layers
  assert (pathlib.Path('runs') / layers[1] / 'layers' / layers[1]).is_dir()


def test_the_same_from_a_file_as_readme_shows_it(tmp_path):
  shown = _block('README.md', '', '# mine.gin')
  (tmp_path / 'mine.gin').write_text(shown, encoding='utf-8')
  latent_hrl.load_config([str(tmp_path / 'mine.gin')])
  bound = {name: value for _, name, value in config.bound_values(('train_stack',))}
  plans = check.check(bound['layers'], bound['task'])
  assert [plan.reward.name for plan in plans] == [
    'planar_speed',
    'forward_velocity',
  ]


@pytest.mark.usefixtures('quick_training')
def test_an_agent_learns_in_tf_agents_as_shown():
  shown = _block('docs/using_layers.md', 'python', 'dynamic_step_driver')
  short = shown.replace('maximum_iterations=1000', 'maximum_iterations=5')
  short = short.replace('10_000', '2')
  assert short.count('=5)') == 1 and 'range(2)' in short
  names: dict = {}

  exec(short, names)

  assert names['loss'].loss.numpy() != 0.0
  assert int(names['agent'].train_step_counter) == 2


def test_a_reward_of_ones_own_as_shown():
  shown = _block('docs/extending.md', 'python', 'stand_tall')
  names: dict = {'__name__': 'mine'}
  exec(shown, names)
  latent_hrl.load_config([], ['stand_tall.weight = -2.0'])
  bound = rewards.bind(names['stand_tall'])
  observation = {'observation': np.float32([0.75, 0.0])}
  transition = rewards.Transition(observation, None, observation, 0.0, False, {})
  assert bound(transition) == -1.5


def test_a_task_of_ones_own_as_shown(monkeypatch):
  monkeypatch.setattr(gymnasium.envs.registration, 'registry', dict(gymnasium.registry))
  exec(_block('docs/tasks.md', 'python', 'PointMass'), {})
  layer = latent_hrl.Layer(name='move', reward_fn=rewards.planar_speed)
  plans = check.check([layer], 'PointMass-v0')
  assert [plan.name for plan in plans] == ['move']
