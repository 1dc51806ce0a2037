r"""Adds to a saved layer of format 1 the SHA-256 of its manifest, which makes it format 2.

  python -m launchers.reseal --layer=runs/cheetah/layers/base

Nothing else changes: the layer computes what it did. Its digest does change. Layers on top
of it go on working, since they hold it, but can't be trained on above it.
"""

import pathlib

from absl import flags

from latent_hrl import cli

flags.adopt_module_key_flags(cli)
_LAYER = flags.DEFINE_string('layer', None, 'Directory of a saved layer.', required=True)


def main() -> None:
  """Checks the layer, seals it, and tells its digests."""
  from latent_hrl.layers import reseal

  before, after = reseal.reseal(pathlib.Path(_LAYER.value).expanduser())
  print(f'{_LAYER.value}: format 2, digest {after}; before {before}')


if __name__ == '__main__':
  cli.run(main)
