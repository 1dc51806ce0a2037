"""Time from the command to the end of the first training step, through the launcher.

Runs `launchers.train` with its defaults and ends the process once the first updates of the
run are done. The clock starts where the benchmark starts this process.
"""

import os
import shutil
import sys
import tempfile
import time

from benchmarks.workers import protocol

_STARTED = float(os.environ.get('BENCHMARK_STARTED') or time.time())


def main() -> None:
  """Trains up to the first update."""
  from latent_hrl import cli
  from launchers import train

  cli.import_tensorflow()
  from latent_hrl.training import learner

  start = learner.Learner.start
  root_dir = tempfile.mkdtemp()

  def report(self, batch, count):
    start(self, batch, count).result()
    protocol.send({'value': time.time() - _STARTED, 'peak_mib': protocol.peak_memory()})
    shutil.rmtree(root_dir)
    os._exit(0)

  learner.Learner.start = report  # type: ignore[method-assign]
  sys.argv[1:] = [f'--root_dir={root_dir}', '--gin_file=gin/half_cheetah.gin']
  cli.run(train.main)


if __name__ == '__main__':
  main()
