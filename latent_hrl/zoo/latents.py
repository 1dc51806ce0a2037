"""What the latents of a layer do: how far an action moves with them, and the robot."""

import contextlib
import pathlib
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.environments import tasks
from latent_hrl.evaluation import command_sweep
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import plots
from latent_hrl.evaluation import rollout
from latent_hrl.evaluation import skills
from latent_hrl.evaluation import style
from latent_hrl.layers import load

# States in which the slope is taken, spread over one episode under the mode.
_STATES = 50
_APART = 10
# Half of the difference of latents whose actions are compared.
_STEP = 0.05
_HELD_EPISODES = 60
_HELD_STEPS = 500


def measure(layer: load.SavedLayer, picture: pathlib.Path) -> dict[str, Any]:
  """Measures what the latents do, and draws it.

  Args:
    layer: The layer, which is run on its own task.
    picture: PNG file to write.

  Returns:
    `slopes`: singular values of da/du at latent 0, in half-widths of the action box, the
    largest first, means over states on the way of the mode policy. Where the task tells
    positions, also `held`: of episodes that each hold a latent, `headings` as of
    `skills.headings`. Of a layer with a command, `commands` as of `command_sweep.summary`,
    with the `unit`.
  """
  slopes = _slopes(layer)
  result: dict[str, Any] = {'slopes': np.round(slopes.mean(axis=0), 3).tolist()}
  episodes = rollout.evaluate(
    layer, None, _HELD_EPISODES, 0, 'hold', record=True, max_steps=_HELD_STEPS
  )
  result['held_return_mean'] = float(np.mean([e.task_return for e in episodes]))
  try:
    found = skills.headings(episodes)
  except errors.TaskError:
    episodes = []
  else:
    moves = np.hypot(*skills.displacements(episodes).T)
    result |= {
      'headings': found['covered'],
      'distance': np.round(np.percentile(moves, [10, 50, 90]), 2).tolist(),
    }
  command = layer.manifest.layers[-1].command
  if command is None:
    _draw(slopes, episodes, layer, picture)
    return result
  unit = command['entries'][0]['unit']
  told = command_sweep.sweep(layer)
  result['commands'] = {**command_sweep.summary(told), 'unit': unit}
  plots.command_picture(told, unit, _title(layer), picture)
  return result


def _slopes(layer: load.SavedLayer) -> np.ndarray:
  """Returns singular values of da/du by state, [N, D]."""
  observed = _states(layer)
  half = (np.array(layer.manifest.action_high) - layer.manifest.action_low) / 2
  unit = _STEP * np.eye(layer.dimension, dtype=np.float32)
  columns = []
  for axis in unit:
    ahead, back = (
      layer.decode(observed, np.tile(sign * axis, (len(observed), 1))) for sign in (1, -1)
    )
    columns.append((ahead - back) / (2 * _STEP) / half)
  return np.linalg.svd(np.stack(columns, axis=-1), compute_uv=False)


def _states(layer: load.SavedLayer) -> np.ndarray:
  """Returns observations on the way of the mode policy, [N, O]."""
  record = layer.manifest.layers[-1]
  task = tasks.make_task(record.task, options=record.task_options)
  with contextlib.closing(task):
    where = observations.indices(task.fields, layer.fields)
    policy = layer.policy()
    latent = np.zeros((1, layer.dimension), np.float32)
    found = []
    observation, _ = task.reset(seed=0)
    for step in range(_STATES * _APART):
      seen = observation[where].astype(np.float32)
      if step % _APART == 0:
        found.append(seen)
      _, action = policy(seen[np.newaxis], latent, np.array([step], np.int32))
      observation, _, terminated, truncated, _ = task.step(action[0])
      if terminated or truncated:
        break
  return np.stack(found)


def _draw(
  slopes: np.ndarray,
  episodes: Sequence[episodes_lib.Episode],
  layer: load.SavedLayer,
  path: pathlib.Path,
) -> None:
  with plt.rc_context(style.RC):
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout='constrained')
    order = np.arange(1, slopes.shape[1] + 1)
    low, middle, high = np.percentile(slopes, [10, 50, 90], axis=0)
    left.bar(order, middle, color=style.COLORS[0])
    left.vlines(order, low, high, color=style.COLORS[6])
    left.set(
      title='How far an action moves with the latent', xlabel='direction, the widest first',
      ylabel='da/du at 0 in half-widths of the box', xticks=order,
    )  # fmt: skip
    right.set_title(f'Episodes of {_HELD_STEPS} steps, each with a latent held')
    if episodes:
      plots.held_traces(right, episodes)
    else:
      right.set_axis_off()
      right.text(0.5, 0.5, 'the task does not tell where the robot is', ha='center')
    figure.suptitle(_title(layer))
    style.save(figure, path)


def _title(layer: load.SavedLayer) -> str:
  return f'{layer.manifest.name} on {layer.manifest.task}'
