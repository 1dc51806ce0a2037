"""Reads the graph of a saved layer as data: what would run is known before it can.

TensorFlow runs whatever a SavedModel holds, files and Python included. So every operation
of every function is looked up in `operations`, and the objects around them are those of a
layer: variables and functions.
"""

import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.layers import bounds
from latent_hrl.layers import contents
from latent_hrl.layers import interface
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import operations

# What TensorFlow makes of a module, its lists and dictionaries, and its signatures.
_OBJECTS = (
  '_generic_user_object',
  'signature_map',
  'trackable_dict_wrapper',
  'trackable_list_wrapper',
)
# By kind the class that TensorFlow may name to revive an object.
_KINDS = {
  'user_object': '',
  'function': '',
  'bare_concrete_function': '',
  'variable': '',
  'constant': 'tf.TrackableConstant',
}
# They name the operation that starts the graph, for TensorFlow Serving; here a NoOp.
_START_SIGNATURE, _START_COLLECTION = '__saved_model_init_op', 'saved_model_main_op'

# Type and shape of tensors by name.
_Tensors = dict[str, tuple[int, list[int]]]
_FLOAT, _INT, _BOOL = (kind.as_datatype_enum for kind in (tf.float32, tf.int32, tf.bool))


def check(directory: pathlib.Path, content: bytes, manifest: manifest_lib.Manifest) -> None:
  """Checks what a saved layer computes, without loading it.

  Args:
    directory: The saved layer, for the message.
    content: The content of its graph.
    manifest: Its manifest.

  Raises:
    LayerLoadError: If the graph is no layer's, or not that of this manifest.
  """
  try:
    model = saved_model_pb2.SavedModel.FromString(content)
  except Exception:  # Protobuf's DecodeError; that package is TensorFlow's affair.
    raise errors.LayerLoadError(
      directory, f'{contents.GRAPH} is damaged: no SavedModel'
    ) from None
  for complaint in _complaints(model, manifest):
    raise errors.LayerLoadError(directory, f'{contents.GRAPH} is refused: {complaint}')


def _complaints(model: Any, manifest: manifest_lib.Manifest) -> Iterator[str]:
  """Tells what no exported layer has; stops where going on would make no sense."""
  if len(model.meta_graphs) != 1 or not model.meta_graphs[0].HasField('object_graph_def'):
    # TensorFlow would fall back to its loader of version 1, which runs the graph.
    yield 'it is no graph with objects, as TensorFlow 2 saves it'
    return
  (meta,) = model.meta_graphs
  if meta.asset_file_def or meta.collection_def.keys() - {_START_COLLECTION}:
    yield 'it has assets or collections'
  yield from _functions(meta)
  yield from bounds.complaints(meta, _named_functions)
  yield from _objects(meta)
  yield from _signatures(meta, manifest)
  if manifest.format_version >= 3:
    yield from interface.complaints(meta, manifest)


def _functions(meta: Any) -> Iterator[str]:
  """Looks at every operation, and at every function that one names."""
  library = meta.graph_def.library
  names = [function.signature.name for function in library.function]
  if len(names) != len(set(names)):
    yield 'two functions have the same name'
  saver_nodes = {
    name.split(':')[0]
    for name in (meta.saver_def.save_tensor_name, meta.saver_def.restore_op_name)
  }
  top = meta.graph_def.node
  savers = {
    name for node in top if node.name in saver_nodes for name in _named_functions(node.attr)
  }
  callable_names = set(names) - savers
  for node in top:
    yield from _operation(node, 'the graph', operations.TOP_LEVEL)
    may_call = savers if node.name in saver_nodes else callable_names
    yield from _calls(_named_functions(node.attr), may_call)
  for function in library.function:
    name = function.signature.name
    allowed = operations.CHECKPOINT if name in savers else operations.LAYER
    for node in function.node_def:
      yield from _operation(node, name, allowed)
      yield from _calls(_named_functions(node.attr), callable_names)
    yield from _calls(_named_functions(function.attr), callable_names)
    if function.attr.keys() & {'api_implements', 'implements'}:
      yield f'function {name!r} would replace another one'
  for gradient in library.gradient:
    yield from _calls((gradient.function_name, gradient.gradient_func), callable_names)
  for gradient in library.registered_gradients:
    yield from _calls((gradient.gradient_func,), callable_names)
  for concrete in _concrete_functions(meta.object_graph_def):
    yield from _calls((concrete,), callable_names)


