"""Which layers there are, and where: those that come with the package, and one's own.

The environment variable LATENT_HRL_ZOO names folders of one's own, separated as in PATH;
they come first.
"""

import os
import pathlib

from latent_hrl import errors
from latent_hrl import resources
from latent_hrl.zoo import entry as entry_lib

SCHEME = 'zoo:'
_VARIABLE = 'LATENT_HRL_ZOO'
SHIPPED = resources.ROOT / 'zoo'


def folders() -> list[pathlib.Path]:
  """Returns the folders with layers, the first to look into first."""
  own = os.environ.get(_VARIABLE, '').split(os.pathsep)
  return [*(pathlib.Path(folder).expanduser() for folder in own if folder), SHIPPED]


def entries() -> list[entry_lib.Entry]:
  """Returns all layers of the zoo, by name.

  Raises:
    ConfigError: If an entry is damaged.
  """
  found = {}
  for folder in reversed(folders()):
    for path in folder.glob(f'[!.]*/[!.]*/{entry_lib.FILE}'):
      found[path.parent.relative_to(folder).as_posix()] = path.parent
  return [entry_lib.read(found[name]) for name in sorted(found)]


def find(name: str) -> entry_lib.Entry:
  """Returns a layer of the zoo by its name, with or without `zoo:`.

  Raises:
    ConfigError: If there is none, or its entry is damaged.
  """
  name = str(name).removeprefix(SCHEME)
  if entry_lib.NAME.fullmatch(name):
    for folder in folders():
      if (folder / name / entry_lib.FILE).is_file():
        return entry_lib.read(folder / name)
  names = [f'{SCHEME}{entry.name}' for entry in entries()]
  hint = errors.nearest(SCHEME + name, names) or f'; it has {", ".join(names)}'
  raise errors.ConfigError(f'the zoo has no layer {SCHEME + name!r}{hint}')
