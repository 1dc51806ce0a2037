"""This library's trainer: the whole loop, or its updates alone."""

import pathlib
import tempfile

import latent_hrl  # noqa: F401  prepares TensorFlow  # isort: skip
from absl import app
from absl import flags

from benchmarks.workers import protocol
from benchmarks.workers import setup
from latent_hrl import config
from latent_hrl import threads
from latent_hrl.plan import settings

_GIN_FILE = flags.DEFINE_string('gin_file', 'gin/half_cheetah.gin', 'The task.')
_ACTOR = flags.DEFINE_enum('actor', 'realnvp', ['realnvp', 'gaussian'], 'The policy.')
_DEPTH = flags.DEFINE_integer('depth', 1, 'Layers; the top one trains, fresh ones below.')
_UPDATES = flags.DEFINE_bool('updates_only', False, 'Whether to leave out collection.')
_SECONDS = flags.DEFINE_float('seconds', 5.0, 'Length of a measurement.')


def main(_) -> None:
  """Measures until the input ends."""
  flow = 'gaussian' if _ACTOR.value == 'gaussian' else 'real_nvp'
  bindings = [f'LatentPolicyNetwork.flow = @{flow}()']
  config.load([_GIN_FILE.value], [*bindings, 'OffPolicy.initial_steps = 1000'])
  chosen = threads.configure()
  with tempfile.TemporaryDirectory() as root:
    learning = setup.learning(pathlib.Path(root), _DEPTH.value)
  numbers = settings.OffPolicyConfig()
  env_steps = 0

  def loop() -> int:
    nonlocal env_steps
    steps = learning.advance(env_steps)
    env_steps += steps
    return steps

  def updates() -> int:
    batch = learning.replay.sample(numbers.steps_per_call, numbers.batch_size)
    learning.learner.start(batch, numbers.steps_per_call).result()
    return numbers.steps_per_call

  while env_steps < numbers.initial_steps + 200:
    loop()
  step = updates if _UPDATES.value else loop
  protocol.serve(
    protocol.rate(step, _SECONDS.value),
    threads=str(chosen),
    replay_bytes_per_row=learning.replay.nbytes / numbers.replay_capacity,
  )


if __name__ == '__main__':
  app.run(main)
