"""Pictures beside TensorFlow: drawn in a helper process, or one line that says why not."""

import copy
import os

import numpy as np
import pytest
import tensorflow as tf

from latent_hrl import environments
from latent_hrl import errors
from latent_hrl.environments import rendering
from latent_hrl.environments import tasks

_SMALL = {'width': 64, 'height': 48}


@pytest.fixture(scope='module')
def cheetah():
  """A task that renders here; skips where nothing does."""
  task = tasks.make_task('HalfCheetah-v5', render_mode='rgb_array', options=_SMALL)
  task.reset(seed=0)
  try:
    task.render()
  except rendering.RenderingUnavailableError as error:
    pytest.skip(str(error))
  yield task
  task.close()


def _helper(task) -> rendering.Helper:
  (renderer,) = rendering._renderers(task.unwrapped)
  assert not renderer._viewers  # Nothing was drawn in this process.
  helper = renderer.render.__self__
  assert isinstance(helper, rendering.Helper)
  return helper


def test_a_picture_beside_tensorflow_shows_the_task_as_it_is(cheetah):
  cheetah.reset(seed=0)
  first = cheetah.render()
  for _ in range(5):
    cheetah.step(np.ones(6, np.float32))
  later = cheetah.render()
  compiled = tf.function(lambda x: x @ x, jit_compile=True)(tf.eye(2))
  cheetah.reset(seed=0)

  assert first.shape == (48, 64, 3) and first.dtype == np.uint8
  assert np.ptp(first) > 100 and np.any(first != later)
  np.testing.assert_array_equal(cheetah.render(), first)
  np.testing.assert_array_equal(compiled, np.eye(2))
  _helper(cheetah)


def test_changes_of_model_and_camera_are_in_the_picture(cheetah):
  before = cheetah.render()
  model = cheetah.unwrapped.model
  colours = model.geom_rgba.copy()
  model.geom_rgba[:] = [1, 0, 0, 1]
  red = cheetah.render()
  model.geom_rgba[:] = colours

  assert np.any(red != before)
  np.testing.assert_array_equal(cheetah.render(), before)


def test_a_helper_that_dies_is_told_and_replaced(cheetah):
  helper = _helper(cheetah)
  before = cheetah.render()
  helper._process.kill()

  with pytest.raises(rendering.RenderingUnavailableError, match='exit code -9') as caught:
    cheetah.render()

  assert '\n' not in str(caught.value)
  np.testing.assert_array_equal(cheetah.render(), before)


def test_a_copy_has_a_helper_of_its_own_that_ends_with_it(cheetah):
  twin = copy.deepcopy(cheetah)
  twin.reset(seed=0)
  assert twin.render().shape == (48, 64, 3)
  process = _helper(twin)._process
  assert process.pid != _helper(cheetah)._process.pid

  twin.close()

  assert process.returncode is not None
  with pytest.raises(ProcessLookupError):
    os.kill(process.pid, 0)


@pytest.mark.parametrize('name', ['latent_hrl/AntCrossMaze-v0', 'latent_hrl/AntGoal-v0'])
def test_what_a_task_is_built_around_is_found(name):
  task = tasks.make_task(name, render_mode='rgb_array')
  _helper(task)
  task.close()


def test_tasks_that_draw_without_gl_start_no_process():
  task = tasks.make_task(environments.MULTI_GOAL, render_mode='rgb_array')
  task.reset(seed=0)
  assert task.render().shape == (320, 320, 3)
  assert not list(rendering._renderers(task.unwrapped))


def test_where_nothing_renders_one_line_says_what_to_install(monkeypatch):
  task = tasks.make_task('HalfCheetah-v5', render_mode='rgb_array')
  task.reset(seed=0)
  monkeypatch.setenv('MUJOCO_GL', 'nonsense')
  with pytest.raises(
    rendering.RenderingUnavailableError, match='install .*libegl1.*MUJOCO_GL: nonsense'
  ) as caught:
    task.render()
  assert '\n' not in str(caught.value)


def test_a_task_made_without_pictures_says_how_to_make_it_with():
  task = tasks.make_task('HalfCheetah-v5')
  task.reset(seed=0)
  with pytest.raises(errors.TaskError, match="render_mode='rgb_array'"):
    task.render()


@pytest.mark.parametrize(
  ('name', 'hint'), [('osmessa', "did you mean 'osmesa'"), ('vulkan', 'egl, osmesa, glfw')]
)
def test_a_wrong_gl_is_told_with_the_right_ones(monkeypatch, name, hint):
  monkeypatch.setenv('MUJOCO_GL', name)
  with pytest.raises(errors.ConfigError, match=f"MUJOCO_GL is '{name}'.*{hint}"):
    rendering.check_gl()


@pytest.mark.parametrize('name', ['', 'EGL', ' glfw ', 'off', '1'])
def test_the_names_that_mujoco_knows_are_taken(monkeypatch, name):
  monkeypatch.setenv('MUJOCO_GL', name)
  rendering.check_gl()
