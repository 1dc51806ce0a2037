"""Ways to damage a saved layer, each of which has to be refused.

A damage takes the directory of a layer and a random generator, and changes the layer in
place. Some only break it; the forgeries also make the manifest match, as somebody with bad
intentions would.
"""

import json
import os
import pathlib
import random
import shutil
from collections.abc import Callable
from typing import Any

from tensorflow.core.protobuf import saved_model_pb2

from latent_hrl import files
from latent_hrl.layers import manifest as manifest_lib
from tests import helpers

Damage = Callable[[pathlib.Path, random.Random], None]

# Files, printing, Python, hosts, foreign code, sockets, states, loops; and no operation.
FOREIGN_OPERATIONS = (
  'AsString', 'Assert', 'AssignVariableOp', 'Batch', 'CollectiveReduceV2', 'DecodeRaw',
  'DeleteFile', 'EagerPyFunc', 'FixedLengthRecordReaderV2', 'GeneratorDataset',
  'HashTableV2', 'If', 'ImmutableConst', 'InitializeTableFromTextFileV2', 'LoadDataset',
  'MakeIterator', 'MatchingFiles', 'MergeV2Checkpoints', 'MutableHashTableV2', 'NoSuchOp',
  'PlaceholderV2', 'Print', 'PrintV2', 'PyFunc', 'PyFuncStateless', 'QueueEnqueueV2',
  'RandomStandardNormal', 'ReadFile', 'RemoteCall', 'RemoteFusedGraphExecute', 'RestoreV2',
  'RpcCall', 'SaveV2', 'ShardedFilename', 'StatelessWhile', 'TextLineDataset', 'TPUExecute',
  'TPUReplicate', 'While', 'WholeFileReaderV2', 'WriteAudioSummary',
  'WriteFile', 'WriteGraphSummary', 'WriteSummary', 'XlaCallModule', 'XlaCustomCallV2',
  'XlaHostCompute', 'XlaRecvFromHost', 'XlaSendToHost', '_HostSend', '', 'constant',
)  # fmt: skip
PATH_TRICKS = (
  '../README.md', '/etc/passwd', 'assets/../README.md', './README.md', 'variables//x', '..',
  '', '.', '~/x', 'README.md/', 'C:\\x', '..\\x', 'README.md\0', 'a\nb', 'saved_model.cpb',
  'saved_model.pbtxt', 'assets.extra/x', 'debug/saved_model_debug_info.pb', 'train.gin',
)  # fmt: skip


def _files(path: pathlib.Path) -> list[pathlib.Path]:
  return sorted(file for file in path.rglob('*') if file.is_file())


def flip_bit(path: pathlib.Path, rng: random.Random) -> None:
  """Changes one bit of one file."""
  file = rng.choice(_files(path))
  content = bytearray(file.read_bytes())
  content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
  file.write_bytes(content)


def truncate(path: pathlib.Path, rng: random.Random) -> None:
  """Cuts the end of a file off."""
  file = rng.choice(_files(path))
  os.truncate(file, rng.randrange(file.stat().st_size))


def append(path: pathlib.Path, rng: random.Random) -> None:
  """Adds some bytes to a file."""
  with rng.choice(_files(path)).open('ab') as file:
    file.write(rng.randbytes(rng.randint(1, 99)))


def overwrite(path: pathlib.Path, rng: random.Random) -> None:
  """Replaces a part of a file by noise."""
  file = rng.choice(_files(path))
  content = bytearray(file.read_bytes())
  where = rng.randrange(len(content))
  noise = rng.randbytes(rng.randint(4, 64))
  content[where : where + len(noise)] = noise
  file.write_bytes(content)


def remove(path: pathlib.Path, rng: random.Random) -> None:
  """Removes a file or a folder."""
  victim = rng.choice(sorted(path.rglob('*')))
  shutil.rmtree(victim) if victim.is_dir() else victim.unlink()


def add(path: pathlib.Path, rng: random.Random) -> None:
  """Adds a file or a folder."""
  folder = rng.choice([path, path / 'assets', path / 'variables'])
  name = rng.choice(['train.gin', '.hidden', 'saved_model.cpb', 'x', 'x\n\x1b[31m'])
  rng.choice([pathlib.Path.touch, pathlib.Path.mkdir])(folder / name)


