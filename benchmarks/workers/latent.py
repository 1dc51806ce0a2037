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
from latent_hrl.training import build
from latent_hrl.training import draft as draft_lib
from latent_hrl.training import off_policy
from latent_hrl.training import settings

_GIN_FILE = flags.DEFINE_string('gin_file', 'gin/half_cheetah.gin', 'The task.')
_ACTOR = flags.DEFINE_enum('actor', 'realnvp', ['realnvp', 'gaussian'], 'The policy.')
_DEPTH = flags.DEFINE_integer('depth', 1, 'Layers; the top one trains, fresh ones below.')
_UPDATES = flags.DEFINE_bool('updates_only', False, 'Whether to leave out collection.')
_SECONDS = flags.DEFINE_float('seconds', 5.0, 'Length of a measurement.')


def _learning(root: pathlib.Path, depth: int) -> off_policy.OffPolicyLearning:
  """Returns the learning of the top layer; those below are saved as they start."""
  lower = None
  numbers = settings.TrainerSettings()
  for level in range(depth):
    layer = spec.Layer(name=f'layer_{level}', env_steps=10**9)
    layer_dir = root / 'layers' / layer.name
    task_id = gin.query_parameter('train_stack.task')
    with gin.config_scope('base'):
      draft = draft_lib.Draft(
        layer, task_id, lower, layer_dir, seed=level, eval_episodes=numbers.eval_episodes
      )
      learning = build.learning(draft, numbers, root)
    if level < depth - 1:
      draft.save(env_steps=0)
      lower = load.load_layer(layer_dir)
      learning.close()
      draft.close()
  assert isinstance(learning, off_policy.OffPolicyLearning)
  return learning


def main(_) -> None:
  """Measures until the input ends."""
  couplings = 0 if _ACTOR.value == 'gaussian' else 2
  bindings = [f'LatentPolicyNetwork.num_couplings = {couplings}']
  config.load([_GIN_FILE.value], [*bindings, 'Trainer.initial_steps = 1000'])
  chosen = threads.configure()
  with tempfile.TemporaryDirectory() as root:
    learning = _learning(pathlib.Path(root), _DEPTH.value)
  numbers = settings.TrainerSettings()
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
