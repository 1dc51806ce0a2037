"""What came of a benchmark: ratios, a table and a picture."""

import pathlib
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt

from latent_hrl.evaluation import style


class Asked(NamedTuple):
  """A ratio that users look for.

  Attributes:
    label: Name for people.
    group: Where both systems are measured.
    numerator: Key of a system.
    denominator: Key of a system.
    bound: What the ratio should reach.
    is_minimum: Whether more is better.
  """

  label: str
  group: str
  numerator: str
  denominator: str
  bound: float
  is_minimum: bool = True

  @property
  def sign(self) -> str:
    """The relation as a sign."""
    return '≥' if self.is_minimum else '≤'

  def met(self, value: float) -> str:
    """Returns whether a measured ratio meets the bound, in a word."""
    return (
      'yes' if (value >= self.bound if self.is_minimum else value <= self.bound) else 'no'
    )


ASKED = (
  Asked('TF-Agents SAC, times', 'training', 'realnvp', 'tf_agents', 5.0),
  Asked('Stable-Baselines3 SAC, times', 'training', 'realnvp', 'sb3', 3.0),
  Asked('SBX SAC, times', 'training', 'realnvp', 'sbx', 1.6),
  Asked('updates alone, share of the floor', 'training', 'updates', 'floor', 0.55),
  Asked('RealNVP against Gaussian', 'training', 'realnvp', 'gaussian', 0.9),
  Asked('three layers against one', 'depths', 'depth_3', 'depth_1', 0.75),
  Asked(
    "latency of a saved layer, share of PolicySaver's",
    *('latency', 'layer', 'policy_saver', 1 / 3, False),
  ),
)


class Limit(NamedTuple):
  """A time that users wait for, at most.

  Attributes:
    label: Name for people.
    group: Where the system is measured.
    key: Of the system.
    seconds: The bound.
  """

  label: str
  group: str
  key: str
  seconds: float


LIMITS = (
  Limit('seconds from command to first training step', 'first_step', 'first_step', 20.0),
  Limit('seconds of a checkpoint, a million transitions', 'checkpoints', 'save', 1.0),
  Limit('seconds of a resume, a million transitions', 'checkpoints', 'resume', 15.0),
)


def ratios(numerator: Sequence[float], denominator: Sequence[float]) -> list[float]:
  """Returns the ratio of each round: both sides of it had the same minute."""
  return [a / b for a, b in zip(numerator, denominator, strict=True)]


def spread(values: Sequence[float], digits: int = 1) -> str:
  """Returns 'median (least to most)'."""
  low, high = min(values), max(values)
  middle = statistics.median(values)
  return f'{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})'


def text(results: Mapping[str, Mapping[str, dict]], facts: Mapping[str, str]) -> str:
  """Returns the report as Markdown.

  Args:
    results: By group, by system: `label`, `values`, `peak_mib`; `{}` for a group that was
      not measured.
    facts: The machine.
  """
  lines = [
    '# Benchmark',
    '',
    'Every system warmed up, then all measured in turn, round by round. Shown: the median '
    'and, in brackets, the least and the most of the rounds; ratios are taken within a '
    'round. One environment step and one update each, batch 256, two hidden layers of 256.',
    '',
    '; '.join(f'{name} {value}' for name, value in facts.items()),
    '',
    '| ratio | asked | measured | met |',
    '| --- | --- | --- | --- |',
  ]
  for asked in ASKED:
    measured = results.get(asked.group, {})
    if asked.numerator in measured and asked.denominator in measured:
      values = ratios(
        measured[asked.numerator]['values'], measured[asked.denominator]['values']
      )
      lines.append(
        f'| {asked.label} | {asked.sign} {asked.bound:.2f} | {spread(values, 2)} | '
        f'{asked.met(statistics.median(values))} |'
      )
  for limit in LIMITS:
    row = results.get(limit.group, {}).get(limit.key)
    if row:
      met = 'yes' if statistics.median(row['values']) <= limit.seconds else 'no'
      lines.append(
        f'| {limit.label} | ≤ {limit.seconds:.0f} | {spread(row["values"], 2)} | {met} |'
      )
  for group, unit in (
    ('training', 'HalfCheetah-v5: per second'),
    ('depths', 'layers on HalfCheetah-v5: steps per second'),
    ('tasks', 'other tasks: steps per second'),
    ('latency', 'one action: milliseconds'),
  ):
    if results.get(group):
      digits = 3 if group == 'latency' else 1
      lines += [
        '',
        f'| {unit} | median (spread) | peak memory, MiB |',
        '| --- | --- | --- |',
      ]
      lines += [
        f'| {row["label"]} | {spread(row["values"], digits)} | {row["peak_mib"]:,.0f} |'
        for row in results[group].values()
      ]
  told = results.get('training', {})
  if 'floor' in told:
    lines += ['', f'Arithmetic: {told["floor"]["mflop_per_update"]:.0f} MFLOP an update.']
  if 'realnvp' in told:
    row = told['realnvp']
    lines += [
      f'Threads: {row["threads"]}.',
      f'Replay: {row["replay_bytes_per_row"]:.0f} bytes a row.',
    ]
  return '\n'.join(lines) + '\n'


def picture(results: Mapping[str, Mapping[str, dict]], path: pathlib.Path) -> None:
  """Draws the training speeds.

  Args:
    results: As for `text`, with the group `training`.
    path: PNG file to write.
  """
  rows = list(results['training'].items())[::-1]
  figure, axes = plt.subplots(figsize=(7.5, 0.5 * len(rows) + 1.2))
  for i, (key, row) in enumerate(rows):
    middle = statistics.median(row['values'])
    color = {'floor': '0.75', 'updates': '0.6'}.get(key)
    if color is None:
      color = style.COLORS[0 if row['label'].startswith('latent_hrl') else 1]
    error = [[middle - min(row['values'])], [max(row['values']) - middle]]
    axes.barh(i, middle, xerr=error, color=color, height=0.65, ecolor='0.3', capsize=2)
    axes.text(max(row['values']), i, f'  {middle:,.0f}', va='center')
  axes.set_yticks(range(len(rows)), [row['label'] for _, row in rows])
  axes.set_xlabel(
    'environment steps with an update each, per second (HalfCheetah-v5, batch 256)'
  )
  axes.set_title('Training speed, median and spread of the rounds', loc='left')
  axes.spines[['top', 'right']].set_visible(False)
  axes.margins(x=0.12)
  style.save(figure, path)