def replace(path: pathlib.Path, rng: random.Random) -> None:
  """Puts a link, a folder or a pipe in the place of a file."""
  file = rng.choice(_files(path))
  aside = path.parent / 'aside'
  file.rename(aside)
  kind = rng.choice(['link', 'dangling', 'folder', 'pipe'])
  if kind == 'pipe':
    os.mkfifo(file)
  elif kind == 'folder':
    file.mkdir()
  else:
    file.symlink_to(aside if kind == 'link' else path.parent / 'nowhere')


def swap(path: pathlib.Path, rng: random.Random) -> None:
  """Gives two files each other's name."""
  first, second = rng.sample(_files(path), 2)
  first.rename(path.parent / 'aside')
  second.rename(first)
  (path.parent / 'aside').rename(second)


def enlarge(path: pathlib.Path, rng: random.Random) -> None:
  """Makes a file a terabyte of holes."""
  os.truncate(rng.choice(_files(path)), 2**40)


def forge_path(path: pathlib.Path, rng: random.Random) -> None:
  """Lists a file that lies elsewhere, or that no layer has."""
  content = json.loads((path / manifest_lib.PATH).read_text(encoding='utf-8'))
  name = rng.choice(PATH_TRICKS)
  content['files'][name] = rng.choice(list(content['files'].values()))
  if name in ('train.gin', 'saved_model.cpb', 'saved_model.pbtxt'):
    (path / name).write_text('import os\n', encoding='utf-8')
    content['files'][name] = files.sha256(path / name)
  (path / manifest_lib.PATH).write_text(helpers.sealed(content), encoding='utf-8')


def _nested(levels: int) -> Any:
  value: Any = 1
  for _ in range(levels):
    value = [value]
  return value


def forge_manifest(path: pathlib.Path, rng: random.Random) -> None:
  """Makes the manifest contradict the graph or itself, or puts a wrong value in."""
  content = json.loads((path / manifest_lib.PATH).read_text(encoding='utf-8'))
  places = [content, content['layers'][-1], content['observation_fields'][0]]
  place = rng.choice(places)
  free = ('config', 'packages', 'sha256', 'evaluation', 'task_options')
  key = rng.choice([key for key in place if key not in free])
  values = [None, True, -1, 0.5, 7, 'x', '', [], {}, [1], {'x': 1}, float('nan'), 10**30]
  values += ['../x', '\ud800', float('inf'), _nested(90), [[]], [None]]
  place[key] = rng.choice([value for value in values if value != place[key]])
  (path / manifest_lib.PATH).write_text(helpers.sealed(content), encoding='utf-8')


def break_manifest(path: pathlib.Path, rng: random.Random) -> None:
  """Makes the manifest no JSON, or JSON that says something twice."""
  file = path / manifest_lib.PATH
  text = file.read_text(encoding='utf-8')
  broken = [
    text.replace('{', '{"name": "base",', 1),
    text.replace('"depth": 1', '"depth": 1, "depth": 1'),
    text.replace('-2.0', 'NaN'),
    text.replace('-2.0', '-Infinity'),
    text.replace('-2.0', '1e999'),
    text.replace('"config":', '"surprise": 1, "config":'),
    text + ' ',
    '\ufeff' + text,
    '[' * 100_000,
    text.replace('"seed": 0', '"seed": ' + '9' * 5000),
  ]
  content = rng.choice(broken).encode()
  if rng.random() < 0.1:
    content = content.replace(b'base', b'b\xffse', 1)
  file.write_bytes(content)


def edit_graph(path: pathlib.Path, edit: Callable[[Any], None]) -> None:
  """Changes the graph, and makes the manifest match.

  Args:
    path: The layer.
    edit: Changes the SavedModel proto in place.
  """
  file = path / 'saved_model.pb'
  model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
  edit(model)
  file.write_bytes(model.SerializeToString())
  helpers.claim(path)


def plant_operation(
  path: pathlib.Path, operation: str, rng: random.Random | None = None
) -> None:
  """Plants an operation in some function of the layer, or in the graph around them.

  Args:
    path: The layer.
    operation: Its name.
    rng: Chooses the place; None for the first function.
  """

  def edit(model):
    graph, savers = model.meta_graphs[0].graph_def, _savers(model)
    places = [f.node_def for f in graph.library.function if f.signature.name not in savers]
    place = rng.choice([*places, graph.node]) if rng else places[0]
    if rng and rng.random() < 0.3:  # In place of what was there.
      rng.choice(place).op = operation
    else:
      place.add(name='planted', op=operation)

  edit_graph(path, edit)


