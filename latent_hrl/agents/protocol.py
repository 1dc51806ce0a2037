"""What training asks of an agent, and what it feeds it.

A gin file describes an agent by an `AgentConfig`, which says what the agent learns from,
and builds it. Replay, learner, checkpoints and the adapters of TF-Agents' agents are
written against these types; `latent_space_agent.LatentSpaceAgent` is one of several.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import tensorflow as tf
from tf_agents.agents import tf_agent
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

from latent_hrl.agents import entropy
from latent_hrl.networks import policy as policy_lib


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
  """An agent that learns from a replay."""

  @property
  def actor_network(self) -> policy_lib.PolicyNetwork:
    """The policy that learns and collects."""

  @property
  def averaged_actor_network(self) -> policy_lib.PolicyNetwork:
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


class AgentConfig:
  """An agent as a gin file describes it; subclasses are `parameters.configurable`.

  Attributes:
    gin_name: What `Layer.agent_fn` names it by.
    learns_from: `replay`, if `build` makes an `OffPolicyAgent`; `turns`, if it makes a
      `ppo.PpoAgent`, which learns from what was just collected and then drops it.
    judges_actions: Whether its critic can judge the executed action, `Layer.critic`.
    takes_commands: Whether the first entries of its latent can be a command; then `build`
      takes `command_size`, n, how many of the observation's last entries are one.
  """

  gin_name: ClassVar[str]
  learns_from: ClassVar[Literal['replay', 'turns']] = 'replay'
  judges_actions: ClassVar[bool] = False
  takes_commands: ClassVar[bool] = False

  @property
  def needs_executed_action(self) -> bool:
    """Whether it cannot do without judging the executed action, above other layers."""
    return False

  @property
  def policy_settings(self) -> dict[str, Any]:
    """What makes its policy beyond the shapes of weights: a run goes on only with the same.

    JSON types.
    """
    return {}

  @property
  def critic_settings(self) -> dict[str, Any] | None:
    """What makes its critic, JSON types: an upper layer inherits only from the same.

    None if it cannot be handed on: weights alone do not show what values mean.
    """
    return None

  def build(
    self,
    time_step_spec: ts.TimeStep,
    output_spec: types.TensorSpec,
    seed: int,
    executed_action: entropy.ExecutedAction | None = None,
  ) -> Any:
    """Builds the agent with its networks and optimisers.

    Args:
      time_step_spec: TimeStep spec; the observation is one float32 vector [O].
      output_spec: Spec of the layer's output, float32 [D]; bounded for actions, unbounded
        for the latent of the layer below.
      seed: Seed of the noise in its updates; the initial weights follow TensorFlow's global
        seed.
      executed_action: What the critic judges instead of the layer's output; None unless
        `judges_actions`.

    Raises:
      ValueError: If its settings contradict each other or the specs.
    """
    raise NotImplementedError
