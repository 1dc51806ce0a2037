"""Films: real files of a real task, or one line that says what to install."""

import os

import imageio.v3 as imageio
import numpy as np
import pytest

from latent_hrl import environments
from latent_hrl import errors
from latent_hrl.environments import tasks
from latent_hrl.evaluation import video
from tests import helpers


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


def test_where_rendering_fails_it_says_what_to_install(
  point_mass_layer, tmp_path, monkeypatch
):
  # The child process dies, as it does when a GL library crashes.
  monkeypatch.setattr(video.render, 'render_episode', os._exit)

  with pytest.raises(video.RenderingUnavailableError, match='install one.*libegl1'):
    video.film(point_mass_layer, tmp_path / 'film.gif', max_frames=1)
  assert not list(tmp_path.iterdir())
