"""What a policy network asks of a flow.

A gin file describes a flow by a `FlowConfig`, which builds it for a size of the latent. The
network embeds the state; the flow says how large that embedding is, and makes a bijector of
it.
"""

from collections.abc import Sequence
from typing import ClassVar, Protocol

import tensorflow as tf
import tensorflow_probability as tfp


class Flow(Protocol):
  """f(z; s), invertible in z for every s, the identity before anything is learned.

  Attributes:
    embedding_size: Entries of the state's embedding that it takes; None leaves it to the
      network.
    starts_from_zero: Whether that embedding has to be zero at first.
    layers: Keras layers with its weights, built.
  """

  @property
  def embedding_size(self) -> int | None: ...
  @property
  def starts_from_zero(self) -> bool: ...
  @property
  def layers(self) -> Sequence[tf.keras.layers.Layer]: ...

  def bijector(self, embedding: tf.Tensor) -> tfp.bijectors.Bijector:
    """Returns f(·; s) on events [D] for embeddings [..., E] of states, float32."""


class FlowConfig(Protocol):
  """A flow as a gin file describes it, frozen; see `parameters.configurable`.

  Attributes:
    gin_name: Its name in gin files.
  """

  gin_name: ClassVar[str]

  def build(self, dimension: int, embedding_size: int) -> Flow:
    """Builds the flow with its weights.

    Args:
      dimension: D ≥ 1, the size of latent and output.
      embedding_size: E, entries of the state's embedding.

    Raises:
      ValueError: If it cannot be of this size.
    """
