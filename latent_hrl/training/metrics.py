"""What a run tells people and programs: metrics.jsonl, curve, TensorBoard, progress."""

import json
import math
import pathlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import imageio.v3 as imageio
import tensorflow as tf
import tqdm
from tensorboard.plugins.hparams import api as hparams_api

from latent_hrl import errors
from latent_hrl import files
from latent_hrl import run_directory
from latent_hrl.evaluation import plots

# What every row has.
_KEYS = {'layer', 'env_steps'}


class MetricsLog:
  """`metrics.jsonl` of a run: one JSON object a line, an evaluation each.

  Every row has `layer`, its `task` and `reward`, `env_steps`, `wall_s` (training time of
  the layer, evaluations included) and the measures of `episodes.summarize`; `collect` has
  those of the episodes that were collected since the last row. After updates there are also
  `steps_per_s` and the means of the agent's losses since the last row.
  """

  def __init__(self, run: run_directory.RunDirectory, title: str):
    """Opens the log of a run; rows already there stay.

    Args:
      run: Directory of the run.
      title: Title of the learning curve.

    Raises:
      ConfigError: If the file there is no metrics file.
    """
    self._path = run.metrics
    self._curve_path = run.curve
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

  @property
  def curve_path(self) -> pathlib.Path:
    """The picture of all layers so far."""
    return self._curve_path

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


# Where TensorBoard shows an entry of a row that is no measure of an evaluation.
_GROUPS = {'wall_s': 'time', 'steps_per_s': 'time', 'terms': 'eval', 'goal_rates': 'eval'}
_EVALUATION = ('return', 'layer_return', 'length', 'episodes', 'success')


class TensorBoard:
  """A layer in TensorBoard: its numbers in groups, its configuration, its learning curve.

  Groups: `eval/`, `collect/`, `losses/` (with entropy, temperature and values) and `time/`.
  """

  def __init__(self, directory: pathlib.Path, settings: Mapping[str, Any], config: str):
    """Opens the events, and tells what the run is.

    Args:
      directory: Where they go.
      settings: What runs are told apart by, for the hparams page: numbers and text.
      config: The operative configuration.
    """
    self._writer = tf.summary.create_file_writer(str(directory))
    with self._writer.as_default(step=0):
      indented = ''.join(f'    {line}\n' for line in config.splitlines())  # As code.
      tf.summary.text('configuration', indented)
      hparams_api.hparams(dict(settings))

  def write(self, row: dict[str, Any], curve: pathlib.Path | None = None) -> None:
    """Writes the numbers of a metrics row at its step, and the picture so far."""
    with self._writer.as_default(step=row['env_steps']):
      for key, value in _numbers(row):
        if key != 'env_steps':
          tf.summary.scalar(_tag(key), value)
      if curve is not None and curve.exists():
        picture = tf.io.decode_png(curve.read_bytes(), channels=3)
        tf.summary.image('learning_curve', picture[tf.newaxis])
    self._writer.flush()

  def film(self, path: pathlib.Path, env_steps: int) -> None:
    """Shows a GIF, which TensorBoard plays."""
    height, width, _ = imageio.imread(path, index=0).shape
    image = tf.compat.v1.Summary.Image(
      height=height, width=width, colorspace=3, encoded_image_string=path.read_bytes()
    )
    value = tf.compat.v1.Summary.Value(tag='film', image=image)
    summary = tf.compat.v1.Summary(value=[value])
    with self._writer.as_default(step=env_steps):
      tf.summary.experimental.write_raw_pb(summary.SerializeToString())
    self._writer.flush()

  def close(self) -> None:
    """Closes the file."""
    self._writer.close()


def _tag(key: str) -> str:
  """Returns the entry of a row in its group, such as `eval/return_mean`."""
  first = key.partition('/')[0]
  if first == 'collect':
    return key
  group = 'eval' if first.startswith(_EVALUATION) else _GROUPS.get(first, 'losses')
  return f'{group}/{key}'


def _numbers(row: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, float]]:
  """Yields the numbers of a row, those inside others as `terms/speed`."""
  for key, value in row.items():
    if isinstance(value, Mapping):
      yield from _numbers(value, f'{prefix}{key}/')
    elif isinstance(value, int | float):
      yield prefix + key, value


class Place(NamedTuple):
  """Where a layer stands among those that a run trains.

  Attributes:
    number: 1 for the first to be trained.
    layers: How many there are.
    steps_above: Environment steps of those that come after it.
  """

  number: int = 1
  layers: int = 1
  steps_above: int = 0


class Progress:
  """A progress bar with steps/s and time left; plain lines where there is no terminal."""

  def __init__(self, layer: str, env_steps: int, done: int, place: Place | None = None):
    """Starts the bar.

    Args:
      layer: Name of the layer.
      env_steps: Steps in all.
      done: Steps already done.
      place: Where the layer stands among others.
    """
    self._place = place or Place()
    of_all = f' ({self._place.number} of {self._place.layers})'
    self._name = layer + (of_all if self._place.layers > 1 else '')
    # Steps and seconds of each advance since the last report.
    self._advances: list[tuple[int, float]] = []
    self._started = False
    self._bar = tqdm.tqdm(
      total=env_steps,
      initial=done,
      desc=self._name,
      unit='step',
      dynamic_ncols=True,
      mininterval=0.5,
      disable=not sys.stderr.isatty(),
    )

  def advance(self, steps: int, seconds: float) -> None:
    """Moves the bar.

    Args:
      steps: Environment steps that were taken.
      seconds: How long they took, with their updates and without evaluation.
    """
    if self._started:  # The very first may have waited for its compiling.
      self._advances.append((steps, seconds))
    self._started = True
    self._bar.update(steps)

  def report(self, row: dict[str, Any], learning: bool) -> None:
    """Tells an evaluation in one line, with the time left.

    Args:
      row: The evaluation, as in `metrics.jsonl`.
      learning: Whether there were updates since the last report; without them the steps
        are so quick that they foretell nothing.
    """
    said = (
      f'{self._name}  step {row["env_steps"]:>9,} / {self._bar.total:,}  '
      f'return {row["return_mean"]:9.1f} ± {row["return_std"]:.1f}'
    )
    own = row.get('layer_return_mean')
    if own is not None and own != row['return_mean']:
      said += f'  layer return {own:9.1f} ± {row["layer_return_std"]:.1f}'
    if 'success_rate' in row:
      said += f'  success {row["success_rate"]:.0%}'
    rate = self._rate() if learning else 0.0
    if rate:
      left = (self._bar.total - row['env_steps']) / rate
      said += f'  {rate:.0f} steps/s, {tqdm.tqdm.format_interval(left)} left'
      if self._place.steps_above:
        all_of_it = tqdm.tqdm.format_interval(left + self._place.steps_above / rate)
        said += f', about {all_of_it} for all layers'
    self._bar.write(said)
    sys.stdout.flush()
    self._advances.clear()

  def _rate(self) -> float:
    """Returns steps a second lately; 0 if there is nothing to tell it from.

    From the last quarter since the last report: the first updates wait for their compiling,
    and the first steps have no updates.
    """
    recent = self._advances[3 * len(self._advances) // 4 :]
    seconds = sum(seconds for _, seconds in recent)
    return sum(steps for steps, _ in recent) / seconds if seconds > 0 else 0.0

  def close(self) -> None:
    """Ends the bar."""
    self._bar.close()
