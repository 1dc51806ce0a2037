"""Loads a saved layer, after checking that it is intact and does what a layer does."""

import dataclasses
import pathlib
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from latent_hrl import console
from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.layers import box
from latent_hrl.layers import contents
from latent_hrl.layers import graph
from latent_hrl.layers import inputs
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib
from latent_hrl.layers import policy as policy_lib
from latent_hrl.layers import rehearsal
from latent_hrl.layers import weights
from latent_hrl.zoo import index as zoo_index


class SavedLayer:
  """A saved layer in memory, with its frozen lower layers.

  Attributes:
    path: Where it was loaded from.
    manifest: What it is.
    digest: SHA-256 of its manifest, which covers every other file.
    module: The SavedModel, with `forward` and `inverse` for the layer above, and with `act`
      where a layer has an interval.

  Pickled, it is its absolute path and its digest: the process where it arrives loads it
  from there, checked, and raises LayerLoadError if another layer is there by then.
  """

  def __init__(
    self, path: pathlib.Path, manifest: manifest_lib.Manifest, module: Any, digest: str
  ):
    self.path = path
    self.manifest = manifest
    self.digest = digest
    self.module = module
    self._origin = path.absolute()  # The working directory may change.
    self._act_once: Callable[..., tf.Tensor] | None = None

  def __reduce__(self) -> tuple[Any, ...]:
    return load_again, (self._origin, self.digest)

  @property
  def fields(self) -> observations.Fields:
    """Observation fields of the stack, in order."""
    return self.manifest.fields

  @property
  def dimension(self) -> int:
    """D, the size of latent and action."""
    return self.manifest.dimension

  def records(self) -> tuple[manifest_lib.LayerRecord, ...]:
    """Returns the records of all its layers, for the manifest of a layer above."""
    *below, top = self.manifest.layers
    return (*below, dataclasses.replace(top, digest=self.digest))

  # What these take: numbers of any width, in arrays, lists or tensors; a batch, or one
  # observation without a batch dimension, and then the answer has none either.

  def decode(self, observation: ArrayLike, latent: ArrayLike) -> np.ndarray:
    """Returns the actions of latents.

    Args:
      observation: [B, O], or [O] for one.
      latent: [B, D], or [D] for one.

    Returns:
      float32 [B, D], or [D] for one, in the environment's units.

    Raises:
      InputError: If a shape does not fit, or an entry is not finite.
    """
    observed = inputs.observation(observation, self.fields)
    latents = inputs.latent(latent, self.dimension, observed)
    return self._run(self.module.decode, observed, latents)['action']

  def mode(self, observation: ArrayLike) -> np.ndarray:
    """Returns the mode's actions: those of latent 0.

    Args:
      observation: [B, O], or [O] for one.

    Returns:
      float32 [B, D], or [D] for one, in the environment's units.

    Raises:
      InputError: If the shape does not fit, or an entry is not finite.
    """
    observed = inputs.observation(observation, self.fields)
    return self._run(self.module.serving_default, observed)['action']

  def encode(self, observation: ArrayLike, action: ArrayLike) -> dict[str, np.ndarray]:
    """Returns the latents of actions.

    An action beyond the box or at its boundary is moved inside. Close to it a latent is
    known less well than an action: where tanh saturates (more than 0.999 half-widths from
    the centre), latents of the same action differed by up to 3e-3 between versions of
    TensorFlow that agreed to 4e-7 on actions.

    Args:
      observation: [B, O], or [O] for one.
      action: [B, D], or [D] for one, in the environment's units.

    Returns:
      `latent`, float32 [B, D]; `log_prob`, log-density of the action, float32 [B], in nats;
      `clipped`, whether it was moved inside, bool [B]. Without B for one.

    Raises:
      InputError: If a shape does not fit, an observation is not finite, or an action NaN.
    """
    observed = inputs.observation(observation, self.fields)
    actions = inputs.action(action, self.dimension, observed)
    return self._run(self.module.encode, observed, actions)

  def sample(
    self, observation: ArrayLike, seed: int | Sequence[int]
  ) -> dict[str, np.ndarray]:
    """Draws latents from the prior, stateless: the same seed gives the same again.

    Args:
      observation: [B, O], or [O] for one.
      seed: Two integers of 32 bits; or one, n, which stands for (n, 0).

    Returns:
      `action` and `latent`, float32 [B, D], and `log_prob`, the log-density of the action,
      float32 [B], in nats. Without B for one.

    Raises:
      InputError: If the observation does not fit or is not finite, or the seed is none.
    """
    observed = inputs.observation(observation, self.fields)
    return self._run(self.module.sample, observed, seed=inputs.seed(seed))

  def act(self, observation: ArrayLike, latent: ArrayLike | None = None) -> np.ndarray:
    """Returns one action for one observation, quicker than `decode` does.

    For a loop that steps one environment. The first call compiles; the action is that of
    `decode` to float32 rounding. Like that it decides anew: for a layer with an interval,
    which holds what it put out, take `policy`.

    Args:
      observation: [O].
      latent: [D]; None for the mode, latent 0.

    Returns:
      float32 [D], in the environment's units.

    Raises:
      InputError: If a shape does not fit, or an entry is not finite.
    """
    if self._act_once is None:

      def forward(one: tf.Tensor, top: tf.Tensor) -> tf.Tensor:
        return self.module.forward(one[tf.newaxis], top[tf.newaxis])[0][0]

      # One concrete function: nothing is looked up from call to call.
      self._act_once = tf.function(
        forward, jit_compile=True, autograph=False
      ).get_concrete_function(
        tf.TensorSpec([observations.total_size(self.fields)], tf.float32),
        tf.TensorSpec([self.dimension], tf.float32),
      )
      self._zeros = tf.zeros([self.dimension])
    observed = inputs.observation(observation, self.fields, one=True)
    top = self._zeros
    if latent is not None:
      top = tf.constant(inputs.latent(latent, self.dimension, observed))
    return self._act_once(tf.constant(observed), top).numpy()

  def policy(self, batch: int = 1) -> policy_lib.SteppedPolicy:
    """Returns the layer as a policy that keeps outputs for the layers' intervals.

    Args:
      batch: Episodes side by side.
    """
    sizes = (observations.total_size(self.fields), self.dimension)
    held_outputs = self.manifest.held_outputs
    act = self.module.act if held_outputs else policy_lib.memoryless(self.module.forward)
    return policy_lib.SteppedPolicy(act, batch, *sizes, held_outputs)

  def _run(
    self, function: Callable[..., Any], *rows: np.ndarray, **shared: np.ndarray
  ) -> dict[str, np.ndarray]:
    """Calls a function on rows [B, ...], or on one row that stands alone."""
    alone = rows[0].ndim == 1
    batch = [row[np.newaxis] for row in rows] if alone else rows
    outputs = function(*batch, **shared)
    return {name: value.numpy()[0 if alone else ...] for name, value in outputs.items()}


