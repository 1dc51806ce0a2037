"""Policies of TF-Agents' agents as layers: u = squash(μ(s) + σ(s) z).

Each of them draws its action from a Gaussian around a mean, so each is a flow of one
affine step. That makes a layer of it: with a mode, `encode`, `decode` and a latent to act
on, saved and evaluated like any other.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.networks import network
from tf_agents.specs import tensor_spec

from latent_hrl import latent_actions
from latent_hrl.networks import boxes

tfb = tfp.bijectors

# Maps an actor and observations [B, O] to μ and σ, each [B, D].
LocationAndScale = Callable[[network.Network, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def bounded(spec: tensor_spec.TensorSpec) -> tensor_spec.BoundedTensorSpec:
  """Returns the spec of an output with bounds, which TF-Agents' agents need.

  A latent gets `latent_actions.LATENT_BOUND`.
  """
  if boxes.is_bounded(spec):
    return spec
  limit = np.full(spec.shape, latent_actions.LATENT_BOUND, np.float32)
  return tensor_spec.BoundedTensorSpec(spec.shape, tf.float32, -limit, limit, spec.name)


class AffinePolicy:
  """An actor of TF-Agents as a `networks.policy.PolicyNetwork`."""

  def __init__(
    self,
    actor: network.Network,
    input_tensor_spec: tensor_spec.TensorSpec,
    output_tensor_spec: tensor_spec.BoundedTensorSpec,
    location_and_scale: LocationAndScale,
    squash: tfb.Bijector,
  ):
    """Wraps an actor.

    Args:
      actor: The actor.
      input_tensor_spec: Observation spec, float32 [O].
      output_tensor_spec: Spec of the output, float32 [D].
      location_and_scale: What the actor makes of observations.
      squash: From R^D into the box; the identity where actions are only clipped.
    """
    self._actor = actor
    self._location_and_scale = location_and_scale
    self.input_tensor_spec = input_tensor_spec
    self.output_tensor_spec = output_tensor_spec
    self.squash = squash

  @property
  def variables(self) -> list[tf.Variable]:
    """Weights of the actor."""
    return list(self._actor.variables)

  @property
  def dimension(self) -> int:
    """D, the size of the latent and of the output."""
    return int(self.output_tensor_spec.shape[0])

  def flow(self, observation: tf.Tensor) -> tfb.Bijector:
    """Returns z ↦ μ(s) + σ(s) z for observations [B, O] float32."""
    location, scale = self._location_and_scale(self._actor, observation)
    return tfb.Chain([tfb.Shift(location), tfb.Scale(scale)])

  def copy(self, name: str) -> 'AffinePolicy':
    """Returns the same policy around a new actor."""
    return AffinePolicy(
      self._actor.copy(name=name),
      self.input_tensor_spec,
      self.output_tensor_spec,
      self._location_and_scale,
      self.squash,
    )

  def create_variables(self) -> None:
    """Makes the weights of the actor."""
    self._actor.create_variables(self.input_tensor_spec)
