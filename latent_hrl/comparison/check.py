"""Finds what is wrong with runs before any starts; the one module here with TensorFlow.

  python -m latent_hrl.comparison.check < REQUESTS

Requests are a JSON list of `{"gin_file", "gin_bindings", "layers"}`; the last line of the
answer is a JSON list with a message, or null, for each.
"""

import json
import sys
from collections.abc import Sequence

import gin

from latent_hrl import config
from latent_hrl import errors
from latent_hrl.plan import check
from latent_hrl.plan import layer as layer_lib


def problem(
  gin_file: str, gin_bindings: Sequence[str], layers: Sequence[str]
) -> str | None:
  """Returns why `launchers.train` would not train these layers; None if it would.

  Args:
    gin_file: The gin file.
    gin_bindings: The gin bindings.
    layers: Names of the layers that get environment steps, bottom first.
  """
  try:
    config.load([gin_file], gin_bindings)
    bound = gin.get_bindings('train_stack')
    stack = bound.get('layers', ())
    stack = [stack] if isinstance(stack, str | layer_lib.Layer) else stack
    trained = [layer.name for layer in stack if isinstance(layer, layer_lib.Layer)]
    if trained != list(layers):
      raise errors.ConfigError(
        f'{gin_file} trains the layers {trained}, System.layers names {list(layers)}'
      )
    if 'task' not in bound:
      raise errors.ConfigError(f'{gin_file} binds no train_stack.task')
    check.check(stack, bound['task'], bound.get('unchecked_ranges', False))
  except errors.LatentHrlError as error:
    return str(error).splitlines()[0]
  except Exception as error:  # Whatever the modules raise that a gin file imports.
    return config.one_line(error)
  return None


if __name__ == '__main__':
  found = [problem(**request) for request in json.load(sys.stdin)]
  print(json.dumps(found), flush=True)
