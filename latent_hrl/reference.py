"""Writes the reference of all that gin may bind, docs/reference.md, from the code.

python -m latent_hrl.reference > docs/reference.md
"""

import inspect
import re
from typing import Any

from latent_hrl import config
from latent_hrl import parameters

_HEAD = """# Reference: what gin may bind

`make reference` writes this page from the code: each parameter is declared once, with its
default and its range. Scopes bind for one layer alone: `base/create_agent.gamma = 0.98`.

"may be" is what a value has to be. A number in brackets is its sensible range; beyond it a
value is refused with the reason, unless `train_stack.unchecked_ranges = True`. Sources: the
paper, its authors' code, the first prototype of this library, TF-Agents' examples, or
measurements ([method.md](method.md)).
"""
# Sections, and what begins the module of what they hold.
_SECTIONS = (
  ('The stack', ('latent_hrl.training.train_stack', 'latent_hrl.plan.layer')),
  ('Training', ('latent_hrl.plan.',)),
  ('Agents', ('latent_hrl.agents.',)),
  ('Networks and flows', ('latent_hrl.networks.', 'latent_hrl.flows.')),
  ('Rewards', ('latent_hrl.rewards', 'latent_hrl.command')),
  ('Tasks and robots', ('latent_hrl.environments.',)),
)


def markdown() -> str:
  """Returns the page."""
  config.register()
  left = dict(sorted(parameters.REGISTRY.items(), key=lambda item: item[0].lower()))
  left = {name: owner for name, owner in left.items() if owner.module != __name__}
  parts = [_HEAD]
  for title, modules in _SECTIONS:
    owners = [n for n, owner in left.items() if owner.module.startswith(modules)]
    parts.append(f'\n## {title}\n')
    parts += [_table(name, left.pop(name)) for name in owners]
  return ''.join(parts)


def _table(name: str, owner: parameters.Owner) -> str:
  rows = ''.join(_row(parameter) for parameter in owner.parameters.values())
  head = '| parameter | default | may be | what it is |\n| --- | --- | --- | --- |\n'
  table = f'\n{head}{rows}' if rows else ''
  return f'\n### `{name}`\n\n{owner.text}\n{table}'


def _row(parameter: parameters.Parameter) -> str:
  limits = ''
  if parameter.range is not None:
    limits = f' [{parameter.range.low:g}, {parameter.range.high:g}]'
  unit = f' ({parameter.unit})' if parameter.unit else ''
  source = f' *{parameter.source}.*' if parameter.source else ''
  cells = (
    f'`{parameter.name}`',
    _shown(parameter.default) + unit,
    f'{parameter.rule.text}{limits}',
    f'{parameter.text}{source}',
  )
  return '| ' + ' | '.join(cell.replace('|', '\\|') for cell in cells) + ' |\n'


def _shown(default: Any) -> str:
  if default is inspect.Parameter.empty:
    return 'has to be bound'
  named = getattr(default, 'gin_name', None) or getattr(default, '__name__', None)
  if named:
    made = hasattr(default, 'gin_name') and not inspect.isclass(default)
    call = '()' if made else ''
    return f'`@{named}{call}`'
  text = f'{default:_}' if type(default) is int and default >= 10_000 else repr(default)
  return f'`{re.sub(chr(10), " ", text)}`'


if __name__ == '__main__':
  print(markdown(), end='')
