"""Films an episode of a saved layer through the task's own renderer."""

import os
import pathlib

import imageio.v3 as imageio
import numpy as np

from latent_hrl import errors
from latent_hrl import stack
from latent_hrl.environments import tasks
from latent_hrl.evaluation import rollout
from latent_hrl.layers import load

SUFFIXES = ('.mp4', '.gif')
_MISSING_GL = (
  'no video: MuJoCo cannot render here, for want of a GL library; install one, for example '
  'libegl1 (MUJOCO_GL=egl) or libosmesa6 (MUJOCO_GL=osmesa)'
)


class RenderingUnavailableError(Exception):
  """This machine cannot render; the message says what to install."""


def check_path(path: pathlib.Path) -> None:
  """Checks a video path before any episode is played.

  Raises:
    ConfigError: If its ending is none of `SUFFIXES`.
  """
  if path.suffix not in SUFFIXES:
    raise errors.ConfigError(
      f'video file {str(path)!r} must end in {" or ".join(SUFFIXES)}'
    )


def film(
  layer: load.SavedLayer,
  path: pathlib.Path,
  task_id: str | None = None,
  seed: int = 0,
  latents: str = 'mode',
  max_frames: int = 1000,
) -> int:
  """Plays one episode and writes it as a video.

  Args:
    layer: The layer.
    path: File to write, `.mp4` or `.gif`.
    task_id: A gymnasium id; None for the task the layer was trained on.
    seed: Seed of start and latents.
    latents: One of `rollout.LATENT_MODES`.
    max_frames: Length of the video at most, in frames (one an environment step).

  Returns:
    The number of frames.

  Raises:
    ConfigError: If the file's ending is unknown.
    RenderingUnavailableError: If there is no GL library.
  """
  check_path(path)
  # Without a screen MuJoCo has to be told before it is first used to render.
  if not os.environ.get('DISPLAY'):
    os.environ.setdefault('MUJOCO_GL', 'egl')
  top = layer.manifest.layers[-1]
  options = top.task_options if task_id in (None, top.task) else {}
  try:
    task = tasks.make_task(task_id or top.task, render_mode='rgb_array', options=options)
    task.reset(seed=seed)
    task.render()
  except errors.LatentHrlError:
    raise
  except Exception as error:  # Each GL backend fails in a way of its own.
    raise RenderingUnavailableError(_MISSING_GL) from error
  stack.check_fits(layer.manifest, task)
  frames: list[np.ndarray] = []
  decode = rollout.layer_decoder(layer, task.fields)

  def decode_and_render(observation: np.ndarray, latent: np.ndarray) -> np.ndarray:
    if len(frames) < max_frames:
      frames.append(task.render())
    return decode(observation, latent)

  rollout.run_episodes(
    [task], decode_and_render, layer.dimension, episodes=1, seed=seed, latents=latents
  )
  fps = task.metadata.get('render_fps', 30)
  task.close()
  path.parent.mkdir(parents=True, exist_ok=True)
  temporary = path.with_name(f'.{path.name}')
  # Media files carry their kind in the name, so the temporary one keeps the ending.
  if path.suffix == '.gif':
    imageio.imwrite(temporary, frames, extension='.gif', duration=1000 / fps, loop=0)
  else:
    imageio.imwrite(temporary, frames, extension='.mp4', fps=fps, macro_block_size=16)
  temporary.replace(path)
  return len(frames)
