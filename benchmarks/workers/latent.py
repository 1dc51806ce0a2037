"""This library's trainer: the whole loop, or its updates alone."""

import pathlib
import tempfile

import latent_hrl  # noqa: F401  prepares TensorFlow  # isort: skip
import gin
from absl import app
from absl import flags

from benchmarks.workers import protocol
from latent_hrl import config
from latent_hrl import threads
from latent_hrl.layers import load
from latent_hrl.layers import spec
from latent_hrl.training import settings
from latent_hrl.training import trainer as trainer_lib

_GIN_FILE = flags.DEFINE_string('gin_file', 'gin/half_cheetah.gin', 'The task.')
_ACTOR = flags.DEFINE_enum('actor', 'realnvp', ['realnvp', 'gaussian'], 'The policy.')
_DEPTH = flags.DEFINE_integer('depth', 1, 'Layers; the top one trains, fresh ones below.')
_UPDATES = flags.DEFINE_bool('updates_only', False, 'Whether to leave out collection.')
_SECONDS = flags.DEFINE_float('seconds', 5.0, 'Length of a measurement.')


def _trainer(root: pathlib.Path, depth: int) -> trainer_lib.Trainer:
  """Returns the trainer of the top layer; those below are saved as they start."""
  lower = None
  for level in range(depth):
    layer = spec.Layer(name=f'layer_{level}', env_steps=10**9)
    with gin.config_scope('base'):
      trainer = trainer_lib.Trainer(
        layer,
        settings.TrainerSettings(),
        gin.query_parameter('train_stack.task'),
        lower,
        root,
        seed=level,
      )
    if level < depth - 1:
      trainer.save()
      lower = load.load_layer(root / 'layers' / layer.name)
      trainer.close()
  return trainer


def main(_) -> None:
  """Measures until the input ends."""
  couplings = 0 if _ACTOR.value == 'gaussian' else 2
  bindings = [f'LatentPolicyNetwork.num_couplings = {couplings}']
  config.load([_GIN_FILE.value], [*bindings, 'Trainer.initial_steps = 1000'])
  chosen = threads.configure()
  with tempfile.TemporaryDirectory() as root:
    trainer = _trainer(pathlib.Path(root), _DEPTH.value)
  numbers = settings.TrainerSettings()

  def loop() -> int:
    trainer.advance()
    return numbers.steps_per_call

  def updates() -> int:
    batch = trainer.replay.sample(numbers.steps_per_call, numbers.batch_size)
    trainer.learner.start(batch, numbers.steps_per_call).result()
    return numbers.steps_per_call

  while trainer.env_steps < numbers.initial_steps + 200:
    trainer.advance()
  step = updates if _UPDATES.value else loop
  protocol.serve(
    protocol.rate(step, _SECONDS.value),
    threads=str(chosen),
    replay_bytes_per_row=trainer.replay.nbytes / numbers.replay_capacity,
  )


if __name__ == '__main__':
  app.run(main)
