"""What held latents make a robot do: which headings a layer's skills cover."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from latent_hrl import errors
from latent_hrl.environments import tasks
from latent_hrl.evaluation import episodes as episodes_lib

SECTORS = 8
# An episode that ends nearer to its start than this, in m, has no heading.
MIN_DISTANCE = 1.0

_UNTOLD = (
  'headings and ways need a task that says where it is: an observation field '
  "'position', or info['x_position'] (and info['y_position'])"
)


def check_task(task: tasks.Task) -> None:
  """Checks that episodes of a task can be drawn, before any is played.

  Args:
    task: The task, in which it takes a step.

  Raises:
    TaskError: If the task does not say where the robot is.
  """
  task.reset(seed=0)
  observation, *_, info = task.step((task.action_space.low + task.action_space.high) / 2)
  if task.position(observation, info) is None:
    raise errors.TaskError(_UNTOLD)


def displacements(episodes: Sequence[episodes_lib.Episode]) -> np.ndarray:
  """Returns from start to end of each recorded episode, [N, 2] in m.

  Raises:
    TaskError: If the task does not say where the robot is.
  """
  if any(not episode.positions for episode in episodes):
    raise errors.TaskError(_UNTOLD)
  return np.stack([e.positions[-1] - e.positions[0] for e in episodes])


def headings(episodes: Sequence[episodes_lib.Episode]) -> dict[str, Any]:
  """Returns which of eight headings the episodes cover, as JSON types.

  Args:
    episodes: Recorded episodes, each with a latent held.

  Returns:
    `sectors`: share of the episodes by sector of 45°, the first around the x axis, then
    counterclockwise; `covered`: number of sectors with an episode; `moved`: share of the
    episodes that got further than `min_distance`; `distance_mean`, in m.

  Raises:
    TaskError: If the task does not say where the robot is.
  """
  moves = displacements(episodes)
  distances = np.hypot(*moves.T)
  angles = np.arctan2(moves[:, 1], moves[:, 0])[distances >= MIN_DISTANCE]
  sectors = np.round(angles / (2 * np.pi / SECTORS)).astype(int) % SECTORS
  counts = np.bincount(sectors, minlength=SECTORS)
  return {
    'sectors': (counts / len(episodes)).tolist(),
    'covered': int(np.count_nonzero(counts)),
    'moved': float(np.mean(distances >= MIN_DISTANCE)),
    'min_distance': MIN_DISTANCE,
    'distance_mean': float(np.mean(distances)),
  }


def steering(episodes: Sequence[episodes_lib.Episode]) -> np.ndarray:
  """Returns the part of each latent that foretells the displacement best, [N, 2].

  A least-squares fit, for colours: with few episodes it finds a relation in noise.
  """
  moves = displacements(episodes)
  latents = np.stack([episode.latent for episode in episodes])
  weights, *_ = np.linalg.lstsq(latents, moves - moves.mean(axis=0), rcond=None)
  part = latents @ weights
  return part / max(float(np.std(part)), 1e-9)
