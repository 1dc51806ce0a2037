"""The entropy that a layer is paid for, and what its critic judges.

For an output u of a layer (the action at the bottom, the latent of the layer below
otherwise) it is measured against a reference μ (docs/method.md, "Objective"):

  H(u|s) = -log π(u|s) + log μ(u)

* bounded output: μ is the uniform measure on the box in units of its half-width, so H is
  the entropy of the action rescaled to [-1, 1]ᴰ, and a target of -D means the same for
  every box;
* unbounded output: μ = N(0, I), the prior of the layer below, so -E H is the KL that the
  layer pays for leaving the skills below.

A layer above others may take the entropy of the action a = g(u; s) that they make of its
output instead, the objective of the bottom layer, over what the stack as a whole can do:

  H(a|s) = -log π(u|s) + log |det da/du| + log μ(a),    μ uniform as above

Source: Haarnoja et al., "Latent Space Policies for Hierarchical Reinforcement Learning"
(2018), section 4.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tf_agents.typing import types

from latent_hrl.networks import boxes

# Whose entropy a layer may maximise.
KINDS = ('output', 'action')


class ExecutedAction(NamedTuple):
  """The action that frozen lower layers make of a layer's output.

  Attributes:
    decode: Maps what the layer sees [B, O] and its output u [B, D] to the action a [B, D]
      and to log |det da/du| [B], differentiably.
    spec: Spec of the action.
  """

  decode: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
  spec: types.TensorSpec


class Entropy:
  """H of a layer's output, or of the action that the layers below make of it.

  Attributes:
    of_action: Whether it is that of an action: of the output of a bottom layer, or of the
      executed action.
  """

  def __init__(
    self,
    output_spec: types.TensorSpec,
    executed_action: ExecutedAction | None = None,
    kind: str = 'output',
  ):
    """Chooses the reference measure.

    Args:
      output_spec: Spec of the layer's output.
      executed_action: What the layers below make of it; None if the critic judges the
        output.
      kind: One of `KINDS`.

    Raises:
      ValueError: If there is no such kind, or no executed action to take the entropy of.
    """
    if kind not in KINDS:
      raise ValueError(f'entropy_of must be one of {KINDS}, got {kind!r}')
    self._bounded = boxes.is_bounded(output_spec)
    self._of_executed_action = kind == 'action' and not self._bounded
    if self._of_executed_action and executed_action is None:
      raise ValueError(
        "entropy_of = 'action' needs what the layers below make of an output: bind "
        "Layer.critic = 'action'"
      )
    self._executed_action = executed_action
    self._dimension = int(output_spec.shape[0])
    box_spec = executed_action.spec if executed_action else output_spec
    self._log_box_volume = 0.0
    if boxes.is_bounded(box_spec):
      half_width = boxes.center_and_half_width(box_spec)[1]
      self._log_box_volume = float(np.sum(np.log(half_width)))
    self.of_action = self._bounded or self._of_executed_action

  def default_target(self, target_kl: float) -> float:
    """Returns the usual target of H in nats: -D for actions, -target_kl for a latent."""
    return -float(self._dimension) if self.of_action else -target_kl

  def judged(
    self, observation: tf.Tensor, output: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what the critic judges of an output, with log |det| of its derivative.

    Args:
      observation: float32 [B, O].
      output: u, float32 [B, D].

    Returns:
      The output itself, or the executed action, [B, D]; and float32 [B].
    """
    if self._executed_action is None:
      return output, tf.zeros(tf.shape(output)[:-1])
    return self._executed_action.decode(observation, output)

  def sampled(
    self, observation: tf.Tensor, output: tf.Tensor, log_prob: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what the critic judges of a sampled output [B, D], and its H [B].

    Args:
      observation: float32 [B, O].
      output: u ~ π(·|s), float32 [B, D].
      log_prob: log π(u|s), float32 [B].
    """
    judged, log_det = self.judged(observation, output)
    if self._of_executed_action:
      return judged, log_det - log_prob - self._log_box_volume
    return judged, self.of_output(output, log_prob)

  def of_output(self, output: tf.Tensor, log_prob: tf.Tensor) -> tf.Tensor:
    """Returns H of the output, -log π(u|s) + log μ(u), float32 [B], in nats.

    Args:
      output: u, float32 [B, D].
      log_prob: log π(u|s), float32 [B].
    """
    if self._bounded:
      return -log_prob - self._log_box_volume
    dimension = output.shape[-1]
    log_prior = -0.5 * (
      tf.reduce_sum(tf.square(output), axis=-1) + dimension * np.log(2 * np.pi)
    )
    return -log_prob + log_prior
