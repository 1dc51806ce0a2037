"""What a run ended with, without its clocks: for two runs to be compared bit by bit."""

import json
import pathlib
from typing import Any

import numpy as np


def read(
  root_dir: pathlib.Path,
) -> tuple[list[dict], dict[str, np.ndarray], dict[str, Any]]:
  """Returns metrics rows, and arrays and state of the last checkpoint of every layer."""
  rows = [json.loads(line) for line in (root_dir / 'metrics.jsonl').open()]
  for row in rows:
    row.pop('wall_s')
    row.pop('steps_per_s', None)
  arrays: dict[str, np.ndarray] = {}
  states: dict[str, Any] = {}
  for layer in sorted((root_dir / 'checkpoints').iterdir()):
    last = max(layer.glob('step_*'), key=lambda path: path.name)
    for name in ('agent.npz', 'state.npz'):
      with np.load(last / name) as saved:
        arrays |= {f'{layer.name}/{name}/{key}': saved[key] for key in saved}
    state = json.loads((last / 'state.json').read_text().splitlines()[0])
    # How rows are spread over files depends on when the run was stopped; the first file
    # may begin with some that the replay has no more.
    capacity = state['replay']['capacity']
    chunks = [np.load(layer / 'replay' / chunk['name']) for chunk in state['chunks']]
    for key in chunks[0]:
      rows_kept = np.concatenate([chunk[key] for chunk in chunks])[-capacity:]
      arrays[f'{layer.name}/replay/{key}'] = rows_kept
    for name in ('wall_s', 'chunks', 'sha256'):
      del state[name]
    # It has the digest of the manifest, which has that of SavedModel files: TensorFlow
    # numbers the nodes of a graph by what else the process has made.
    del state['run']['lower']
    states[layer.name] = state
  return rows, arrays, states


def differences(first: pathlib.Path, second: pathlib.Path) -> list[str]:
  """Returns what differs between two runs."""
  found = []
  (rows, arrays, states), (other_rows, other_arrays, other_states) = map(
    read, (first, second)
  )
  if rows != other_rows:
    found.append('metrics.jsonl')
  found += [name for name in states if states[name] != other_states.get(name)]
  for name in sorted(arrays.keys() | other_arrays.keys()):
    both = name in arrays and name in other_arrays
    if not both or not np.array_equal(arrays[name], other_arrays[name]):
      found.append(name)
  return found
