"""Pictures: learning curves, and trajectories coloured by latent."""

import io
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402  the backend is chosen first
import numpy as np  # noqa: E402

from latent_hrl import files  # noqa: E402
from latent_hrl.environments import maps  # noqa: E402
from latent_hrl.environments import multi_goal  # noqa: E402
from latent_hrl.evaluation import rollout  # noqa: E402
from latent_hrl.evaluation import skills  # noqa: E402

_GOAL_COLORS = matplotlib.colormaps['tab10']


def _save(figure: plt.Figure, path: pathlib.Path) -> None:
  """Writes a picture whole or not at all."""
  picture = io.BytesIO()
  figure.savefig(picture, format='png', dpi=110, bbox_inches='tight')
  plt.close(figure)
  files.write_bytes(path, picture.getvalue())


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


def _colors(points: np.ndarray) -> np.ndarray:
  """Returns RGB colours [N, 3] of points in the plane [N, 2]: hue from their angle."""
  hue = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) % 1.0
  saturation = np.clip(np.hypot(*points.T) / 1.5, 0.25, 1.0)
  return matplotlib.colors.hsv_to_rgb(
    np.stack([hue, saturation, 0.85 * np.ones_like(hue)], 1)
  )


def _traces(
  axes: plt.Axes, episodes: Sequence[rollout.Episode], colors: np.ndarray
) -> None:
  """Draws where each episode went."""
  for episode, color in zip(episodes, colors, strict=True):
    x, y = np.stack(episode.positions).T
    axes.plot(x, y, color=color, linewidth=0.8, alpha=0.7)
  axes.plot(0, 0, 'k+', markersize=8)
  axes.set(xlabel='x', ylabel='y', aspect='equal')
  axes.spines[['top', 'right']].set_visible(False)


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
    for goal in multi_goal.GOALS:
      axes.add_patch(plt.Circle(goal, 1.0, color='0.88', zorder=0))
    colors = _colors(np.stack([episode.latent for episode in episodes]))
    _traces(axes, episodes, colors)
    axes.set(title=title, xlim=(-7, 7), ylim=(-7, 7))
  figure.suptitle('Colour: angle of the latent held through the episode', y=0.98)
  _save(figure, path)


def skill_picture(
  episodes: Sequence[rollout.Episode], title: str, path: pathlib.Path
) -> None:
  """Draws what held latents do: traces coloured by latent, and the headings covered.

  Args:
    episodes: Recorded episodes, each with a latent held.
    title: Title of the picture.
    path: PNG file to write.

  Raises:
    TaskError: If the task does not say where the robot is.
  """
  found = skills.headings(episodes)
  figure = plt.figure(figsize=(10, 5))
  _traces(figure.add_subplot(1, 2, 1), episodes, _colors(skills.steering(episodes)))
  rose = figure.add_subplot(1, 2, 2, projection='polar')
  angles = np.arange(skills.SECTORS) * 2 * np.pi / skills.SECTORS
  shares = 100 * np.array(found['sectors'])
  rose.bar(angles, shares, width=1.8 * np.pi / skills.SECTORS, color='0.6')
  rose.yaxis.set_major_formatter(lambda value, _: f'{value:g}%')
  rose.set_title(
    f'{found["covered"]} of {skills.SECTORS} headings\n{found["moved"]:.0%} of '
    f'{len(episodes)} episodes beyond {found["min_distance"]:g} m',
    fontsize='medium',
  )
  figure.suptitle(f'{title}\nColour: the part of the latent that foretells the way (fit)')
  figure.tight_layout()
  _save(figure, path)


def route_picture(
  episodes: Sequence[rollout.Episode],
  title: str,
  path: pathlib.Path,
  maze: maps.Maze | None = None,
) -> None:
  """Draws where episodes went, coloured by the goal that each reached; grey for none.

  Args:
    episodes: Recorded episodes.
    title: Title of the picture.
    path: PNG file to write.
    maze: The walls and goals around them, if any.

  Raises:
    TaskError: If the task does not say where the robot is.
  """
  skills.displacements(episodes)
  figure, axes = plt.subplots(figsize=(6.5, 6.5))
  arrived = [episode for episode in episodes if episode.success]
  if maze is not None:
    for x, y, half_length, half_width in maze.walls():
      corner = (x - half_length, y - half_width)
      axes.add_patch(plt.Rectangle(corner, 2 * half_length, 2 * half_width, color='0.85'))
    for number, goal in enumerate(maze.goals):
      axes.plot(*goal, '*', color=_GOAL_COLORS(number), markersize=14, zorder=3)
      count = sum(episode.goal == number for episode in arrived)
      axes.annotate(f'{count}', goal, (7, 7), textcoords='offset points')
  colors = [
    _GOAL_COLORS(max(e.goal or 0, 0))[:3] if e.success else (0.5, 0.5, 0.5)
    for e in episodes
  ]
  _traces(axes, episodes, np.array(colors))
  axes.set_title(f'{title}\n{len(arrived)} of {len(episodes)} episodes arrive')
  _save(figure, path)
