"""A layer saved earlier still loads and says the same, by TensorFlow alone."""

import subprocess
import sys

from latent_hrl import config
from latent_hrl.layers import load

LAYER = config.PROJECT_ROOT / 'testdata' / 'multi_goal_base'


def test_tensorflow_alone_repeats_the_recorded_outputs():
  script = config.PROJECT_ROOT / 'testdata' / 'check_layer.py'
  finished = subprocess.run(
    [sys.executable, str(script), str(LAYER)], capture_output=True, text=True, check=False
  )

  assert finished.returncode == 0, finished.stdout + finished.stderr
  assert 'sample.action' in finished.stdout


def test_its_manifest_is_read():
  manifest = load.check(LAYER)

  assert (manifest.name, manifest.task) == ('base', 'latent_hrl/MultiGoal-v0')
  assert manifest.fields == (('position', 2),)
