"""Renders a recorded episode, without TensorFlow: its LLVM and that of GL drivers clash."""

import contextlib
import pathlib
from collections.abc import Sequence
from typing import Any

import gymnasium
import imageio.v3 as imageio
import numpy as np

from latent_hrl import errors
from latent_hrl.environments import rendering
from latent_hrl.environments import tasks
from latent_hrl.evaluation import progress


def render_episode(
  task_id: str,
  options: dict[str, Any],
  start_seed: int,
  actions: Sequence[np.ndarray],
  path: pathlib.Path,
) -> int:
  """Plays the actions again and writes a picture for each, as a video.

  Args:
    task_id: A gymnasium id.
    options: Keyword arguments of the task.
    start_seed: Seed of the reset.
    actions: float32 [D] each.
    path: File to write, `.mp4` or `.gif`.

  Returns:
    The number of frames.

  Raises:
    TaskError: If the task renders no pictures, or needs a package for it.
  """
  try:
    frames, fps = _play(task_id, options, start_seed, actions, path.name)
  except rendering.RenderingUnavailableError:
    raise
  except errors.LatentHrlError as error:
    # gin makes a class of its own of it, which does not travel between processes.
    raise errors.TaskError(str(error).splitlines()[0]) from None
  path.parent.mkdir(parents=True, exist_ok=True)
  # Media files carry their kind in the name, so the temporary one keeps the ending.
  temporary = path.with_name(f'.{path.name}')
  if path.suffix.lower() == '.gif':
    imageio.imwrite(temporary, frames, extension='.gif', duration=1000 / fps, loop=0)
  else:
    imageio.imwrite(temporary, frames, extension='.mp4', fps=fps, macro_block_size=16)
  temporary.replace(path)
  return len(frames)


def _play(
  task_id: str,
  options: dict[str, Any],
  start_seed: int,
  actions: Sequence[np.ndarray],
  name: str,
) -> tuple[list[np.ndarray], float]:
  """Returns the pictures, and how many of them are a second."""
  task = tasks.make_task(task_id, render_mode='rgb_array', options=options)
  with contextlib.closing(task):
    task.reset(seed=start_seed)
    frames = []
    for action in progress.over(actions, name, 'frame'):
      frames.append(_picture(task))
      task.step(action)
    return frames, task.metadata.get('render_fps', 30)


def _picture(task: tasks.Task) -> np.ndarray:
  try:
    picture = task.render()
  except gymnasium.error.DependencyNotInstalled as error:
    raise errors.TaskError(f'task {task.task_id!r} cannot be filmed: {error}') from None
  if np.ndim(picture) != 3 or np.asarray(picture).dtype != np.uint8:
    raise errors.TaskError(
      f'task {task.task_id!r} cannot be filmed: its render() gives no RGB picture'
    )
  return np.asarray(picture)
