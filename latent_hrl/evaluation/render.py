"""Renders a recorded episode, without TensorFlow: its LLVM and that of GL drivers clash."""

import pathlib
from collections.abc import Sequence
from typing import Any

import imageio.v3 as imageio
import numpy as np

from latent_hrl.environments import tasks


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
  """
  task = tasks.make_task(task_id, render_mode='rgb_array', options=options)
  task.reset(seed=start_seed)
  frames = []
  for action in actions:
    frames.append(task.render())
    task.step(action)
  fps = task.metadata.get('render_fps', 30)
  task.close()
  path.parent.mkdir(parents=True, exist_ok=True)
  # Media files carry their kind in the name, so the temporary one keeps the ending.
  temporary = path.with_name(f'.{path.name}')
  if path.suffix == '.gif':
    imageio.imwrite(temporary, frames, extension='.gif', duration=1000 / fps, loop=0)
  else:
    imageio.imwrite(temporary, frames, extension='.mp4', fps=fps, macro_block_size=16)
  temporary.replace(path)
  return len(frames)
