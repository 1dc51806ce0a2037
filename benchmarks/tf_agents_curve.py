r"""Learning curves of TF-Agents' agents in TF-Agents' own loop, to lay beside a comparison.

  python -m benchmarks.tf_agents_curve --agent=td3 --output=own_loop_td3.json

Trains with `Actor`, `Learner` and replay of TF-Agents, evaluates by the protocol of this
library (seeds, episodes, mode policy, no reward scaling), and writes the curves as outside
results (docs/comparing.md) after every evaluation: an interrupted run keeps what it has.
"""

import pathlib
import tempfile
import time

import latent_hrl  # noqa: F401  prepares TensorFlow  # isort: skip
import tensorflow as tf
from absl import app
from absl import flags

from benchmarks import tf_agents_examples
from benchmarks import tf_agents_loop
from latent_hrl import threads
from latent_hrl.comparison import curves
from latent_hrl.comparison import outside
from latent_hrl.environments import tasks
from latent_hrl.environments import tf_environment
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import rollout

_OUTPUT = flags.DEFINE_string('output', None, 'JSON file to write.', required=True)
_AGENT = flags.DEFINE_enum(
  'agent', 'sac', list(tf_agents_examples.EXAMPLES), "Which of TF-Agents' examples."
)
_TASK = flags.DEFINE_string('task', 'HalfCheetah-v5', 'Gymnasium id.')
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of the run.', lower_bound=0)
_STEPS = flags.DEFINE_integer('env_steps', 100_000, 'Steps of the run.', lower_bound=1)
_INTERVAL = flags.DEFINE_integer('eval_interval', 10_000, 'Steps between evaluations.')
_EPISODES = flags.DEFINE_integer('eval_episodes', 10, 'Episodes of an evaluation.')
_CORES = flags.DEFINE_integer('cores', None, 'Cores to claim; all by default.')


def main(_) -> None:
  """Trains one seed."""
  print(threads.configure(_CORES.value), flush=True)
  tf.keras.utils.set_random_seed(_SEED.value)
  env = tf_environment.GymnasiumEnvironment(tasks.make_task(_TASK.value), seed=_SEED.value)
  example = tf_agents_examples.EXAMPLES[_AGENT.value](env)
  env_steps = min(example.initial_steps, _STEPS.value)
  example = example._replace(initial_steps=env_steps)
  eval_envs = [tasks.make_task(_TASK.value) for _ in range(_EPISODES.value)]
  steps: list[int] = []
  returns: list[float] = []
  wall_s: list[float] = []
  started = time.perf_counter()

  def evaluate(loop: tf_agents_loop.Loop, env_steps: int) -> None:
    episodes = rollout.run_episodes(
      eval_envs,
      lambda observation, latent, step: loop.act(observation),
      dimension=env.action_spec().shape[0],
      episodes=_EPISODES.value,
      seed=_SEED.value,
    )
    steps.append(env_steps)
    returns.append(episodes_lib.summarize(episodes)['return_mean'])
    wall_s.append(time.perf_counter() - started)
    curve = curves.Curve(steps, returns, wall_s)  # type: ignore[arg-type]
    result = outside.Result(_TASK.value, _TASK.value, curve, seed=_SEED.value)
    found = outside.Outside(
      f'TF-Agents {example.name}, own loop',
      f'python -m benchmarks.tf_agents_curve --agent={_AGENT.value} '
      f'--task={_TASK.value} --seed={_SEED.value}',
      [result],
    )
    outside.write(found, pathlib.Path(_OUTPUT.value))
    print(
      f'{env_steps:,} steps: return {returns[-1]:,.0f}, {wall_s[-1]:,.0f} s', flush=True
    )

  with tempfile.TemporaryDirectory() as root:
    loop = tf_agents_loop.Loop(env, example, root, skip_boundaries=_AGENT.value == 'sac')
    evaluate(loop, env_steps)
    while env_steps < _STEPS.value:
      env_steps += loop.step()
      if env_steps % _INTERVAL.value == 0 or env_steps == _STEPS.value:
        evaluate(loop, env_steps)


if __name__ == '__main__':
  app.run(main)
