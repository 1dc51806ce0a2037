"""Films: real files of a real task, or one line that says what to install."""

import gymnasium
import imageio.v3 as imageio
import numpy as np
import pytest

from latent_hrl import environments
from latent_hrl import errors
from latent_hrl.environments import tasks
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import video
from tests import helpers
from tests.evaluation import crash


@pytest.fixture(scope='module')
def point_mass_layer(tmp_path_factory):
  """A fresh layer for the multi-goal task, which renders without GL."""
  task = tasks.make_task(environments.MULTI_GOAL)
  path = tmp_path_factory.mktemp('video') / 'base'
  return helpers.save_task_layer(path, task)


@pytest.mark.parametrize('suffix', ['.gif', '.mp4'])
def test_a_film_has_a_frame_a_step(point_mass_layer, tmp_path, suffix):
  path = tmp_path / f'film{suffix}'

  frames = video.film(point_mass_layer, path, latents='hold', max_frames=12)

  read = np.stack(list(imageio.imiter(path)))
  assert frames == 12 and len(read) == 12
  assert read.shape[1:] == (320, 320, 3)
  assert np.any(read[0] != read[-1])  # The point moves.
  assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_ending_is_refused_before_anything_plays(point_mass_layer, tmp_path):
  with pytest.raises(errors.ConfigError, match=r'film.avi. must end in .mp4 or .gif'):
    video.film(point_mass_layer, tmp_path / 'film.avi')


def test_what_writes_mp4_may_be_missing(tmp_path, monkeypatch):
  monkeypatch.setattr(video, '_MP4_WRITER', 'no_such_writer')
  video.check_path(tmp_path / 'film.gif')
  with pytest.raises(errors.ConfigError, match='pip install imageio-ffmpeg'):
    video.check_path(tmp_path / 'film.MP4')


def test_where_rendering_fails_it_says_what_to_install(
  point_mass_layer, tmp_path, monkeypatch
):
  monkeypatch.setattr(video.render, 'render_episode', crash.die)

  with pytest.raises(
    video.RenderingUnavailableError, match='install .*libegl1.*BrokenProcessPool'
  ):
    video.film(point_mass_layer, tmp_path / 'film.gif', max_frames=1)
  assert not list(tmp_path.iterdir())


def _render(monkeypatch, picture):
  class Silent(gymnasium.Wrapper):
    def render(self):
      return picture()

  make = tasks.make_task

  def make_silent(task_id, *args, **kwargs):
    task = make(task_id, *args, **kwargs)
    task.env = Silent(task.env)
    return task

  monkeypatch.setattr(video.render.tasks, 'make_task', make_silent)


def _missing():
  raise gymnasium.error.DependencyNotInstalled('pygame is not installed')


@pytest.mark.parametrize(
  ('picture', 'reason'),
  [
    (lambda: None, 'its render.. gives no RGB picture'),
    (_missing, 'pygame is not installed'),
  ],
)
def test_a_task_without_pictures_is_told(tmp_path, monkeypatch, picture, reason):
  _render(monkeypatch, picture)
  with pytest.raises(errors.TaskError, match=f'cannot be filmed: {reason}'):
    video.render.render_episode(
      environments.MULTI_GOAL, {}, 0, [np.zeros(2)], tmp_path / 'film.gif'
    )
  assert not list(tmp_path.iterdir())


def test_what_the_task_cannot_do_is_not_put_down_to_gl(
  point_mass_layer, tmp_path, monkeypatch
):
  with pytest.raises(errors.TaskError, match='MultiGoal-v9'):
    monkeypatch.setattr(video.rollout, 'task_and_options', lambda *_: ('MultiGoal-v9', {}))
    monkeypatch.setattr(video.rollout, 'evaluate', lambda *_, **__: [_episode()])
    video.film(point_mass_layer, tmp_path / 'film.gif')


def _episode():
  return episodes_lib.Episode(actions=[np.zeros(2)])
