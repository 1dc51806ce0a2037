"""Loads a saved layer, after checking that it is intact and does what a layer does."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from latent_hrl import errors
from latent_hrl import files
from latent_hrl import observations
from latent_hrl.layers import contents
from latent_hrl.layers import graph
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib
from latent_hrl.layers import policy as policy_lib


class SavedLayer:
  """A saved layer in memory, with its frozen lower layers.

  Attributes:
    path: Where it was loaded from.
    manifest: What it is.
    digest: SHA-256 of its manifest, which covers every other file.
    module: The SavedModel, with `forward` and `inverse` for the layer above, and with `act`
      where a layer has an interval.
  """

  def __init__(self, path: pathlib.Path, manifest: manifest_lib.Manifest, module: Any):
    self.path = path
    self.manifest = manifest
    self.digest = files.sha256(path / manifest_lib.PATH)
    self.module = module
    self._act_once: Callable[..., tf.Tensor] | None = None

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

  def decode(self, observation: np.ndarray, latent: np.ndarray) -> np.ndarray:
    """Returns actions [B, D] for observations [B, O] and latents [B, D], float32."""
    return self.module.decode(observation, latent)['action'].numpy()

  def act(self, observation: np.ndarray, latent: np.ndarray | None = None) -> np.ndarray:
    """Returns one action [D] for one observation [O], quicker than `decode` does.

    For a loop that steps one environment. The first call compiles; the action is that of
    `decode` to float32 rounding. Like that it decides anew: for a layer with an interval,
    which holds what it put out, take `policy`.

    Args:
      observation: float32 [O].
      latent: float32 [D]; None for the mode, latent 0.
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
    top = self._zeros if latent is None else tf.constant(latent, tf.float32)
    return self._act_once(tf.constant(observation, tf.float32), top).numpy()

  def policy(self, batch: int = 1) -> policy_lib.SteppedPolicy:
    """Returns the layer as a policy that keeps outputs for the layers' intervals.

    Args:
      batch: Episodes side by side.
    """
    sizes = (observations.total_size(self.fields), self.dimension)
    held_outputs = self.manifest.held_outputs
    act = self.module.act if held_outputs else policy_lib.memoryless(self.module.forward)
    return policy_lib.SteppedPolicy(act, batch, *sizes, held_outputs)

  def encode(self, observation: np.ndarray, action: np.ndarray) -> dict[str, np.ndarray]:
    """Returns `latent` [B, D], `log_prob` [B] and `clipped` [B] of actions [B, D]."""
    outputs = self.module.encode(observation, action)
    return {name: value.numpy() for name, value in outputs.items()}

  def sample(self, observation: np.ndarray, seed: tuple[int, int]) -> dict[str, np.ndarray]:
    """Returns `action` [B, D], `latent` [B, D] and `log_prob` [B]; stateless."""
    outputs = self.module.sample(observation, tf.constant(seed, tf.int32))
    return {name: value.numpy() for name, value in outputs.items()}

  def mode(self, observation: np.ndarray) -> np.ndarray:
    """Returns the mode's actions [B, D] for observations [B, O], float32."""
    return self.module.serving_default(observation)['action'].numpy()


def check(path: pathlib.Path) -> manifest_lib.Manifest:
  """Checks a saved layer without running any of it: manifest, files, operations.

  The files must not change until they are loaded: what another process writes between is
  not seen.

  Args:
    path: The directory.

  Returns:
    The manifest.

  Raises:
    LayerLoadError: If it is no saved layer, a file is missing, extra or changed, or the
      graph holds what no layer needs.
  """
  manifest = manifest_lib.read(path)
  try:
    contents.check(path, manifest)
    graph.check(path, manifest)
  except OSError as error:
    raise errors.LayerLoadError(path, f'a file is unreadable: {error}') from None
  return manifest


def load_layer(path: str | pathlib.Path) -> SavedLayer:
  """Loads a saved layer for use below another one, or for evaluation.

  Args:
    path: The directory that training or `export_layer` wrote.

  Raises:
    LayerLoadError: If the directory is no intact saved layer.
  """
  path = pathlib.Path(path)
  manifest = check(path)
  try:
    module = tf.saved_model.load(str(path))
  except Exception as error:  # TensorFlow raises many types on a bad SavedModel.
    reason = f'{type(error).__name__}: {error}'.split('\n')[0]
    raise errors.LayerLoadError(path, f'TensorFlow cannot load it ({reason})') from None
  functions = ['forward', 'inverse', *module_lib.SIGNATURES]
  if manifest.held_outputs:
    functions.append('act')
  for function in functions:
    if not callable(getattr(module, function, None)):
      raise errors.LayerLoadError(path, f'it has no function {function!r}')
  return SavedLayer(path, manifest, module)