def plant(path: pathlib.Path, rng: random.Random) -> None:
  """Plants an operation that no layer needs, somewhere in the graph."""
  plant_operation(path, rng.choice(FOREIGN_OPERATIONS), rng)


def plant_file_writer(path: pathlib.Path, target: pathlib.Path) -> None:
  """Makes `decode` write a file when it is called."""

  def edit(model):
    for function in model.meta_graphs[0].graph_def.library.function:
      if '_decode_' not in function.signature.name:
        continue
      for name, text in (('planted_name', str(target)), ('planted_text', 'written')):
        constant = function.node_def.add(name=name, op='Const')
        constant.attr['dtype'].type = 7  # DT_STRING
        constant.attr['value'].tensor.dtype = 7
        constant.attr['value'].tensor.tensor_shape.SetInParent()
        constant.attr['value'].tensor.string_val.append(text.encode())
      function.node_def.add(
        name='planted',
        op='WriteFile',
        input=['planted_name:output:0', 'planted_text:output:0'],
      )
      function.control_ret['planted'] = 'planted'
      function.signature.control_output.append('planted')
      function.signature.is_stateful = True

  edit_graph(path, edit)


def _savers(model: Any) -> list[str]:
  names = (f.signature.name for f in model.meta_graphs[0].graph_def.library.function)
  return [name for name in names if '_traced_' in name]


def _some_call(model: Any) -> Any:
  functions = model.meta_graphs[0].graph_def.library.function
  calls = (node for f in functions for node in f.node_def if 'PartitionedCall' in node.op)
  return next(calls).attr['f'].func


def _some_object(model: Any, kind: str) -> Any:
  nodes = model.meta_graphs[0].object_graph_def.nodes
  return next(node for node in nodes if node.HasField(kind))


def _two_functions_of_a_name(model):
  functions = model.meta_graphs[0].graph_def.library.function
  functions.add().CopyFrom(functions[0])


def _a_call_of_the_saver(model):
  _some_call(model).name = _savers(model)[0]


def _a_call_of_the_saver_deep_in_an_attribute(model):
  call = _some_call(model)
  outer = call.attr['g'].list.func.add(name=call.name)
  outer.attr['h'].func.name = _savers(model)[0]


def _the_saver_as_an_object(model):
  node = _some_object(model, 'bare_concrete_function')
  node.bare_concrete_function.concrete_function_name = _savers(model)[0]


def _the_saver_as_a_method(model):
  _some_object(model, 'function').function.concrete_functions[0] = _savers(model)[0]


def _the_saver_as_a_gradient(model):
  library = model.meta_graphs[0].graph_def.library
  name = library.function[0].signature.name
  library.gradient.add(function_name=name, gradient_func=_savers(model)[0])


def _the_saver_as_a_registered_gradient(model):
  library = model.meta_graphs[0].graph_def.library
  library.registered_gradients.add(gradient_func=_savers(model)[0], registered_op_type='x')


def _a_call_of_no_function(model):
  _some_call(model).name = 'nowhere'


def _a_function_for_another(model):
  function = model.meta_graphs[0].graph_def.library.function[0]
  function.attr['api_implements'].s = b'decode'


def _an_asset(model):
  model.meta_graphs[0].asset_file_def.add(filename='layer.json').tensor_info.name = 'x'


def _an_object_that_is_an_asset(model):
  _some_object(model, 'variable').asset.asset_file_def_index = 0


def _an_object_that_is_a_resource(model):
  _some_object(model, 'variable').resource.device = '/cpu:0'


def _an_object_of_nothing(model):
  _some_object(model, 'variable').ClearField('variable')


def _a_registered_object(model):
  _some_object(model, 'variable').registered_name = 'Custom.Thing'


def _a_registered_saver(model):
  _some_object(model, 'variable').registered_saver = 'Custom.Saver'


def _an_optimizer(model):
  _some_object(model, 'user_object').user_object.identifier = 'optimizer'


def _a_collection(model):
  collections = model.meta_graphs[0].collection_def
  collections['asset_filepaths'].node_list.value.append('x')


def _no_objects(model):
  model.meta_graphs[0].ClearField('object_graph_def')


def _two_graphs(model):
  model.meta_graphs.add().CopyFrom(model.meta_graphs[0])


def _no_graph(model):
  model.ClearField('meta_graphs')


