"""Latency of one action: a saved layer beside a policy saved by TF-Agents' `PolicySaver`.

`layer` is loaded by this library, `signature` (the same layer) and `policy_saver` by
`tf.saved_model.load`; each is called the way its documentation shows. NumPy in, NumPy out.
"""

import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable

import latent_hrl  # noqa: F401  prepares TensorFlow  # isort: skip
import numpy as np
import tensorflow as tf
from absl import app
from absl import flags
from tf_agents.policies import greedy_policy
from tf_agents.policies import policy_saver
from tf_agents.trajectories import time_step as ts

from benchmarks import tf_agents_examples
from benchmarks.workers import protocol
from latent_hrl import config
from latent_hrl import run_directory
from latent_hrl.environments import tasks
from latent_hrl.environments import tf_environment
from latent_hrl.layers import load
from latent_hrl.plan import check
from latent_hrl.plan import layer as layer_lib
from latent_hrl.plan import layer_plan
from latent_hrl.training import build

_SYSTEM = flags.DEFINE_enum(
  'system', 'layer', ['layer', 'signature', 'policy_saver'], 'What to load.'
)
_TASK = 'HalfCheetah-v5'
_CALLS = 500


def _save_layer(root: pathlib.Path) -> pathlib.Path:
  config.load(['gin/half_cheetah.gin'])
  run = run_directory.RunDirectory(root)
  (plan,) = check.check([layer_lib.Layer(name='layer')], _TASK)
  assert isinstance(plan, layer_plan.LayerPlan)
  learning = build.learning(plan, None, run, seed=0)
  learning.close()
  learning.state.save(env_steps=0)
  learning.state.close()
  return run.layer('layer')


def _layer(root: pathlib.Path, observation: np.ndarray) -> Callable[[], np.ndarray]:
  layer = load.load_layer(_save_layer(root))
  return lambda: layer.act(observation[0])


def _signature(root: pathlib.Path, observation: np.ndarray) -> Callable[[], np.ndarray]:
  act = tf.saved_model.load(str(_save_layer(root))).signatures['serving_default']
  return lambda: act(observation=tf.constant(observation))['action'].numpy()


def _policy_saver(root: pathlib.Path, observation: np.ndarray) -> Callable[[], np.ndarray]:
  env = tf_environment.GymnasiumEnvironment(tasks.make_task(_TASK))
  agent = tf_agents_examples.sac(env).agent
  policy = greedy_policy.GreedyPolicy(agent.policy)
  policy_saver.PolicySaver(policy, batch_size=None).save(str(root / 'policy'))
  saved = tf.saved_model.load(str(root / 'policy'))
  return lambda: saved.action(ts.restart(observation, batch_size=1)).action.numpy()


def main(_) -> None:
  """Measures until the input ends: median milliseconds of a call."""
  observation = np.zeros((1, 17), np.float32)
  systems = {'layer': _layer, 'signature': _signature, 'policy_saver': _policy_saver}
  with tempfile.TemporaryDirectory() as root:
    call = systems[_SYSTEM.value](pathlib.Path(root), observation)
    for _ in range(50):
      call()

  def measure() -> float:
    times = []
    for _ in range(_CALLS):
      start = time.perf_counter()
      call()
      times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)

  protocol.serve(measure)


if __name__ == '__main__':
  app.run(main)
