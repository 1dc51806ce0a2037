r"""Evaluates a saved layer: episodes, statistics, a JSON file, a video.

  python -m launchers.eval --layer=/tmp/cheetah/layers/base --episodes=10 \
    --output=/tmp/eval.json --video=/tmp/cheetah.mp4

The policy is the mode (top latent 0) unless --latents says otherwise.
"""

import pathlib
import sys

from absl import flags

from latent_hrl import cli

_LAYER = flags.DEFINE_string('layer', None, 'Directory of a saved layer.', required=True)
_TASK = flags.DEFINE_string(
  'task', None, 'Gymnasium id; the task the layer was trained on by default.'
)
_EPISODES = flags.DEFINE_integer('episodes', 10, 'Episodes to play.', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of starts and latents.', lower_bound=0)
_LATENTS = flags.DEFINE_enum(
  'latents',
  'mode',
  ['mode', 'hold', 'sample'],
  'Top latent: 0 (mode), drawn once an episode (hold), drawn every step (sample).',
)
_OUTPUT = flags.DEFINE_string('output', None, 'JSON file for the results.')
_VIDEO = flags.DEFINE_string('video', None, 'Film one episode into this .mp4 or .gif.')


def main() -> None:
  """Plays the episodes and tells what came of them."""
  from latent_hrl.evaluation import report
  from latent_hrl.evaluation import rollout
  from latent_hrl.evaluation import video
  from latent_hrl.layers import load

  if _VIDEO.value:
    video.check_path(pathlib.Path(_VIDEO.value))
  cli.configure_threads()
  layer = load.load_layer(_LAYER.value)
  protocol = (_SEED.value, _LATENTS.value)
  episodes = rollout.evaluate(layer, _TASK.value, _EPISODES.value, *protocol)
  result = report.result(layer, _TASK.value, *protocol, episodes)
  print(report.text(result))
  if _OUTPUT.value:
    report.write(result, pathlib.Path(_OUTPUT.value))
  if _VIDEO.value:
    try:
      video.film(layer, pathlib.Path(_VIDEO.value), _TASK.value, *protocol)
    except video.RenderingUnavailableError as error:
      print(error, file=sys.stderr)


if __name__ == '__main__':
  cli.run(main)
