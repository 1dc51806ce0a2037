"""Saves a layer: SavedModel, manifest and model card, in one directory."""

import dataclasses
import errno
import logging
import pathlib

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.saved_model import fingerprinting_utils

from latent_hrl import files
from latent_hrl import observations
from latent_hrl.layers import contents
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib


def export_layer(
  module: module_lib.LayerModule, manifest: manifest_lib.Manifest, path: pathlib.Path
) -> None:
  """Writes a saved layer, replacing the one at `path`.

  What is written is frozen, whatever the module's variables and those of the layers below
  are: no variable is trainable.

  Args:
    module: The layer on top of its lower layers.
    manifest: What it is; format, versions and digests are filled in here.
    path: The directory.
  """
  module.interface = module_lib.interface(
    manifest.fields, manifest.action_low, manifest.action_high
  )
  with files.replacing_directory(path) as directory:
    # TensorFlow announces each asset it writes.
    logger = logging.getLogger('tensorflow')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
      tf.saved_model.save(module, str(directory), signatures=module.signatures())
      _freeze(directory)
    except tf.errors.OpError as error:  # A full disk, in TensorFlow's words.
      raise OSError(errno.EIO, error.message.splitlines()[0]) from error
    finally:
      logger.setLevel(level)
    (directory / 'README.md').write_text(model_card(manifest), encoding='utf-8')
    (directory / manifest_lib.PATH).parent.mkdir(exist_ok=True)
    complete = dataclasses.replace(
      manifest,
      format_version=manifest_lib.FORMAT_VERSION,
      packages=manifest_lib.package_versions(),
      files=manifest_lib.file_digests(directory),
    )
    (directory / manifest_lib.PATH).write_text(complete.to_json(), encoding='utf-8')


def _freeze(directory: pathlib.Path) -> None:
  """Marks every variable of a SavedModel as not trainable, where it is written.

  The network that acts may be the very one that learns, and layers below come from files
  of other formats: there the variables stay as they are.
  """
  path = directory / contents.GRAPH
  model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
  for node in model.meta_graphs[0].object_graph_def.nodes:
    if node.HasField('variable'):
      node.variable.trainable = False
  path.write_bytes(model.SerializeToString(deterministic=True))
  fingerprinting_utils.write_fingerprint(str(directory))  # That of what is there now.


# Of layers with an interval; what was evaluated holds.
_HELD = """
These decide anew in every call. What was evaluated holds the output of a layer until its
next decision; so does `act`, one environment step at a time: `step`, int32 [B], counts from
the start of the episode, `held`, float32 [B, {held}, {dimension}], is zeros at first.

```python
stepped = layer.signatures['act'](
  observation=observation, latent=latent, held=held, step=step
)
action, held = stepped['action'], stepped['held']
```
"""


# Of layers with a command; `rows` are its entries.
_COMMAND = """
## Command

The first entries of the latent are a command: what the layer was told, and paid for, while
it trained. Hold them for as long as the motion shall last, {held:.0f} steps on average in
training; the other entries are noise, 0 for none.

| entry | asks for | most that is asked for |
| --- | --- | --- |
{rows}

An entry is standard normal under the prior. The larger the command, the more is asked for;
at a size of 3 it is 99% of the most, or more.
"""


def _command(record: manifest_lib.LayerRecord) -> str:
  if record.command is None:
    return ''
  rows = '\n'.join(
    f'| {i} | {entry["name"]} | {entry["scale"]:g} {entry["unit"]} |'
    for i, entry in enumerate(record.command['entries'])
  )
  return _COMMAND.format(rows=rows, held=1 / record.command['redraw_probability'])


def model_card(manifest: manifest_lib.Manifest) -> str:
  """Returns the model card of a layer as Markdown."""
  top = manifest.layers[-1]
  rows = '\n'.join(
    f'| {i} | {record.name} | {record.task} | {_reward(record)} | {record.env_steps:,} | '
    f'{record.interval} | {", ".join(record.reads)} | {_evaluation(record)} |'
    for i, record in enumerate(manifest.layers)
  )
  box = ', '.join(
    f'[{low:g}, {high:g}]'
    for low, high in zip(manifest.action_low, manifest.action_high, strict=True)
  )
  held = ''
  if manifest.held_outputs:
    held = _HELD.format(held=manifest.held_outputs, dimension=manifest.dimension)
  return f"""# Latent space layer `{manifest.name}`

A policy with a latent space for `{top.task}`, trained on the reward {_reward(top)} for
{top.env_steps:,} environment steps (seed {top.seed}). One seed is an anecdote: see the
project's `results/` for what to expect.

| layer | name | task | reward | environment steps | decides every | reads | evaluation |
| --- | --- | --- | --- | --- | --- | --- | --- |
{rows}

Layer 0 acts on the task; the latent of each layer is the action of the next. All layers are
in this directory.

* observation, float32: {observations.describe(manifest.fields)}, concatenated in this order
* latent, float32: [{manifest.dimension}], standard normal under the prior
* action, float32, in the environment's units: {box}
{_command(top)}
## Use

TensorFlow is all it needs:

```python
import tensorflow as tf

layer = tf.saved_model.load('PATH')
action = layer.signatures['serving_default'](observation=observation)['action']
action = layer.signatures['decode'](observation=observation, latent=latent)['action']
```
{held}
Further signatures: `encode` (action to latent and log-probability) and `sample`
(stateless: the same seed gives the same action). A row with an observation or latent that
is not finite, or an action that is NaN, has NaN in its outputs. Latents of saturated
actions, more than 0.999 half-widths from the box's centre, are known to some 3e-3 only: so
much they differ between versions of TensorFlow whose actions agree to 4e-7.

No weight is trainable: in Keras 3, `keras.layers.TFSMLayer('PATH', call_endpoint='serve')`
stays as it is while what is around it learns. A SavedModel is a program: load only what you
trust. `assets/layer.json` lists the SHA-256 of every file.
"""


def _reward(record: manifest_lib.LayerRecord) -> str:
  arguments = ', '.join(f'{key}={value}' for key, value in record.reward_arguments.items())
  return f'`{record.reward}({arguments})`'


def _evaluation(record: manifest_lib.LayerRecord) -> str:
  if 'return_mean' not in record.evaluation:
    return 'none'
  evaluation = record.evaluation
  return (
    f'{evaluation["return_mean"]:,.1f} ± {evaluation["return_std"]:,.1f} '
    f'({evaluation["episodes"]} episodes)'
  )
