"""The end of the demo: table and pictures of the layers that its gin files train."""

import gin
import gymnasium
import pytest

from latent_hrl import config
from latent_hrl.environments import tasks
from latent_hrl.evaluation import demo
from tests import helpers


@pytest.mark.usefixtures('quick_training')
def test_the_demo_reports_the_layers_of_its_gin_files(tmp_path, monkeypatch):
  monkeypatch.setattr(demo, '_EPISODES', 2)
  monkeypatch.setattr(demo, '_GOAL_EPISODES', 3)
  monkeypatch.setattr(gymnasium.registry['HalfCheetah-v5'], 'max_episode_steps', 5)
  for part in demo.PARTS:
    config.load([f'gin/demo/{part}.gin'])
    stack = gin.get_bindings('train_stack')
    task, layer = tasks.make_task(stack['task']), None
    for spec in stack['layers']:
      path = tmp_path / part / 'layers' / spec.name
      layer = helpers.save_task_layer(path, task, layer)
  (tmp_path / 'half_cheetah' / 'learning_curve.png').write_bytes(b'a curve')

  text = demo.report(tmp_path)

  header, rule, *rows = (tmp_path / 'table.md').read_text().splitlines()
  cells = [[cell.strip() for cell in row.strip('|').split('|')] for row in rows]
  assert [row[2] for row in cells] == ['2'] * 5 + ['3'] * 2
  assert {row[0] for row in cells} == {'HalfCheetah-v5', 'latent_hrl/MultiGoal-v0'}
  assert len({len(line) for line in (header, rule, *rows)}) == 1
  assert all(row in text for row in rows)
  assert (tmp_path / 'half_cheetah.png').read_bytes() == b'a curve'
  assert (tmp_path / 'multi_goal.png').stat().st_size > 10_000
