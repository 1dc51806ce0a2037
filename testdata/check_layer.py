r"""Checks a saved layer against recorded outputs, with TensorFlow and NumPy alone.

  python testdata/check_layer.py LAYER            compares with LAYER.npz beside it
  python testdata/check_layer.py LAYER --record   writes LAYER.npz

Runs in any environment that has TensorFlow, of another version too; needs nothing of this
project. Exits with 1 if an action differs by more than 1e-5.
"""

import argparse
import sys

import numpy as np
import tensorflow as tf

TOLERANCE = 1e-5
_ROWS = 32


def outputs(path: str) -> dict[str, np.ndarray]:
  """Returns what every signature of a layer says of fixed inputs."""
  signatures = tf.saved_model.load(path).signatures
  _, inputs = signatures['decode'].structured_input_signature
  rng = np.random.default_rng(0)
  observation, latent = (
    tf.constant(rng.normal(size=(_ROWS, inputs[name].shape[1])), tf.float32)
    for name in ('observation', 'latent')
  )
  action = signatures['decode'](observation=observation, latent=latent)['action']
  results = {
    'serving_default': signatures['serving_default'](observation=observation),
    'decode': {'action': action},
    'encode': signatures['encode'](observation=observation, action=action),
    'sample': signatures['sample'](
      observation=observation, seed=tf.constant([3, 5], tf.int32)
    ),
  }
  return {
    f'{name}.{key}': value.numpy()
    for name, result in results.items()
    for key, value in result.items()
  }


def main() -> int:
  """Records or compares."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('layer', help='directory of a saved layer')
  parser.add_argument('--record', action='store_true', help='write instead of compare')
  arguments = parser.parse_args()
  foreign = {'latent_hrl', 'tf_agents', 'tensorflow_probability'} & sys.modules.keys()
  if foreign:
    print(f'not with TensorFlow alone: {sorted(foreign)} imported')
    return 1
  found = outputs(arguments.layer)
  recording = arguments.layer.rstrip('/') + '.npz'
  if arguments.record:
    np.savez(recording, **found)
    return 0
  worst = 0.0
  with np.load(recording, allow_pickle=False) as expected:
    for name in expected.files:
      difference = np.max(np.abs(found[name].astype(float) - expected[name].astype(float)))
      worst = max(worst, float(difference) if name.endswith('action') else 0.0)
      print(f'TensorFlow {tf.__version__}  {name:24}  largest difference {difference:.1e}')
  print(f'actions agree to {worst:.1e}, {TOLERANCE:.0e} allowed')
  return 0 if worst <= TOLERANCE else 1


if __name__ == '__main__':
  sys.exit(main())
