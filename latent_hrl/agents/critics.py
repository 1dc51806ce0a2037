"""The critics with what they see, and their slow copy with the range of its values.

  Q_i(s, a)          the twin critics; with embeddings Q_i(s, a, z_s, z_sa)
  Q̄ ← (1 - τ) Q̄ + τ Q    every n-th update; τ = 1 makes copies

A target critic may be held to the range of what it was trained on: with y the regression
targets of all updates until it last followed,

  Q̄'_i = min(max(Q̄_i, min y), max y)

so that a value beyond all that was ever seen is not passed on.

Source: for the range, Fujimoto et al., "For SALE: State-Action Representation Learning for
Deep Reinforcement Learning" (2023), section 4.
"""

import numpy as np
import tensorflow as tf
from tf_agents.utils import common

from latent_hrl.agents import embeddings as embeddings_lib
from latent_hrl.networks import critic as critic_lib


class Critics(tf.Module):
  """Twin critics with the embeddings that they see; a module, so a checkpoint holds them.

  Attributes:
    network: The critics.
  """

  def __init__(
    self,
    network: critic_lib.TwinCriticNetwork,
    encoder: embeddings_lib.Encoder | None = None,
  ):
    """Binds both.

    Args:
      network: The critics.
      encoder: What makes the embeddings; None for critics on state and action alone.
    """
    super().__init__()
    self.network = network
    self._encoder = encoder

  def values(self, observation: tf.Tensor, judged: tf.Tensor) -> tf.Tensor:
    """Returns both values, float32 [B, 2].

    Args:
      observation: s, float32 [B, O].
      judged: The output, or the executed action, float32 [B, D].
    """
    seen: tuple[tf.Tensor, ...] = (observation, judged)
    if self._encoder is not None:
      seen += self._encoder(observation, judged)
    values, _ = self.network(seen)
    return values


class TargetCritics(Critics):
  """The slow copy."""

  def __init__(
    self,
    network: critic_lib.TwinCriticNetwork,
    encoder: embeddings_lib.Encoder | None = None,
    clip_values: bool = False,
  ):
    """Binds both.

    Args:
      network: The copy of the critics.
      encoder: What makes the embeddings; None without.
      clip_values: Whether values are held to the range of the targets.
    """
    super().__init__(network, encoder)
    self._seen_range = self._held_range = None
    if clip_values:
      # Of the targets so far; and the one that holds, until the copy follows again.
      self._seen_range = tf.Variable([np.inf, -np.inf], dtype=tf.float32)
      self._held_range = tf.Variable([-np.inf, np.inf], dtype=tf.float32)

  @property
  def state_parts(self) -> dict[str, list[tf.Variable]]:
    """What a resumed run needs beyond the network, by what it belongs to."""
    if self._seen_range is None:
      return {}
    return {'value_range': [self._seen_range, self._held_range]}

  def values(self, observation: tf.Tensor, judged: tf.Tensor) -> tf.Tensor:
    """Returns both values, within the range that holds; see `Critics`."""
    values = super().values(observation, judged)
    if self._held_range is None:
      return values
    low, high = tf.unstack(self._held_range)
    return tf.clip_by_value(values, low, high)

  def note(self, target: tf.Tensor) -> None:
    """Widens the range seen to targets [B]."""
    if self._seen_range is not None:
      low, high = tf.unstack(self._seen_range)
      low = tf.minimum(low, tf.reduce_min(target))
      high = tf.maximum(high, tf.reduce_max(target))
      self._seen_range.assign(tf.stack([low, high]))

  def follow(self, critics: Critics, tau: float) -> None:
    """Moves by a share τ towards the critics; from here on holds what was seen."""
    common.soft_variables_update(critics.network.variables, self.network.variables, tau)
    if self._held_range is not None:
      self._held_range.assign(self._seen_range)
