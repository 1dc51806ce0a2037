"""What a graph tells of itself, from format 3 on: its function `interface`.

It is read as data and never called: constants of a function without inputs.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from latent_hrl.layers import manifest as manifest_lib

NAME = 'interface'


def complaints(meta: Any, manifest: manifest_lib.Manifest) -> Iterator[str]:
  """Compares what the graph tells of action box and fields with the manifest.

  Args:
    meta: The MetaGraphDef, without cycles.
    manifest: The manifest of its layer.
  """
  try:
    told = _constants(meta)
  except (KeyError, IndexError, ValueError, TypeError):
    yield f'its function {NAME!r} is none that returns constants'
    return
  for name, expected in _expected(manifest).items():
    found = told.get(name)
    if (
      found is None or found.dtype != expected.dtype or not np.array_equal(found, expected)
    ):
      yield f'it contradicts the manifest on {name}'


def _expected(manifest: manifest_lib.Manifest) -> dict[str, np.ndarray]:
  names = [field.name.encode() for field in manifest.fields]
  return {
    'action_low': np.array(manifest.action_low, np.float32),
    'action_high': np.array(manifest.action_high, np.float32),
    'fields': np.array(names, object),
    'sizes': np.array([field.size for field in manifest.fields], np.int32),
  }


def _constants(meta: Any) -> dict[str, np.ndarray]:
  """Returns the outputs by name; raises KeyError or ValueError if they are no constants."""
  objects = meta.object_graph_def
  children = {child.local_name: child.node_id for child in objects.nodes[0].children}
  (name,) = objects.nodes[children[NAME]].function.concrete_functions
  (function,) = (f for f in meta.graph_def.library.function if f.signature.name == name)
  nodes = {node.name: node for node in function.node_def}

  def constant(source: str) -> np.ndarray:
    node = nodes[source.split(':')[0]]
    while node.op == 'Identity':
      node = nodes[node.input[0].split(':')[0]]
    if node.op != 'Const':
      raise ValueError(f'a result of {node.op}')
    return tf.make_ndarray(node.attr['value'].tensor)

  # TensorFlow lists the entries of a dictionary in the order of their names.
  keys = sorted(objects.concrete_functions[name].output_signature.dict_value.fields)
  sources = [function.ret[output.name] for output in function.signature.output_arg]
  return {key: constant(source) for key, source in zip(keys, sources, strict=True)}