def _another_size(model):
  signature = model.meta_graphs[0].signature_def['decode']
  signature.inputs['latent'].tensor_shape.dim[1].size += 1


def _another_type(model):
  model.meta_graphs[0].signature_def['sample'].inputs['seed'].dtype = 9


def _a_signature_less(model):
  del model.meta_graphs[0].signature_def['encode']


def _a_signature_more(model):
  signatures = model.meta_graphs[0].signature_def
  signatures['extra'].CopyFrom(signatures['encode'])


def _const(nodes: Any, name: str, shape: list[int]) -> None:
  node = nodes.add(name=name, op='Const')
  node.attr['dtype'].type = node.attr['value'].tensor.dtype = 1  # DT_FLOAT
  node.attr['value'].tensor.float_val.append(1.0)
  for size in shape:
    node.attr['value'].tensor.tensor_shape.dim.add(size=size)


def _a_negative_constant(model):
  _const(model.meta_graphs[0].graph_def.node, 'planted', [-5])


def _an_enormous_constant(model):
  _const(model.meta_graphs[0].graph_def.library.function[0].node_def, 'planted', [10**11])


def _an_unknown_weight(model):
  _some_object(model, 'variable').variable.shape.dim[0].size = -1


def _an_enormous_weight(model):
  _some_object(model, 'variable').variable.shape.dim[0].size = 10**12


def _a_placeholder_of_a_negative_size(model):
  nodes = model.meta_graphs[0].graph_def.node
  shapes = [node.attr['shape'].shape for node in nodes if node.op == 'Placeholder']
  next(shape for shape in shapes if shape.dim).dim[0].size = -5


def _millions_of_results(model):
  nodes = model.meta_graphs[0].graph_def.library.function[0].node_def
  _const(nodes, 'planted', [1])
  split = nodes.add(name='split', op='Unpack', input=['planted:output:0'])
  split.attr['T'].type = 1
  split.attr['num'].i = 2**31 - 1


def _an_operation_that_waits_for_itself(model):
  nodes = model.meta_graphs[0].graph_def.node
  nodes.add(name='first', op='Identity', input=['second']).attr['T'].type = 1
  nodes.add(name='second', op='Identity', input=['first']).attr['T'].type = 1


def _a_function_that_calls_itself(model):
  for function in model.meta_graphs[0].graph_def.library.function:
    for node in function.node_def:
      if 'PartitionedCall' in node.op:
        node.attr['f'].func.name = function.signature.name
        return


def _calls_that_double_and_double(model):
  functions = model.meta_graphs[0].graph_def.library.function
  for i in range(40):
    function = functions.add()
    function.signature.name = f'doubled_{i}'
    for name in ('once', 'twice'):
      node = function.node_def.add(name=name, op='PartitionedCall' if i else 'NoOp')
      if i:
        node.attr['f'].func.name = f'doubled_{i - 1}'


GRAPH_FORGERIES = (
  _two_functions_of_a_name, _a_call_of_the_saver, _a_call_of_the_saver_deep_in_an_attribute,
  _the_saver_as_an_object, _the_saver_as_a_method, _the_saver_as_a_gradient,
  _the_saver_as_a_registered_gradient, _a_call_of_no_function, _a_function_for_another,
  _an_asset, _an_object_that_is_an_asset, _an_object_that_is_a_resource,
  _an_object_of_nothing, _a_registered_object, _a_registered_saver, _an_optimizer,
  _a_collection, _no_objects, _two_graphs, _no_graph, _another_size, _another_type,
  _a_signature_less, _a_signature_more, _a_negative_constant, _an_enormous_constant,
  _an_unknown_weight, _an_enormous_weight, _a_placeholder_of_a_negative_size,
  _millions_of_results, _an_operation_that_waits_for_itself, _a_function_that_calls_itself,
  _calls_that_double_and_double,
)  # fmt: skip


def forge_graph(path: pathlib.Path, rng: random.Random) -> None:
  """Changes what is around the operations: calls, objects, signatures, graphs."""
  edit_graph(path, rng.choice(GRAPH_FORGERIES))


DAMAGES: dict[str, Damage] = {
  damage.__name__: damage
  for damage in (
    flip_bit, truncate, append, overwrite, remove, add, replace, swap, enlarge,
    forge_path, forge_manifest, break_manifest, plant, forge_graph,
  )
}  # fmt: skip
