"""Pictures: learning curves, and trajectories coloured by latent."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from latent_hrl.environments import maps
from latent_hrl.environments import multi_goal
from latent_hrl.evaluation import command_sweep
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import skills
from latent_hrl.evaluation import style

# More traces hide each other; those drawn are spread over the episodes.
_MAX_TRACES = 150
_NO_GOAL = '0.6'


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
  with plt.rc_context(style.RC):
    figure, axes = plt.subplots(figsize=(7, 4.2))
    axes.set(title=title, xlabel='environment steps of all layers')
    axes.set_ylabel('return of an episode, mode policy')
    offset = 0
    for index, name in enumerate(dict.fromkeys(row['layer'] for row in rows)):
      own = [row for row in rows if row['layer'] == name]
      # A row of an early version does not name its reward.
      reward = own[0].get('reward', 'layer reward')
      key = 'return' if reward == 'task_reward' else 'layer_return'
      label = f'{name} ({"task reward" if key == "return" else reward})'
      steps = np.array([offset + row['env_steps'] for row in own])
      mean = np.array([row[f'{key}_mean'] for row in own])
      std = np.array([row[f'{key}_std'] for row in own])
      color = style.COLORS[index % len(style.COLORS)]
      axes.plot(steps, mean, marker='o', markersize=3, color=color, label=label)
      axes.fill_between(steps, mean - std, mean + std, color=color, alpha=0.18, linewidth=0)
      if offset:
        axes.axvline(offset, color='gray', linewidth=0.8, linestyle='--')
      offset = int(steps[-1])
    axes.legend()
    axes.xaxis.set_major_formatter(style.steps)
    axes.yaxis.set_major_formatter(style.number)
    style.save(figure, path)


def beside(
  panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]],
  title: str,
  path: pathlib.Path,
  columns: int = 2,
) -> None:
  """Draws curves of runs side by side, one colour and line a run in every panel.

  Args:
    panels: Title of a panel to its curves: label to environment steps and returns.
    title: Title of the picture.
    path: PNG or SVG file to write.
    columns: Panels side by side.
  """
  rows = -(-len(panels) // columns)
  labels = list(dict.fromkeys(label for curves in panels.values() for label in curves))
  with plt.rc_context(style.RC):
    figure, all_axes = plt.subplots(
      rows, columns, figsize=(4.4 * columns, 2.8 * rows), squeeze=False,
      layout='constrained',
    )  # fmt: skip
    for axes, (panel, curves) in zip(all_axes.flat, panels.items(), strict=False):
      axes.set(title=panel, xlabel='environment steps in all', ylabel='return')
      axes.xaxis.set_major_formatter(style.steps)
      axes.yaxis.set_major_formatter(style.number)
      for label, (steps, returns) in curves.items():
        index = labels.index(label)
        color, line = style.of_curve(index)
        axes.plot(steps, returns, line, color=color, label=label)
    lines: dict[str, Any] = {}
    for axes in all_axes.flat:
      for line, label in zip(*axes.get_legend_handles_labels(), strict=True):
        lines.setdefault(label, line)
    figure.legend(
      [lines[label] for label in labels], labels, loc='outside lower center', ncols=2
    )
    figure.suptitle(title)
    style.save(figure, path)


def _colors(points: np.ndarray) -> np.ndarray:
  """Returns RGB colours [N, 3] of points in the plane [N, 2], from their angle."""
  return style.of_angles(np.arctan2(points[:, 1], points[:, 0]))


def _traces(
  axes: plt.Axes,
  episodes: Sequence[episodes_lib.Episode],
  colors: Sequence[Any] | np.ndarray,
) -> None:
  """Draws where episodes went, up to `_MAX_TRACES` of them; a dot is an end."""
  shown = np.linspace(0, len(episodes) - 1, min(len(episodes), _MAX_TRACES)).astype(int)
  for i in shown:
    x, y = np.stack(episodes[i].positions).T
    axes.plot(x, y, color=colors[i], linewidth=0.8, alpha=0.7)
  ends = np.stack([episodes[i].positions[-1] for i in shown])
  axes.scatter(ends[:, 0], ends[:, 1], s=4, color=[colors[i] for i in shown], zorder=3)
  axes.plot(0, 0, 'k+', markersize=8, zorder=4)
  axes.set(xlabel='x in m', ylabel='y in m', aspect='equal')
  axes.grid(False)


def goal_trajectories(
  panels: Mapping[str, Sequence[episodes_lib.Episode]], path: pathlib.Path
) -> None:
  """Draws trajectories of the multi-goal task, coloured by the latent of the episode.

  Args:
    panels: Title to recorded episodes, one panel each.
    path: PNG file to write.
  """
  with plt.rc_context(style.RC):
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
    style.save(figure, path)


def command_picture(
  told: Sequence[command_sweep.Told], unit: str, title: str, path: pathlib.Path
) -> None:
  """Draws a sweep of commands: where the largest lead, and what was reached of each.

  Args:
    told: The episodes of `command_sweep.sweep`.
    unit: Unit of the command.
    title: Title of the picture.
    path: PNG file to write.

  Raises:
    TaskError: If a command lies in the plane and the task does not say where the robot is.
  """
  found = command_sweep.summary(told)
  planar = len(told[0].command) > 1
  top = command_sweep.of_largest(told)

  def colors(some: Sequence[command_sweep.Told]) -> np.ndarray:
    return _colors(np.stack([np.resize(np.append(one.command, 0), 2) for one in some]))

  with plt.rc_context(style.RC):
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.8))
    if planar:
      skills.displacements([one.episode for one in top])
      _traces(left, [one.episode for one in top], colors(top))
      left.set_title(f'Held for {max(one.episode.length for one in top)} steps')
    else:
      for one, color in zip(told, colors(told), strict=True):
        steps = np.arange(1, len(one.episode.measured) + 1)
        mean = np.cumsum(np.concatenate(one.episode.measured)) / steps
        left.plot(steps, mean, color=color, linewidth=0.8)
      left.set(xlabel='steps', ylabel=f'mean so far in {unit}', title='Commands held')
    asked, reached = np.array([(one.asked, one.reached) for one in told]).T
    ends = [min(0.0, asked.min()), asked.max()]
    right.plot(ends, ends, color='0.6', linewidth=0.8, zorder=1)
    right.scatter(asked, reached, s=18, color=colors(told), zorder=2)
    right.set(
      xlabel=f'asked for in {unit}',
      ylabel=f'reached in {unit}',
      title=f'{found["reached_mean"]:.2f} {unit} on average, {found["reached_min"]:.2f} at '
      f'the worst of {found["directions"]}\nof {found["asked"]:.2f} asked for; correlation '
      f'{found["correlation"]:.2f}, {found["ended_early"]:.0%} ended early',
    )
    figure.suptitle(f'{title}\nColour: direction of the command')
    figure.tight_layout()
    style.save(figure, path)


def skill_picture(
  episodes: Sequence[episodes_lib.Episode], title: str, path: pathlib.Path
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
  with plt.rc_context(style.RC):
    figure = plt.figure(figsize=(10, 5))
    traces = figure.add_subplot(1, 2, 1)
    _traces(traces, episodes, _colors(skills.steering(episodes)))
    shown = min(len(episodes), _MAX_TRACES)
    traces.set_title(f'{shown} of {len(episodes)} episodes')
    rose: Any = figure.add_subplot(1, 2, 2, projection='polar')
    angles = np.arange(skills.SECTORS) * 2 * np.pi / skills.SECTORS
    shares = 100 * np.array(found['sectors'])
    width = 1.8 * np.pi / skills.SECTORS
    rose.bar(angles, shares, width=width, color=style.of_angles(angles), zorder=2)
    rose.set_axisbelow(True)
    rose.set_yticks(_ticks(max(shares.max(), 1.0)))
    rose.yaxis.set_major_formatter(lambda value, _: f'{value:g}%')
    rose.set_rlabel_position(180 / skills.SECTORS)  # Between two bars.
    rose.set_title(
      'Share of the episodes by heading\n'
      f'{found["covered"]} of {skills.SECTORS} headings, {found["moved"]:.0%} beyond '
      f'{found["min_distance"]:g} m'
    )
    figure.suptitle(f'{title}\nColour: the part of the latent that foretells the way (fit)')
    figure.tight_layout()
    style.save(figure, path)


def held_traces(axes: plt.Axes, episodes: Sequence[episodes_lib.Episode]) -> None:
  """Draws where episodes went that each held a latent; on a line, over the steps.

  Args:
    axes: Where to draw.
    episodes: Recorded episodes.

  Raises:
    TaskError: If the task does not say where the robot is.
  """
  colors = _colors(skills.steering(episodes))
  if np.ptp(np.concatenate([episode.positions for episode in episodes])[:, 1]) > 0:
    _traces(axes, episodes, colors)
    return
  for episode, color in zip(episodes, colors, strict=True):
    axes.plot(np.stack(episode.positions)[:, 0], color=color, linewidth=0.8, alpha=0.7)
  axes.set(xlabel='environment step', ylabel='x in m')


def _ticks(most: float) -> np.ndarray:
  """Returns three marks on a scale of percents, the last at or above the most."""
  step = next(step for step in (1, 2, 5, 10, 20, 50) if 3 * step >= most)
  return step * np.arange(1, 4)


def route_picture(
  episodes: Sequence[episodes_lib.Episode],
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
  arrived = [episode for episode in episodes if episode.success]
  with plt.rc_context(style.RC):
    figure, axes = plt.subplots(figsize=(6.5, 6.5))
    if maze is not None:
      for x, y, half_length, half_width in maze.walls():
        corner = (x - half_length, y - half_width)
        axes.add_patch(plt.Rectangle(corner, 2 * half_length, 2 * half_width, color='0.85'))
      for number, goal in enumerate(maze.goals):
        axes.plot(*goal, '*', color=_goal_color(number), markersize=14, zorder=3)
        count = sum(episode.goal == number for episode in arrived)
        axes.annotate(f'{count}', goal, (7, 7), textcoords='offset points')
    colors = [_goal_color(max(e.goal or 0, 0)) if e.success else _NO_GOAL for e in episodes]
    _traces(axes, episodes, colors)
    axes.set_title(
      f'{title}\n{len(arrived)} of {len(episodes)} episodes arrive; grey ones do not'
    )
    style.save(figure, path)


def _goal_color(number: int) -> str:
  return style.COLORS[number % len(style.COLORS)]
