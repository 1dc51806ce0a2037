"""The zoo for people: a table of all layers, and what there is to tell of one."""

from collections.abc import Sequence

from latent_hrl.zoo import entry as entry_lib

_COLUMNS = ('name', 'task', 'layers', 'steps', 'return', 'size')


def table(entries: Sequence[entry_lib.Entry]) -> str:
  """Returns one line a layer, in columns."""
  rows = [_COLUMNS, *map(_row, entries)]
  widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
  lines = [
    '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for row in rows
  ]
  return '\n'.join(lines)


def _row(entry: entry_lib.Entry) -> tuple[str, ...]:
  return (
    f'zoo:{entry.name}',
    entry.task,
    str(entry.depth),
    f'{sum(entry.env_steps):,}',
    entry.result,
    size(entry),
  )


def size(entry: entry_lib.Entry) -> str:
  """Returns the size of its layer, such as `0.8 MB`."""
  return f'{entry.size / 1e6:.1f} MB'


def text(entry: entry_lib.Entry) -> str:
  """Returns what the entry tells, a line each."""
  return '\n'.join(f'{name:<12}{value}' for name, value in facts(entry).items())


def facts(entry: entry_lib.Entry) -> dict[str, str]:
  """Returns what the entry tells, as text by name."""
  box = zip(entry.action_low, entry.action_high, strict=True)
  intervals = '' if entry.interval == 1 else f', it decides every {entry.interval} steps'
  return {
    'name': f'zoo:{entry.name}',
    'for': entry.purpose,
    'task': f'{entry.task} {entry.task_options or ""}'.strip(),
    'layers': ' < '.join(entry.layers) + intervals,
    'steps': ' + '.join(f'{steps:,}' for steps in entry.env_steps),
    'seeds': ', '.join(map(str, entry.seeds)),
    'reads': ', '.join(entry.reads),
    'action box': ', '.join(f'[{low:g}, {high:g}]' for low, high in box),
    'return': f'{entry.result} ({entry.evaluation["episodes"]} episodes)',
    'commit': entry.commit or 'not told',
    'command': entry.command or 'not told',
    'sha256': entry.sha256,
    'size': size(entry),
    'license': entry.license,
    'path': str(entry.path),
    'card': str(entry.card),
  }


def page(entries: Sequence[entry_lib.Entry]) -> str:
  """Returns the page of all layers as Markdown."""
  rows = '\n'.join(
    f'| [{entry.name}]({entry.name}/{entry_lib.CARD}) | {entry.purpose} | {entry.task} | '
    f'{" < ".join(entry.layers)} | {sum(entry.env_steps):,} | {entry.result} | '
    f'{size(entry)} |'
    for entry in entries
  )
  return f"""# The zoo

Trained layers by name: `latent_hrl.load_layer('zoo:NAME')`, `--layer=zoo:NAME`,
`train_stack.layers = ['zoo:NAME', ...]`. How to use and to add them:
[docs/zoo.md](../docs/zoo.md). `python -m launchers.zoo add` writes this page.

| name | what it is for | task | layers | steps | return | size |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
"""
