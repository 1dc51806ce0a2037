"""TF-Agents' SAC in its own loop."""

import tempfile

import latent_hrl  # noqa: F401  prepares TensorFlow  # isort: skip
from absl import app
from absl import flags

from benchmarks import tf_agents_examples
from benchmarks import tf_agents_loop
from benchmarks.workers import protocol
from latent_hrl.environments import tasks
from latent_hrl.environments import tf_environment

_TASK = flags.DEFINE_string('task', 'HalfCheetah-v5', 'Gymnasium id.')
_SECONDS = flags.DEFINE_float('seconds', 5.0, 'Length of a measurement.')
_INITIAL_STEPS = 1000


def main(_) -> None:
  """Measures until the input ends."""
  # TensorFlow's own threads: TF-Agents chooses none.
  env = tf_environment.GymnasiumEnvironment(tasks.make_task(_TASK.value))
  with tempfile.TemporaryDirectory() as root:
    example = tf_agents_examples.sac(env)._replace(initial_steps=_INITIAL_STEPS)
    loop = tf_agents_loop.Loop(env, example, root)
    for _ in range(100):
      loop.step()
    protocol.serve(protocol.rate(loop.step, _SECONDS.value))


if __name__ == '__main__':
  app.run(main)
