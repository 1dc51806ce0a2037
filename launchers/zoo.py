r"""Lists, shows and copies the trained layers of the zoo, and adds others.

  python -m launchers.zoo list
  python -m launchers.zoo show ant/base
  python -m launchers.zoo export ant/base --output=ant_base
  python -m launchers.zoo add runs/ant/layers/base --name=ant/base --zoo=zoo \
    --purpose='Walks ahead.' --command='python -m launchers.train ...' --commit=a2ec1cc

A layer is used by its name wherever a path is taken: --layer=zoo:ant/base, load_layer,
train_stack.layers. Folders of your own are named by LATENT_HRL_ZOO. `add` checks the layer,
plays episodes with it, and writes its entry and its card.
"""

import pathlib

from absl import flags

from latent_hrl import cli

flags.adopt_module_key_flags(cli)
_OUTPUT = flags.DEFINE_string('output', None, 'export: the directory to write.')
_NAME = flags.DEFINE_string('name', None, 'add: its name, such as ant/base.')
_ZOO = flags.DEFINE_string('zoo', None, 'add: the folder of the zoo.')
_PURPOSE = flags.DEFINE_string('purpose', None, 'add: what it is for, in one line.')
_COMMAND = flags.DEFINE_string('command', '', 'add: the command that trained it.')
_COMMIT = flags.DEFINE_string('commit', '', 'add: the commit of the code that trained it.')
_LIMITS = flags.DEFINE_multi_string(
  'limits', [], 'add: a sentence to know before standing on it; may be repeated.'
)
_LICENSE = flags.DEFINE_string('license', 'Apache-2.0', 'add: SPDX identifier.')
_EPISODES = flags.DEFINE_integer(
  'episodes', 100, 'add: episodes to evaluate it in.', lower_bound=1
)
_UNTRUSTED = flags.DEFINE_bool(
  'untrusted', True, 'add: whether to load it first in a process with limits.'
)
_REPLACE = flags.DEFINE_bool('replace', False, 'add: whether to replace one of this name.')


def main(words: list[str]) -> None:
  """Does what the first word says."""
  from latent_hrl import errors
  from latent_hrl.zoo import index
  from latent_hrl.zoo import listing

  what = {'list': 0, 'show': 1, 'export': 1, 'add': 1}
  name, *rest = words or ['']
  if len(rest) != what.get(name, -1):
    raise errors.ConfigError(
      'say list, show NAME, export NAME or add DIR'
      + (errors.nearest(name, what) if name and name not in what else '')
    )
  if name == 'list':
    print(listing.table(index.entries()))
  elif name == 'show':
    print(listing.text(index.find(rest[0])))
  else:
    _write(name, rest[0])


def _write(name: str, what: str) -> None:
  """Writes a copy of a layer, or an entry of the zoo."""
  from latent_hrl import errors

  needed = ('output',) if name == 'export' else ('name', 'zoo', 'purpose')
  for flag in needed:
    if not flags.FLAGS[flag].value:
      raise errors.ConfigError(f'{name} needs --{flag}')
  cli.import_tensorflow()
  from latent_hrl.zoo import adding

  if name == 'export':
    adding.export(what, pathlib.Path(_OUTPUT.value or ''))
    print(f'wrote {_OUTPUT.value}')
    return
  told = adding.Told(
    name=_NAME.value or '', purpose=_PURPOSE.value or '', command=_COMMAND.value,
    commit=_COMMIT.value, limits=tuple(_LIMITS.value), license=_LICENSE.value,
  )  # fmt: skip
  entry = adding.add(
    pathlib.Path(what),
    pathlib.Path(_ZOO.value or ''),
    told,
    _EPISODES.value,
    _REPLACE.value,
    _UNTRUSTED.value,
  )
  print(f'added zoo:{entry.name}, {entry.result}: {entry.folder}')


if __name__ == '__main__':
  cli.run(main, tensorflow=False, words=2)
