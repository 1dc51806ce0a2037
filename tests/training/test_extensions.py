"""Tasks and rewards of one's own, as docs/extending.md shows them."""

import json

import pytest

from latent_hrl import config
from latent_hrl import rewards
from latent_hrl.evaluation import report
from latent_hrl.evaluation import rollout
from latent_hrl.training import train_stack
from tests import helpers

MODULE = """
import gymnasium
import numpy as np
from latent_hrl import rewards


class Slide(gymnasium.Env):
  observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)
  action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

  def reset(self, *, seed=None, options=None):
    super().reset(seed=seed)
    self.position = self.np_random.uniform(-1, 1, 1)
    return self.position.astype(np.float32), {}

  def step(self, action):
    self.position = self.position + action
    return self.position.astype(np.float32), 1.0, False, False, {}


gymnasium.register('mine/Slide-v0', entry_point=Slide, max_episode_steps=10)


@rewards.reward
def stay_home(transition, weight=1.0):
  return -weight * float(abs(transition.next_observation['observation'][0]))
"""


@pytest.mark.usefixtures('quick_training')
def test_a_layer_learns_ones_own_reward_on_ones_own_task(tmp_path, monkeypatch, capsys):
  (tmp_path / 'my_extension.py').write_text(MODULE)
  monkeypatch.syspath_prepend(tmp_path)
  config.load(
    ['gin/defaults.gin'],
    [
      'import my_extension',
      "train_stack.task = 'my_extension:mine/Slide-v0'",
      'train_stack.layers = [@base/Layer()]',
      'base/Layer.reward_fn = @stay_home',
      'stay_home.weight = 3.0',
      'base/Layer.env_steps = 60',
      'OffPolicy.initial_steps = 40',
      'OffPolicy.batch_size = 16',
      'LatentPolicyNetwork.embedding_units = (8,)',
      'LatentPolicyNetwork.flow = @gaussian()',
      'TwinCriticNetwork.hidden_units = (8,)',
    ],
  )
  layer = train_stack.train_stack(tmp_path / 'run')

  *_, row = helpers.metrics(tmp_path / 'run')
  assert row['reward'] == 'stay_home' and 'critic_loss' in row
  assert row['return_mean'] == 10.0 and row['layer_return_mean'] < 0
  record = layer.manifest.layers[-1]
  assert record.reward_arguments == {'weight': 3.0}
  found = [e.layer_return for e in rollout.evaluate(layer, episodes=2)]
  assert all(value < 0 for value in found)

  # Where the module is not imported, the layer still plays; its return is not known.
  monkeypatch.delitem(rewards.REWARDS, 'stay_home')
  episodes = rollout.evaluate(layer, episodes=2)
  assert [e.task_return for e in episodes] == [10.0, 10.0]
  assert [e.layer_return for e in episodes] == [None, None]
  assert "'stay_home' is of a module that is not imported" in capsys.readouterr().out
  content = report.result(layer, None, 0, 'mode', episodes)
  assert json.loads(json.dumps(content, allow_nan=False))['layer_return_mean'] is None
  assert 'layer return  not known' in report.text(content)