def check(path: str | pathlib.Path) -> manifest_lib.Manifest:
  """Checks a saved layer without running any of it: manifest, files, operations.

  Args:
    path: The directory, or `zoo:` and a name.

  Returns:
    The manifest.

  Raises:
    LayerLoadError: If it is no saved layer, a file is missing, extra or changed, or the
      graph holds what no layer needs.
  """
  manifest, _ = _checked(*_located(path))
  return manifest


def _located(path: str | pathlib.Path) -> tuple[pathlib.Path, str | None]:
  """Returns the directory of a layer and, for one of the zoo, the digest of its entry."""
  if not str(path).startswith(zoo_index.SCHEME):
    return pathlib.Path(path).expanduser(), None
  try:
    entry = zoo_index.find(str(path))
  except errors.ConfigError as error:
    raise errors.LayerLoadError(path, str(error)) from None
  return entry.path, entry.sha256


def load_layer(path: str | pathlib.Path, untrusted: bool = False) -> SavedLayer:
  """Loads a saved layer for use below another one, or for evaluation.

  It may be replaced meanwhile: what comes is the old one or the new one, whole.

  Args:
    path: The directory that training or `export_layer` wrote, or `zoo:` and the name of a
      layer of the zoo.
    untrusted: Whether a process with limits on time and memory has to load and call it
      first, which takes some seconds: for a layer of an unknown author.

  Raises:
    LayerLoadError: If the directory is no intact saved layer.
  """
  path, digest = _located(path)
  layer = _load(path, digest, untrusted)
  if layer.manifest.format_version == 1:
    reseal = ' '.join(console.words('reseal'))
    print(
      f'note: {path} is of format 1, without a sum of its manifest: damage of that goes '
      f'unseen; {reseal} --layer={shlex.quote(str(path))} adds one',
      file=sys.stderr,
      flush=True,
    )
  return layer


def load_again(path: pathlib.Path, digest: str) -> SavedLayer:
  """Loads a layer that was pickled, in the process where it arrives."""
  return _load(path, digest=digest)


def _load(
  path: pathlib.Path, digest: str | None = None, untrusted: bool = False
) -> SavedLayer:
  """Loads a layer; with a digest only the one that has it."""
  manifest, found = _checked(path, digest)
  if untrusted:
    rehearsal.rehearse(path, found.digest)
  with found.in_memory() as address:
    weights.check(path, found, address)
    try:
      module = tf.saved_model.load(address)
    except Exception as error:  # TensorFlow raises many types on a bad SavedModel.
      reason = f'{type(error).__name__}: {error}'.split('\n')[0]
      raise errors.LayerLoadError(path, f'TensorFlow cannot load it ({reason})') from None
  functions = ['forward', 'inverse', *module_lib.SIGNATURES]
  if manifest.held_outputs:
    functions.append('act')
  for function in functions:
    if not callable(getattr(module, function, None)):
      raise errors.LayerLoadError(path, f'it has no function {function!r}')
  if manifest.format_version < 3:  # Later graphs tell their box; see `graph`.
    box.check(path, manifest, module)
  return SavedLayer(path, manifest, module, found.digest)


def _checked(
  path: pathlib.Path, digest: str | None = None
) -> tuple[manifest_lib.Manifest, contents.Contents]:
  found = contents.read(path)
  if digest is not None and found.digest != digest:
    raise errors.LayerLoadError(
      path, 'it is another layer now than the one that was sent, or that its entry tells'
    )
  manifest = manifest_lib.parse(path, found.files[manifest_lib.PATH])
  contents.check(path, found, manifest)
  graph.check(path, found.files[contents.GRAPH], manifest)
  return manifest, found
