"""Films an episode of a saved layer through the task's own renderer."""

import importlib.util
import multiprocessing
import pathlib
from concurrent import futures
from typing import Any

from latent_hrl import errors
from latent_hrl import files
from latent_hrl.environments import rendering
from latent_hrl.evaluation import render
from latent_hrl.evaluation import rollout
from latent_hrl.layers import load

SUFFIXES = ('.mp4', '.gif')
_MP4_WRITER = 'imageio_ffmpeg'  # The extra `video`.
RenderingUnavailableError = rendering.RenderingUnavailableError


def check_path(path: pathlib.Path) -> None:
  """Checks a video path before any episode is played.

  Raises:
    ConfigError: If its ending is none of `SUFFIXES`, in small or capital letters, it cannot
      be written, or what writes it is not installed.
  """
  files.check_output(path)
  if path.suffix.lower() not in SUFFIXES:
    raise errors.ConfigError(
      f'video file {str(path)!r} must end in {" or ".join(SUFFIXES)}'
    )
  if path.suffix.lower() == '.mp4' and importlib.util.find_spec(_MP4_WRITER) is None:
    raise errors.ConfigError(
      f'video file {str(path)!r} needs a package: pip install imageio-ffmpeg, 165 MB; a '
      '.gif needs none'
    )


def film(
  layer: load.SavedLayer,
  path: pathlib.Path,
  task_id: str | None = None,
  seed: int = 0,
  latents: str | None = None,
  max_frames: int = 1000,
  task_options: dict[str, Any] | None = None,
) -> int:
  """Plays one episode and writes it as a video.

  The episode is rendered from its actions in a process of its own: MuJoCo chooses its GL
  library when it is first imported, and one that does not get along with TensorFlow
  crashes the process.

  Args:
    layer: The layer.
    path: File to write, `.mp4` or `.gif`.
    task_id: A gymnasium id; None for the task the layer was trained on.
    seed: Seed of start and latents.
    latents: One of `rollout.LATENT_MODES`; None for `rollout.default_latents`.
    max_frames: Length of the video at most, in frames (one an environment step); the
      episode is played no further.
    task_options: See `rollout.evaluate`.

  Returns:
    The number of frames.

  Raises:
    ConfigError: If the file's ending is unknown, or it cannot be written.
    TaskError: If the task has no pictures, or none that make a video.
    RenderingUnavailableError: If there is no GL library that works.
  """
  check_path(path)
  name, options = rollout.task_and_options(layer, task_id, task_options)
  (episode,) = rollout.evaluate(
    layer,
    task_id,
    1,
    seed,
    latents,
    record=True,
    task_options=task_options,
    max_steps=max_frames,
  )
  context = multiprocessing.get_context('spawn')
  with futures.ProcessPoolExecutor(1, context) as pool:
    job = pool.submit(
      render.render_episode,
      name,
      options,
      episode.start_seed,
      episode.actions,
      path,
    )
    try:
      return job.result()
    except (OSError, errors.LatentHrlError):
      raise
    except Exception as error:  # Each GL backend fails in a way of its own.
      raise RenderingUnavailableError(f'{type(error).__name__}: {error}') from error
