"""Checkpoints with a full replay: how long one stalls training, how long a resume takes.

The replay holds as many rows as its capacity, a million by default, in files of
`TrainingLoop.checkpoint_interval` rows each, as a run leaves them; the task stands in the
middle of an episode.
"""

import pathlib
import tempfile
import time

import latent_hrl  # noqa: F401  prepares TensorFlow  # isort: skip
import numpy as np
from absl import app
from absl import flags

from benchmarks.workers import protocol
from benchmarks.workers import setup
from latent_hrl import config
from latent_hrl import threads
from latent_hrl.plan import settings
from latent_hrl.training import off_policy

_MEASURE = flags.DEFINE_enum('measure', 'save', ['save', 'resume'], 'What to measure.')
_EPISODE = 1000


def _live(learning: off_policy.OffPolicyLearning, rows: int) -> None:
  """Fills the replay with noise: what is in the rows makes no difference to files."""
  rng = np.random.default_rng(0)
  spec = learning.replay.read(0, 1)
  size, dimension = (spec[name].shape[1] for name in ('observations', 'outputs'))
  observation = rng.normal(size=[_EPISODE + 1, size]).astype(np.float32)
  output = rng.normal(size=[_EPISODE, dimension]).astype(np.float32)
  for row in range(rows):
    i = row % _EPISODE
    last = i == _EPISODE - 1 or row == rows - 1
    learning.replay.add(observation[i], output[i], 1.0, 1.0, observation[i + 1], last)


def main(_) -> None:
  """Measures until the input ends."""
  config.load(['gin/half_cheetah.gin'], [])
  threads.configure()
  loop, numbers = settings.LoopConfig(), settings.OffPolicyConfig()
  with tempfile.TemporaryDirectory() as directory:
    root = pathlib.Path(directory)
    learning = setup.learning(root, depth=1)
    env_steps = 0
    while env_steps < _EPISODE // 2:
      env_steps += learning.advance(env_steps)

    def save() -> float:
      nonlocal env_steps
      _live(learning, loop.checkpoint_interval)
      env_steps += loop.checkpoint_interval
      clock = time.perf_counter()
      learning.save(env_steps, {})
      return time.perf_counter() - clock

    def resume() -> float:
      fresh = setup.learning(root, depth=1)
      clock = time.perf_counter()
      if fresh.restore() is None:
        raise RuntimeError('there is no checkpoint')
      elapsed = time.perf_counter() - clock
      fresh.close()
      return elapsed

    for _ in range(-(-numbers.replay_capacity // loop.checkpoint_interval)):
      save()
    protocol.serve(
      save if _MEASURE.value == 'save' else resume, transitions=len(learning.replay)
    )
    learning.close()


if __name__ == '__main__':
  app.run(main)
