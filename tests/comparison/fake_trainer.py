"""Stands in for `launchers.train`: rows of metrics in a moment, and a resume that counts.

  python fake_trainer.py --root_dir=DIR ... --seed=N

It reads what it is to do from the gin bindings of the plan. The return at a step depends on
task, seed and step alone, as that of a trainer whose resume is exact.
"""

import argparse
import json
import pathlib
import re
import sys
import time


def main() -> None:
  parser = argparse.ArgumentParser()
  parser.add_argument('--root_dir', type=pathlib.Path)
  parser.add_argument('--gin_file')
  parser.add_argument('--gin_bindings', action='append', default=[])
  parser.add_argument('--seed', type=int)
  parser.add_argument('--cores')
  flags = parser.parse_args()
  bindings = '\n'.join(flags.gin_bindings)
  task = re.search('train_stack.task = "(.*)"', bindings).group(1)
  layers = re.findall(r'(\w+)/Layer.env_steps = (\d+)', bindings)
  pause = float((re.findall(r'pause = (.*)', bindings) or ['0'])[0])
  with (flags.root_dir / 'starts.txt').open('a') as file:
    file.write('start\n')
  if f'broken_seed = {flags.seed}' in bindings:
    print('all is well')
    sys.exit('error: the ground gave way')
  metrics = flags.root_dir / 'metrics.jsonl'
  text = metrics.read_text() if metrics.exists() else ''
  lines = [line for line in text.splitlines(keepends=True) if line.endswith('\n')]
  metrics.write_text(''.join(lines))  # What was cut off in the middle is written again.
  done = {(row['layer'], row['env_steps']) for row in map(json.loads, lines)}
  for depth, (layer, steps) in enumerate(layers):
    for step in range(0, int(steps) + 1, 100):
      if (layer, step) in done:
        continue
      time.sleep(pause)
      row = {
        'layer': layer,
        'task': task,
        'env_steps': step,
        'wall_s': step / 50,
        'return_mean': step * (1 + flags.seed) + 1000 * depth,
      }
      with metrics.open('a') as file:
        file.write(json.dumps(row) + '\n')


if __name__ == '__main__':
  main()
