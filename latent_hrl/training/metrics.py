"""What a run tells people and programs: metrics.jsonl, curve, TensorBoard, progress."""

import json
import math
import pathlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
import tqdm

from latent_hrl import errors
from latent_hrl import files
from latent_hrl.evaluation import plots

# What every row has.
_KEYS = {'layer', 'env_steps'}


class MetricsLog:
  """`metrics.jsonl` of a run: one JSON object a line, an evaluation each.

  Every row has `layer`, its `task` and `reward`, `env_steps`, `wall_s` (training time of
  the layer, evaluations included) and the measures of `rollout.summarize`; `collect` has
  those of the episodes that were collected since the last row. After updates there are also
  `steps_per_s` and the means of the agent's losses since the last row.
  """

  def __init__(self, root_dir: pathlib.Path, title: str):
    """Opens the log of a run; rows already there stay.

    Args:
      root_dir: Directory of the run.
      title: Title of the learning curve.

    Raises:
      ConfigError: If the file there is no metrics file.
    """
    self._path = root_dir / 'metrics.jsonl'
    self._curve_path = root_dir / 'learning_curve.png'
    self._title = title
    self._rows: list[dict[str, Any]] = []
    self._torn = False
    if self._path.exists():
      try:
        text = self._path.read_text(encoding='utf-8')
        # A killed process may have left half a line.
        lines = text[: text.rfind('\n') + 1].splitlines()
        self._torn = not text.endswith('\n')
        self._rows = [json.loads(line) for line in lines]
        if not all(isinstance(row, dict) and {*row} >= _KEYS for row in self._rows):
          raise ValueError('not a row')
      except ValueError:
        raise errors.ConfigError(
          f'{self._path} is damaged; move it away to start again, or mend it to resume'
        ) from None

  def rows(self, layer: str) -> list[dict[str, Any]]:
    """Returns the rows of a layer."""
    return [row for row in self._rows if row['layer'] == layer]

  def rewind(self, layer: str, env_steps: int) -> None:
    """Drops the rows of a layer beyond a step, which a resumed run writes again."""
    kept = [r for r in self._rows if r['layer'] != layer or r['env_steps'] <= env_steps]
    if len(kept) != len(self._rows) or self._torn:
      self._rows, self._torn = kept, False
      files.write_text(self._path, ''.join(json.dumps(row) + '\n' for row in kept))

  def append(self, row: dict[str, Any]) -> None:
    """Adds a row and draws the curve again. Infinities and NaN are left out."""
    row = {
      key: value
      for key, value in row.items()
      if not (isinstance(value, float) and not math.isfinite(value))
    }
    self._rows.append(row)
    files.append_line(self._path, json.dumps(row))
    plots.learning_curve(self._rows, self._title, self._curve_path)


class TensorBoard:
  """Scalars of a layer as TensorBoard events."""

  def __init__(self, directory: pathlib.Path):
    self._writer = tf.summary.create_file_writer(str(directory))

  def write(self, row: dict[str, Any]) -> None:
    """Writes the numbers of a metrics row at its step."""
    with self._writer.as_default(step=row['env_steps']):
      for key, value in _numbers(row):
        if key != 'env_steps':
          tf.summary.scalar(key, value)
    self._writer.flush()

  def close(self) -> None:
    """Closes the file."""
    self._writer.close()


def _numbers(row: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, float]]:
  """Yields the numbers of a row, those inside others as `terms/speed`."""
  for key, value in row.items():
    if isinstance(value, Mapping):
      yield from _numbers(value, f'{prefix}{key}/')
    elif isinstance(value, int | float):
      yield prefix + key, value


class Progress:
  """A progress bar with steps/s and time left; plain lines where there is no terminal."""

  def __init__(self, layer: str, env_steps: int, done: int):
    """Starts the bar.

    Args:
      layer: Name of the layer.
      env_steps: Steps in all.
      done: Steps already done.
    """
    self._bar = tqdm.tqdm(
      total=env_steps,
      initial=done,
      desc=layer,
      unit='step',
      dynamic_ncols=True,
      mininterval=0.5,
      disable=not sys.stderr.isatty(),
    )

  def advance(self, steps: int) -> None:
    """Moves the bar."""
    self._bar.update(steps)

  def report(self, row: dict[str, Any]) -> None:
    """Tells an evaluation in one line, with the time left."""
    rate = row.get('steps_per_s')
    left = (self._bar.total - row['env_steps']) / rate if rate else None
    goals = f'  success {row["success_rate"]:.0%}' if 'success_rate' in row else ''
    speed = f'  {rate:.0f} steps/s, {tqdm.tqdm.format_interval(left)} left' if rate else ''
    self._bar.write(
      f'{row["layer"]}  step {row["env_steps"]:>9,} / {self._bar.total:,}  '
      f'return {row["return_mean"]:9.1f} ± {row["return_std"]:.1f}{goals}{speed}'
    )
    sys.stdout.flush()

  def close(self) -> None:
    """Ends the bar."""
    self._bar.close()
