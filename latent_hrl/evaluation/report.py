"""What an evaluation found, as JSON and as text."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

from latent_hrl import files
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import rollout
from latent_hrl.layers import load


def result(
  layer: load.SavedLayer,
  task_id: str | None,
  seed: int,
  latents: str,
  episodes: Sequence[episodes_lib.Episode],
  task_options: dict[str, Any] | None = None,
) -> dict[str, Any]:
  """Returns the content of `eval --output`.

  Args:
    layer: The layer.
    task_id: Task it was evaluated on; None for its own.
    seed: Seed of the evaluation.
    latents: How the top latent was chosen.
    episodes: The episodes.
    task_options: See `rollout.evaluate`.

  Returns:
    JSON types: `returns` and `return_*` are of the task's own reward, `layer_return*` of
    the reward the layer was trained on, None if that is not known here.
  """
  task, options = rollout.task_and_options(layer, task_id, task_options)
  summary = episodes_lib.summarize(episodes)
  count = summary.pop('episodes')
  return {
    'layer': str(layer.path),
    'task': task,
    'task_options': options,
    'seed': seed,
    'latents': latents,
    'episodes': count,
    'returns': [episode.task_return for episode in episodes],
    'lengths': [episode.length for episode in episodes],
    **summary,
  }


def text(content: dict[str, Any]) -> str:
  """Returns a result for people."""
  lines = [
    f'{content["layer"]} on {content["task"]}, {content["episodes"]} episodes, '
    f'latents: {content["latents"]}, seed {content["seed"]}',
    f'  return  {content["return_mean"]:.1f} ± {content["return_std"]:.1f}'
    f'   length  {content["length_mean"]:.0f}',
  ]
  if content['layer_return_mean'] is None:
    lines.append("  layer return  not known: the layer's reward is not there")
  elif content['layer_return_mean'] != content['return_mean']:
    lines.append(
      f'  layer return  {content["layer_return_mean"]:.1f} ± '
      f'{content["layer_return_std"]:.1f}'
    )
  if 'success_rate' in content:
    lines.append(f'  success rate  {content["success_rate"]:.1%}')
  if content.get('goal_rates'):
    rates = ', '.join(f'{goal}: {rate:.1%}' for goal, rate in content['goal_rates'].items())
    lines.append(f'  goals reached  {rates}')
  if 'headings' in content:
    found = content['headings']
    shares = ' '.join(f'{share:.0%}' for share in found['sectors'])
    lines.append(
      f'  headings  {found["covered"]} of {len(found["sectors"])} ({shares}), '
      f'{found["moved"]:.0%} moved, {found["distance_mean"]:.1f} m on average'
    )
  if 'commands' in content:
    lines.append(commands_text(content['commands']))
  return '\n'.join(lines)


def commands_text(found: dict[str, Any]) -> str:
  """Returns the figures of a sweep of commands for people."""
  return (
    f'  commands  reached {found["reached_mean"]:.2f} of {found["asked"]:.2f} '
    f'{found["unit"]} asked for, {found["reached_min"]:.2f} at the worst of '
    f'{found["directions"]} directions, {found["covered"]} covered; '
    f'correlation {found["correlation"]:.2f}, '
    f'{found["ended_early"]:.0%} ended early'
  )


def write(content: dict[str, Any], path: pathlib.Path) -> None:
  """Writes a result as JSON, whole or not at all."""
  files.write_text(path, json.dumps(content, indent=2) + '\n')
