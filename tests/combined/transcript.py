"""Shows the library at work beside torch, Stable-Baselines3, Minari, Ray and Keras 3.

Run from the repository's root, in an environment that has them all (docs/combined.md):

  python -m tests.combined.transcript          # every part, each in a process of its own
  python -m tests.combined.transcript sac      # one part

Each part prints one line with what it saw, and ends non-zero if that is not as it should
be. It is no test of pytest: the project's own environment has none of these libraries.
"""

import ctypes.util
import functools
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYER = ROOT / 'zoo' / 'half_cheetah' / 'base' / 'layer'
TASK = 'HalfCheetah-v5'
DISTRIBUTIONS = (
  *('tensorflow', 'tf-agents', 'torch', 'stable-baselines3', 'minari', 'ray', 'gymnasium'),
  'typing-extensions',
)
# No part takes more than a minute on two idle cores.
TIMEOUT = 600


# A layer in a process of its own: TF-Agents needs Keras 2, and the model here is Keras 3's.
SAVE = """
import pathlib, sys
from latent_hrl.environments import tasks
from tests import helpers
helpers.save_task_layer(pathlib.Path(sys.argv[1]), tasks.make_task('HalfCheetah-v5'))
"""


def _task(layer: Any = None, **options: Any):
  """The task with the layer's latent as its action space; made in worker processes too."""
  import latent_hrl

  layer = latent_hrl.load_layer(LAYER) if layer is None else layer
  return latent_hrl.LatentActionWrapper(latent_hrl.make_task(TASK, **options), layer)


def versions() -> str:
  """All of them import in one process."""
  import latent_hrl  # noqa: I001  first: it selects Keras 2 for TF-Agents
  import minari  # noqa: F401
  import ray  # noqa: F401
  import stable_baselines3  # noqa: F401
  import torch

  latent_hrl.create_agent  # noqa: B018  loads TensorFlow and TF-Agents
  assert float(torch.ones(2).sum()) == 2
  return ', '.join(f'{name} {importlib.metadata.version(name)}' for name in DISTRIBUTIONS)


def sac() -> str:
  """Stable-Baselines3's SAC learns on the layer's latent."""
  import numpy as np
  import stable_baselines3
  import torch

  torch.set_num_threads(1)  # Else its threads and TensorFlow's wait for each other.
  env = _task()
  model = stable_baselines3.SAC('MlpPolicy', env, seed=0, learning_starts=100)
  before = [weights.detach().clone() for weights in model.actor.parameters()]
  model.learn(300)
  moved = max(
    float((new - old).abs().max())
    for new, old in zip(model.actor.parameters(), before, strict=True)
  )
  latent, _ = model.predict(env.reset(seed=0)[0], deterministic=True)
  _, reward, _, _, info = env.step(latent)
  assert moved > 0 and np.isfinite(reward) and env.action_space.contains(latent)
  assert np.all(np.abs(info['action']) <= 1)
  return f'300 steps, weights moved by up to {moved:.3f}, a step pays {reward:.2f}'


