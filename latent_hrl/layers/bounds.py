"""Bounds of what a graph takes to load: its shapes, its numbers, its calls written out.

TensorFlow believes what a graph says of sizes, and follows inputs and calls to their end.
"""

import graphlib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

# Of a constant and of a variable; a layer's largest weights have some 10,000.
_MAX_ELEMENTS = 2**28
# Numbers in attributes: how many tensors are stacked, axes, masks.
_MAX_ATTRIBUTE = 2**16
# Of one function with all that it calls; three layers have 1,000.
_MAX_OPERATIONS = 2**20

# Yields the functions that attributes name.
NamedFunctions = Callable[[Any], Iterable[str]]


def complaints(meta: Any, named_functions: NamedFunctions) -> Iterator[str]:
  """Tells what would keep TensorFlow busy.

  Args:
    meta: The MetaGraphDef.
    named_functions: Yields the functions that attributes name.
  """
  functions = meta.graph_def.library.function
  for nodes in (meta.graph_def.node, *(function.node_def for function in functions)):
    yield from _cycles(nodes)
    for node in nodes:
      yield from _attributes(node.name, node.attr)
  for function in functions:
    for attributes in (function.attr, *(arg.attr for arg in function.arg_attr.values())):
      yield from _attributes(function.signature.name, attributes)
  for node in meta.object_graph_def.nodes:
    if node.HasField('variable'):
      yield from _shape('a variable', node.variable.shape, unknown=False)
  yield from _calls(functions, named_functions)


def _cycles(nodes: Any) -> Iterator[str]:
  inputs = {
    node.name: [name.lstrip('^').split(':')[0] for name in node.input] for node in nodes
  }
  try:
    graphlib.TopologicalSorter(inputs).prepare()
  except graphlib.CycleError as error:
    yield f'operation {error.args[1][0]!r} waits for itself'


def _attributes(name: str, attributes: Any) -> Iterator[str]:
  for attribute in attributes.values():
    kind = attribute.WhichOneof('value')
    if kind == 'tensor':
      yield from _shape(name, attribute.tensor.tensor_shape, unknown=False)
    elif kind == 'shape':
      yield from _shape(name, attribute.shape)
    elif kind == 'i' and abs(attribute.i) > _MAX_ATTRIBUTE:
      yield f'{name!r} has the number {attribute.i}'
    elif kind == 'list':
      for shape in attribute.list.shape:
        yield from _shape(name, shape)
      for tensor in attribute.list.tensor:
        yield from _shape(name, tensor.tensor_shape, unknown=False)


def _shape(name: str, shape: Any, unknown: bool = True) -> Iterator[str]:
  """Looks at a shape, of which sizes may be unknown, -1, but for what has a value."""
  sizes = [dim.size for dim in shape.dim]
  known = [size for size in sizes if size != -1] if unknown else sizes
  if min(known, default=0) < 0 or math.prod(known) > _MAX_ELEMENTS:
    yield f'{name!r} has the shape {sizes}'
  elif shape.unknown_rank and not unknown:
    yield f'{name!r} has no shape'


def _calls(functions: Any, named_functions: NamedFunctions) -> Iterator[str]:
  """Looks how large each function is with what it calls: a few calls make millions."""
  called = {
    function.signature.name: [
      name for node in function.node_def for name in named_functions(node.attr)
    ]
    for function in functions
  }
  own = {function.signature.name: len(function.node_def) for function in functions}
  try:
    order = tuple(graphlib.TopologicalSorter(called).static_order())
  except graphlib.CycleError as error:
    yield f'function {error.args[1][0]!r} calls itself'
    return
  total: dict[str, int] = {}
  for name in order:
    total[name] = own.get(name, 0) + sum(total[callee] for callee in called.get(name, ()))
    if total[name] > _MAX_OPERATIONS:
      yield f'function {name!r} is too large with what it calls'
      return
