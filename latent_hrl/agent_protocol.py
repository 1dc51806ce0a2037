"""What the training loop asks of an agent that learns from a replay, and what it feeds it.

Replay, learner, checkpoints and the adapters of TF-Agents' agents are written against these
two; `agents.LatentSpaceAgent` is one of several that have them.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import tensorflow as tf
from tf_agents.agents import tf_agent

from latent_hrl import networks

_Builder = TypeVar('_Builder', bound=Callable[..., Any])
_NETWORKS = '_latent_hrl_networks'


class Networks(NamedTuple):
  """Names in gin of what the networks of an agent are made by.

  Attributes:
    critic: The critic's, which makes two of them mean the same or not.
    policy: The policy's.
  """

  critic: str
  policy: str


def made_of(critic: str, policy: str) -> Callable[[_Builder], _Builder]:
  """Declares what the networks of an agent are made by; a decorator of what builds it.

  Only an agent that declares it can hand its critic to the layer above (`Layer.inherit`):
  weights alone do not show what a critic's values mean.

  Args:
    critic: Name in gin of its critic network, such as `TwinCriticNetwork`.
    policy: Name in gin of its policy network.
  """

  def declare(builder: _Builder) -> _Builder:
    setattr(builder, _NETWORKS, Networks(critic, policy))
    return builder

  return declare


def networks_of(builder: Callable[..., Any] | None) -> Networks | None:
  """Returns what `made_of` has declared of what builds an agent; None if nothing."""
  return getattr(builder, _NETWORKS, None)


class Batch(NamedTuple):
  """Transitions of one layer, float32; the leading shape is [B].

  Attributes:
    observation: [B, O], what the layer saw.
    output: [B, D], what the critic judges: the layer's output, or the executed action.
    reward: [B], the layer's own reward.
    discount: [B], 0 after a termination, otherwise 1 (a time limit included), or γᵏ⁻¹ where
      the layer puts out every k steps.
    next_observation: [B, O].
  """

  observation: tf.Tensor
  output: tf.Tensor
  reward: tf.Tensor
  discount: tf.Tensor
  next_observation: tf.Tensor


class OffPolicyAgent(Protocol):
  """What the training loop asks of an agent that learns from a replay."""

  @property
  def actor_network(self) -> networks.PolicyNetwork:
    """The policy that learns and collects."""

  @property
  def averaged_actor_network(self) -> networks.PolicyNetwork:
    """The policy to evaluate and save; the same, if the agent keeps no average."""

  @property
  def gamma(self) -> float:
    """Discount per environment step."""

  @property
  def loss_names(self) -> Sequence[str]:
    """Names of what `update` returns as extra, in order."""

  @property
  def state_parts(self) -> dict[str, list[tf.Variable]]:
    """All variables that a resumed run needs, by what they belong to."""

  @property
  def objective(self) -> dict[str, Any]:
    """What its values mean, JSON types: kept in checkpoints for `inherited_parts`."""

  def inherited_parts(self, objective: dict[str, Any]) -> Sequence[str]:
    """Names of those that may start from the layer below, which has this objective."""

  def update(self, batch: Batch) -> tf_agent.LossInfo:
    """One update on transitions with leading shape [B]. Traceable by XLA."""