def _operation(node: Any, where: str, allowed: frozenset[str]) -> Iterator[str]:
  if node.op not in allowed:
    yield f'{where!r} holds the operation {node.op!r}, which no layer needs'


def _calls(names: Iterable[str], allowed: set[str]) -> Iterator[str]:
  for name in names:
    if name not in allowed:
      yield f'it calls {name!r}, no function of a layer'


def _named_functions(attributes: Any) -> Iterator[str]:
  """Yields the functions that attributes name, those in their own attributes included."""
  for attribute in attributes.values():
    kind = attribute.WhichOneof('value')
    named = {'func': [attribute.func], 'list': attribute.list.func}.get(kind, ())
    for function in named:
      yield function.name
      yield from _named_functions(function.attr)


def _concrete_functions(objects: Any) -> Iterator[str]:
  yield from objects.concrete_functions
  for node in objects.nodes:
    yield from node.function.concrete_functions
    if node.WhichOneof('kind') == 'bare_concrete_function':
      yield node.bare_concrete_function.concrete_function_name


def _objects(meta: Any) -> Iterator[str]:
  """Looks at what TensorFlow would make Python objects of."""
  for node in meta.object_graph_def.nodes:
    kind = node.WhichOneof('kind')
    if kind not in _KINDS:
      yield f'it has an object of the kind {kind!r}'
    elif kind == 'user_object' and node.user_object.identifier not in _OBJECTS:
      yield f'it has an object of the type {node.user_object.identifier!r}'
    elif node.registered_name not in ('', _KINDS[kind]) or node.registered_saver:
      yield f'it has an object of the registered type {node.registered_name!r}'


def _signatures(meta: Any, manifest: manifest_lib.Manifest) -> Iterator[str]:
  """Compares the signatures with what the manifest says of sizes."""
  expected = _expected_signatures(manifest)
  found = {
    name: (_tensors(signature.inputs), _tensors(signature.outputs))
    for name, signature in meta.signature_def.items()
    if name != _START_SIGNATURE
  }
  for name in sorted(expected.keys() | found.keys()):
    if found.get(name) != expected.get(name):
      yield f'signature {name!r} is not as the manifest tells'


def _tensors(infos: Any) -> _Tensors:
  return {
    name: (info.dtype, [dim.size for dim in info.tensor_shape.dim])
    for name, info in infos.items()
  }


def _expected_signatures(
  manifest: manifest_lib.Manifest,
) -> dict[str, tuple[_Tensors, _Tensors]]:
  scalar = (_FLOAT, [-1])
  vector = (_FLOAT, [-1, manifest.dimension])
  observation = {'observation': (_FLOAT, [-1, observations.total_size(manifest.fields)])}
  density = {'latent': vector, 'log_prob': scalar}
  expected = {
    'serving_default': (observation, {'action': vector}),
    'decode': ({**observation, 'latent': vector}, {'action': vector}),
    'encode': ({**observation, 'action': vector}, {**density, 'clipped': (_BOOL, [-1])}),
    'sample': ({**observation, 'seed': (_INT, [2])}, {'action': vector, **density}),
  }
  if manifest.held_outputs and manifest.format_version >= 3:
    held = {'held': (_FLOAT, [-1, manifest.held_outputs, manifest.dimension])}
    expected['act'] = (
      {**observation, 'latent': vector, **held, 'step': (_INT, [-1])},
      {'output': vector, 'action': vector, **held},
    )
  return expected
