"""Fixtures of all tests: clean gin, fixed seeds, toy tasks, three saved layers."""

import os
import types

os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import latent_hrl  # noqa: F401, I001  selects Keras 2 before TensorFlow loads

import gin
import pytest
import tensorflow as tf

from latent_hrl.environments import tasks
from tests import helpers


# Files that take long go first, so that no worker is left with one at the end.
_LONG = ('test_train_stack.py', 'test_gin_files.py', 'test_launchers.py', 'test_load.py')


def pytest_collection_modifyitems(items):
  items.sort(key=lambda item: item.path.name not in _LONG)


@pytest.fixture(autouse=True)
def _clean_start():
  gin.clear_config()
  tf.keras.utils.set_random_seed(0)
  yield
  gin.clear_config()


@pytest.fixture
def toy_task():
  """Makes toy tasks; keyword arguments go to `ToyEnv`."""
  return lambda **kwargs: tasks.Task(helpers.ToyEnv(**kwargs), 'Toy-v0', kwargs)


@pytest.fixture(scope='session')
def saved_base(tmp_path_factory):
  """A saved bottom layer that sees the body."""
  path = tmp_path_factory.mktemp('base') / 'base'
  return helpers.save_layer(path, 'base', [helpers.BODY], [helpers.BODY], seed=1)


@pytest.fixture(scope='session')
def saved_stack(tmp_path_factory, saved_base):
  """Two more on it: `middle` sees body and goal, `top` only the goal."""
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


@pytest.fixture(name='quick_training')
def _quick_training(monkeypatch):
  """Short trainings without what takes most of their time; see `helpers`."""
  helpers.make_training_quick(monkeypatch)