def vector() -> str:
  """Four worker processes, each with the layer, step as one environment does."""
  import gymnasium
  import numpy as np

  import latent_hrl

  layer = latent_hrl.load_layer(LAYER)
  make = functools.partial(_task, layer)
  env = gymnasium.vector.AsyncVectorEnv([make] * 4, context='spawn')
  try:
    env.reset(seed=[0, 1, 2, 3])
    latent = np.zeros(env.action_space.shape, np.float32)
    observations, rewards = env.step(latent)[:2]
  finally:
    env.close()
  alone = _task(layer)
  alone.reset(seed=3)
  observation, reward = alone.step(latent[3])[:2]
  np.testing.assert_allclose(observations[3], observation, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(rewards[3], reward, rtol=1e-5, atol=1e-6)
  return f'4 workers, observations {observations.shape}, the last as it is alone'


def video() -> str:
  """RecordVideo writes a film of an environment that has called a layer."""
  import gymnasium
  import imageio.v3 as iio

  found = [name for name in ('EGL', 'OSMesa') if ctypes.util.find_library(name)]
  if not found:
    return 'skipped: no GL library (apt-get install libegl1)'
  os.environ.setdefault('MUJOCO_GL', found[0].lower())
  with tempfile.TemporaryDirectory() as folder:
    env = gymnasium.wrappers.RecordVideo(
      _task(render_mode='rgb_array'),
      folder,
      episode_trigger=lambda _: True,
      video_length=20,
    )
    env.reset(seed=0)
    for _ in range(20):
      env.step(env.action_space.sample())
    env.close()
    [film] = pathlib.Path(folder).glob('*.mp4')
    frames = iio.imread(film)
  assert len(frames) >= 20 and frames.std() > 1
  return f'{len(frames)} frames of {frames.shape[2]} x {frames.shape[1]}'


def keras() -> str:
  """The layer inside a Keras 3 model: `fit` moves the rest, never the layer."""
  import keras
  import numpy as np

  with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / 'layer'
    subprocess.run([sys.executable, '-c', SAVE, path], check=True, cwd=ROOT)
    frozen = keras.layers.TFSMLayer(str(path), call_endpoint='serve')
  rng = np.random.default_rng(0)
  observation = rng.normal(size=(64, 17)).astype(np.float32)
  probe = {'observation': observation, 'latent': np.ones((64, 6), np.float32)}
  before = np.asarray(frozen(probe)['action'])
  losses = {}
  for optimizer in ('sgd', 'adam'):
    seen = keras.Input((17,), name='observation')
    dense = keras.layers.Dense(6)
    action = frozen({'observation': seen, 'latent': dense(seen)})['action']
    model = keras.Model(seen, action)
    model.compile(optimizer, 'mse')
    weights = [np.array(w) for w in dense.get_weights()]
    target = np.zeros((64, 6), np.float32)
    history = model.fit(observation, target, epochs=5, verbose=0).history['loss']
    assert history[-1] < history[0], history
    assert not np.array_equal(dense.get_weights()[0], weights[0])
    assert np.array_equal(frozen(probe)['action'], before), f'{optimizer} moved the layer'
    losses[optimizer] = f'{history[0]:.4f} to {history[-1]:.4f}'
  return f'Keras {keras.__version__}: losses {losses}, layer bit-equal'


def ray() -> str:
  """A Ray worker gets the layer as an argument and decodes what it decodes here."""
  import latent_hrl  # noqa: I001
  import numpy as np
  import ray as ray_lib

  layer = latent_hrl.load_layer(LAYER)
  observation, latent = np.zeros((2, 17), np.float32), np.ones((2, 6), np.float32)
  environment = {'env_vars': {'PYTHONPATH': str(ROOT)}}
  ray_lib.init(num_cpus=1, include_dashboard=False, runtime_env=environment)
  try:
    remote = ray_lib.remote(lambda layer, *inputs: np.asarray(layer.decode(*inputs)))
    there = ray_lib.get(remote.remote(layer, observation, latent))
  finally:
    ray_lib.shutdown()
  np.testing.assert_allclose(there, layer.decode(observation, latent), rtol=1e-5)
  return f'a worker decodes {there.shape} as this process does'


PARTS: dict[str, Callable[[], str]] = {
  part.__name__: part for part in (versions, sac, vector, video, keras, ray)
}


def _run(name: str) -> bool:
  """Runs a part in a process of its own; shows the end of its output if it fails."""
  command = [sys.executable, '-m', 'tests.combined.transcript', name]
  run = functools.partial(subprocess.run, cwd=ROOT, text=True, timeout=TIMEOUT)
  try:
    result = run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, code = result.stdout, result.returncode
  except subprocess.TimeoutExpired:
    output, code = f'no end after {TIMEOUT} s', -1
  lines = output.strip().splitlines()
  shown = [line for line in lines if line.startswith(f'{name}: ')]
  if code:
    print(f'{name}: FAILED (exit {code})', *lines[-20:], sep='\n  ', flush=True)
  else:
    print(*shown, flush=True)
  return code == 0 and len(shown) == 1


def main() -> int:
  names = sys.argv[1:]
  unknown = [name for name in names if name not in PARTS]
  if unknown:
    print(f'there is no part {unknown[0]!r}; there are: {" ".join(PARTS)}', file=sys.stderr)
    return 2
  if len(names) == 1:
    print(f'{names[0]}: {PARTS[names[0]]()}', flush=True)
    return 0
  return 0 if all([_run(name) for name in names or PARTS]) else 1


if __name__ == '__main__':
  sys.exit(main())
