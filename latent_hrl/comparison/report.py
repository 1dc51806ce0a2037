"""The report of a comparison: one HTML page that needs nothing else, and Markdown."""

import base64
import dataclasses
import pathlib
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import jinja2

from latent_hrl import files
from latent_hrl.comparison import figures
from latent_hrl.comparison import plan
from latent_hrl.comparison import results as results_lib
from latent_hrl.comparison import tables

_TEMPLATES = pathlib.Path(__file__).with_name('templates')


class Missing(NamedTuple):
  """Something that the report lacks.

  Attributes:
    what: A run or a file.
    why: The reason, in one line.
    log: Path of the run's log, if there is one.
  """

  what: str
  why: str
  log: str = ''


@dataclasses.dataclass(frozen=True)
class Content:
  """What stands in the report.

  Attributes:
    results: The results.
    runs: The runs in the figures.
    missing: What the report lacks.
    command: The command of the comparison.
    commands: The commands of all runs.
  """

  results: results_lib.Results
  runs: Sequence[plan.Run]
  missing: Sequence[Missing]
  command: str
  commands: Sequence[str]


def write(content: Content, root_dir: pathlib.Path) -> list[tables.Table]:
  """Writes `report.html`, `report.md` and `learning_curves.png` and `.svg`.

  Args:
    content: What stands in it.
    root_dir: Where.

  Returns:
    The tables.
  """
  figures.learning_curves(content.results, root_dir / 'learning_curves')
  picture = (root_dir / 'learning_curves.svg').read_bytes()
  shown = tables.all_tables(content.results)
  machines = Counter(
    '; '.join(f'{name} {value}' for name, value in machine.items())
    for run in content.runs
    if (machine := run.machine())
  )
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_TEMPLATES),
    autoescape=lambda name: name is not None and name.startswith('report.html'),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
  )
  environment.filters['md'] = _markdown
  for name in ('report.html', 'report.md'):
    text = environment.get_template(f'{name}.j2').render(
      title=f'{_join([s.name for s in content.results.comparison.systems])} on '
      f'{_join(content.results.comparison.tasks)}',
      content=content,
      comparison=content.results.comparison,
      tables=shown,
      machines=machines,
      picture=base64.b64encode(picture).decode('ascii'),
    )
    files.write_text(root_dir / name, text)
  return shown


def _join(names: Sequence[str]) -> str:
  *others, last = names
  return f'{", ".join(others)} and {last}' if others else last


def _markdown(text: str) -> str:
  """Returns text for a table of Markdown, without a meaning of its own there."""
  for character in '\\`*<|':
    text = text.replace(character, f'\\{character}')
  return ' '.join(text.split())
