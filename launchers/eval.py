r"""Evaluates a saved layer: episodes, statistics, a JSON file, a video, its skills.

  python -m launchers.eval --layer=/tmp/cheetah/layers/base --episodes=10 \
    --output=/tmp/eval.json --video=/tmp/cheetah.mp4
  python -m launchers.eval --layer=/tmp/ant/layers/base --episodes=400 --plot=skills \
    --task_options='{"random_heading": false}' --plot_file=/tmp/skills.png
  python -m launchers.eval --layer=/tmp/ant/layers/maze --episodes=100 --plot=routes

The policy is the mode (top latent 0) unless --latents or --plot says otherwise.
"""

import contextlib
import json
import pathlib

from absl import flags

from latent_hrl import cli

flags.adopt_module_key_flags(cli)
_LAYER = flags.DEFINE_string('layer', None, 'Directory of a saved layer.', required=True)
_UNTRUSTED = flags.DEFINE_bool(
  'untrusted',
  False,
  'Load the layer first in a process with limits on time and memory: for a layer of an '
  'unknown author.',
)
_TASK = flags.DEFINE_string(
  'task', None, 'Gymnasium id; the task the layer was trained on by default.'
)
_EPISODES = flags.DEFINE_integer('episodes', 10, 'Episodes to play.', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of starts and latents.', lower_bound=0)
_TASK_OPTIONS = flags.DEFINE_string(
  'task_options',
  None,
  'Keyword arguments of the task as JSON, such as {"goal": 0}, on top of those the layer '
  'was trained with on the same task.',
)


def _is_object(text: str | None) -> bool:
  try:
    return text is None or isinstance(json.loads(text), dict)
  except ValueError:
    return False


# Told before TensorFlow is loaded.
flags.register_validator(
  'task_options', _is_object, 'it must be a JSON object, such as {"goal": 0}'
)
_LATENTS = flags.DEFINE_enum(
  'latents',
  None,
  ['mode', 'hold', 'sample', 'command'],
  'Top latent: 0 (mode), drawn once an episode (hold), drawn every step (sample), commands '
  'as in training and 0 behind them (command); by default mode, command for a layer that '
  'takes commands, hold with --plot=skills.',
)
_OUTPUT = flags.DEFINE_string('output', None, 'JSON file for the results.')
_PLOT = flags.DEFINE_enum(
  'plot',
  None,
  ['skills', 'routes'],
  'Picture of the episodes; skills: where held latents lead, and the headings they cover, '
  'or what a layer with a command reaches of what it is told; routes: the ways through '
  'walls to goals.',
)
_PLOT_FILE = flags.DEFINE_string(
  'plot_file', None, 'PNG file for --plot; its kind in the working directory by default.'
)
_VIDEO = flags.DEFINE_string('video', None, 'Film one episode into this .mp4 or .gif.')
_FRAMES = flags.DEFINE_integer(
  'frames',
  1000,
  'Length of the video at most; a frame is an environment step.',
  lower_bound=1,
)


def main() -> None:
  """Plays the episodes and tells what came of them."""
  from latent_hrl import files
  from latent_hrl.environments import maps
  from latent_hrl.environments import tasks
  from latent_hrl.evaluation import command_sweep
  from latent_hrl.evaluation import plots
  from latent_hrl.evaluation import report
  from latent_hrl.evaluation import rollout
  from latent_hrl.evaluation import skills
  from latent_hrl.evaluation import style
  from latent_hrl.evaluation import video
  from latent_hrl.layers import load

  picture = pathlib.Path(_PLOT_FILE.value or f'{_PLOT.value}.png')
  if _OUTPUT.value:
    files.check_output(pathlib.Path(_OUTPUT.value))
  if _PLOT.value:
    style.check_path(picture)
  if _VIDEO.value:
    video.check_path(pathlib.Path(_VIDEO.value))
  asked = json.loads(_TASK_OPTIONS.value or '{}')
  cli.configure_threads()
  layer = load.load_layer(_LAYER.value, untrusted=_UNTRUSTED.value)
  command = layer.manifest.layers[-1].command if _PLOT.value == 'skills' else None
  default = rollout.default_latents(layer)
  if _PLOT.value == 'skills' and command is None:
    default = 'hold'
  latents = _LATENTS.value or default
  protocol = (_SEED.value, latents)
  task_id, options = rollout.task_and_options(layer, _TASK.value, asked)
  maze = None
  if _PLOT.value:
    with contextlib.closing(tasks.make_task(task_id, options=options)) as task:
      skills.check_task(task)
      maze = maps.maze_of(task)
  episodes = rollout.evaluate(
    layer,
    task_id,
    _EPISODES.value,
    *protocol,
    record=_PLOT.value is not None,
    task_options=options,
  )
  result = report.result(layer, task_id, *protocol, episodes, options)
  if command is not None:
    told = command_sweep.sweep(layer, task_id, _SEED.value, options)
    unit = command['entries'][0]['unit']
    result['commands'] = {**command_sweep.summary(told), 'unit': unit}
  elif _PLOT.value == 'skills':
    result['headings'] = skills.headings(episodes)
  print(report.text(result))
  if _OUTPUT.value:
    report.write(result, pathlib.Path(_OUTPUT.value))
    print(f'  results  {_OUTPUT.value}')
  if _PLOT.value:
    title = f'{layer.manifest.name} on {result["task"]}'
    if command is not None:
      plots.command_picture(told, unit, title, picture)
    elif _PLOT.value == 'skills':
      plots.skill_picture(episodes, title, picture)
    else:
      plots.route_picture(episodes, title, picture, maze)
    print(f'  picture  {picture}')
  if _VIDEO.value:
    # Last, since not every machine can: all else is written by now.
    path = pathlib.Path(_VIDEO.value)
    print(f'  filming an episode of at most {_FRAMES.value:,} frames', flush=True)
    frames = video.film(layer, path, task_id, *protocol, _FRAMES.value, options)
    print(f'  video  {path}, {frames:,} frames')


if __name__ == '__main__':
  cli.run(main)
