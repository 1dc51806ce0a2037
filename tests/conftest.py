"""Fixtures of all tests: clean gin, fixed seeds, toy tasks, three saved layers.

What takes seconds to import is imported in the fixtures: the process that hands the tests
out to the workers reads this file too, before it starts them.
"""

import os
import types

os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import latent_hrl  # noqa: F401, I001  selects Keras 2 before TensorFlow loads

import pytest


# Files that take long go first, the longest of all at the start, so that no worker is left
# with one at the end.
_LONG = (
  'test_gin_files',
  'test_resume',
  'test_train_stack',
  'test_launchers',
  'test_faults',
  'test_load',
  'test_actor_fit',
  'test_baseline_training',
  'test_agents',
  'test_off_policy',
  'test_trainer',
  'test_module',
  'test_checkpoints',
)


def pytest_collection_modifyitems(items):
  rank = {name: place for place, name in enumerate(_LONG)}
  items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(autouse=True)
def _clean_start():
  import gin
  import tensorflow as tf

  gin.clear_config()
  tf.keras.utils.set_random_seed(0)
  yield
  gin.clear_config()


@pytest.fixture
def toy_task():
  """Makes toy tasks; keyword arguments go to `ToyEnv`."""
  from latent_hrl.environments import tasks
  from tests import helpers

  return lambda **kwargs: tasks.Task(helpers.ToyEnv(**kwargs), 'Toy-v0', kwargs)


@pytest.fixture(scope='session')
def saved_base(tmp_path_factory):
  """A saved bottom layer that sees the body."""
  from tests import helpers

  path = tmp_path_factory.mktemp('base') / 'base'
  return helpers.save_layer(path, 'base', [helpers.BODY], [helpers.BODY], seed=1)


@pytest.fixture(scope='session')
def saved_stack(tmp_path_factory, saved_base):
  """Two more on it: `middle` sees body and goal, `top` only the goal."""
  from tests import helpers

  root = tmp_path_factory.mktemp('stack')
  base_bytes = helpers.file_bytes(saved_base.path)
  both, goal = [helpers.BODY, helpers.GOAL], [helpers.GOAL]
  middle = helpers.save_layer(
    root / 'middle', 'middle', both, both, lower=saved_base.saved, seed=2
  )
  top = helpers.save_layer(root / 'top', 'top', both, goal, lower=middle.saved, seed=3)
  return types.SimpleNamespace(
    base=saved_base, middle=middle, top=top, base_bytes=base_bytes
  )


@pytest.fixture(scope='session')
def slow_stack(tmp_path_factory, saved_base):
  """On the base a layer that decides every 2 steps, and on that one for every 4."""
  from tests import helpers

  root, both = tmp_path_factory.mktemp('slow'), [helpers.BODY, helpers.GOAL]
  middle = helpers.save_layer(
    root / 'middle', 'middle', both, both, lower=saved_base.saved, seed=2, interval=2
  )
  return middle, helpers.save_layer(
    root / 'top', 'top', both, [helpers.GOAL], lower=middle.saved, seed=3, interval=4
  )


@pytest.fixture(name='quick_training')
def _quick_training(monkeypatch):
  """Short trainings without what takes most of their time; see `helpers`."""
  from tests import helpers

  helpers.make_training_quick(monkeypatch)
