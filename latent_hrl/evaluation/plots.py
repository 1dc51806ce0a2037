"""Pictures: learning curves, and trajectories coloured by latent."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402  the backend is chosen first
import numpy as np  # noqa: E402

from latent_hrl.environments import multi_goal  # noqa: E402
from latent_hrl.evaluation import rollout  # noqa: E402


def _save(figure: plt.Figure, path: pathlib.Path) -> None:
  """Writes a picture whole or not at all."""
  path.parent.mkdir(parents=True, exist_ok=True)
  temporary = path.with_name(f'.{path.name}')
  figure.savefig(temporary, format='png', dpi=110, bbox_inches='tight')
  plt.close(figure)
  temporary.replace(path)


def _axes(title: str, x_label: str, y_label: str, size: tuple[float, float] = (7, 4.2)):
  figure, axes = plt.subplots(figsize=size)
  axes.set_title(title)
  axes.set_xlabel(x_label)
  axes.set_ylabel(y_label)
  axes.spines[['top', 'right']].set_visible(False)
  axes.grid(alpha=0.25)
  return figure, axes


def learning_curve(
  rows: Sequence[Mapping[str, Any]], title: str, path: pathlib.Path
) -> None:
  """Draws the evaluation return of each layer over its environment steps.

  Layers trained one after the other follow each other on the x axis. The band is one
  standard deviation over the episodes of an evaluation.

  Args:
    rows: Lines of `metrics.jsonl`.
    title: Title of the picture.
    path: PNG file to write.
  """
  figure, axes = _axes(title, 'environment steps', 'evaluation return (mode policy)')
  offset = 0
  for name in dict.fromkeys(row['layer'] for row in rows):
    own = [row for row in rows if row['layer'] == name]
    key = 'layer_return' if own[0].get('reward') != 'task_reward' else 'return'
    steps = np.array([offset + row['env_steps'] for row in own])
    mean = np.array([row[f'{key}_mean'] for row in own])
    std = np.array([row[f'{key}_std'] for row in own])
    (line,) = axes.plot(steps, mean, marker='o', markersize=3, label=f'{name} ({key})')
    axes.fill_between(steps, mean - std, mean + std, color=line.get_color(), alpha=0.15)
    if offset:
      axes.axvline(offset, color='gray', linewidth=0.8, linestyle='--')
    offset = int(steps[-1])
  axes.legend(frameon=False)
  axes.xaxis.set_major_formatter(lambda value, _: f'{value / 1000:,.0f}k')
  _save(figure, path)


def _latent_colors(latents: np.ndarray) -> np.ndarray:
  """Returns RGB colours [N, 3]: hue from the angle of the first two latent dimensions."""
  second = latents[:, 1] if latents.shape[1] > 1 else np.zeros(len(latents))
  hue = np.arctan2(second, latents[:, 0]) / (2 * np.pi) % 1.0
  saturation = np.clip(np.hypot(latents[:, 0], second) / 1.5, 0.25, 1.0)
  return matplotlib.colors.hsv_to_rgb(
    np.stack([hue, saturation, 0.85 * np.ones_like(hue)], 1)
  )


def goal_trajectories(
  panels: Mapping[str, Sequence[rollout.Episode]], path: pathlib.Path
) -> None:
  """Draws trajectories of the multi-goal task, coloured by the latent of the episode.

  Args:
    panels: Title to recorded episodes, one panel each.
    path: PNG file to write.
  """
  figure, all_axes = plt.subplots(
    1, len(panels), figsize=(4.6 * len(panels), 4.8), squeeze=False
  )
  for axes, (title, episodes) in zip(all_axes[0], panels.items(), strict=True):
    colors = _latent_colors(np.stack([episode.latent for episode in episodes]))
    for goal in multi_goal.GOALS:
      axes.add_patch(plt.Circle(goal, 1.0, color='0.88', zorder=0))
    for episode, color in zip(episodes, colors, strict=True):
      positions = np.stack(episode.observations)
      axes.plot(positions[:, 0], positions[:, 1], color=color, linewidth=0.8, alpha=0.7)
    axes.plot(0, 0, 'k+', markersize=8)
    axes.set(
      title=title, xlabel='x', ylabel='y', xlim=(-7, 7), ylim=(-7, 7), aspect='equal'
    )
    axes.spines[['top', 'right']].set_visible(False)
  figure.suptitle('Colour: angle of the latent held through the episode', y=0.98)
  _save(figure, path)
