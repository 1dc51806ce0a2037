"""The maximum-entropy agent of this library, as a gin file describes it."""

from typing import Annotated, Any, ClassVar

import attrs
import tensorflow as tf
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

from latent_hrl import parameters
from latent_hrl.agents import entropy
from latent_hrl.agents import latent_space_agent
from latent_hrl.agents import latent_space_settings
from latent_hrl.agents import protocol
from latent_hrl.networks import critic as critic_lib
from latent_hrl.networks import encoders
from latent_hrl.networks import policy as policy_lib


@parameters.configurable
class LatentSpaceConfig(latent_space_settings.Settings, protocol.AgentConfig):
  """The maximum-entropy agent, its networks included.

  Attributes:
    policy: Shape of the policy; in gin, `LatentPolicyNetwork`.
    critic: Shape of the critics; in gin, `TwinCriticNetwork`.
    embeddings: Embeddings that both see beside state and action, `@Embeddings()`; None for
      none.
  """

  gin_name: ClassVar[str] = 'create_agent'
  judges_actions: ClassVar[bool] = True
  takes_commands: ClassVar[bool] = True

  policy: policy_lib.PolicyConfig = attrs.field(factory=policy_lib.PolicyConfig)
  critic: critic_lib.CriticConfig = attrs.field(factory=critic_lib.CriticConfig)
  embeddings: Annotated[encoders.EmbeddingsConfig | None, encoders.RULE] = None

  @property
  def needs_executed_action(self) -> bool:
    """See `protocol.AgentConfig`."""
    return self.entropy_of == 'action'

  @property
  def critic_settings(self) -> dict[str, Any]:
    """See `protocol.AgentConfig`."""
    # What values mean: what the critics see, and whether a range holds them.
    clipped = {'clip_target_values': True} if self.clip_target_values else {}
    return {**parameters.values(self.critic), **self._embeddings_settings, **clipped}

  @property
  def policy_settings(self) -> dict[str, Any]:
    """See `protocol.AgentConfig`."""
    flow = {'flow_name': self.policy.flow.gin_name}
    return {**parameters.values(self.policy), **flow, **self._embeddings_settings}

  @property
  def _embeddings_settings(self) -> dict[str, Any]:
    """What a run with embeddings tells of them; without, nothing."""
    if self.embeddings is None:
      return {}
    return {'embeddings': parameters.values(self.embeddings)}

  def build(
    self,
    time_step_spec: ts.TimeStep,
    output_spec: types.TensorSpec,
    seed: int,
    executed_action: entropy.ExecutedAction | None = None,
    command_size: int = 0,
  ) -> latent_space_agent.LatentSpaceAgent:
    """See `protocol.AgentConfig`."""
    observation_spec = time_step_spec.observation
    own_spec = tf.TensorSpec(
      [observation_spec.shape[0] - command_size], observation_spec.dtype
    )
    judged_spec = output_spec if executed_action is None else executed_action.spec
    actor = policy_lib.LatentPolicyNetwork(
      own_spec if command_size else observation_spec,
      output_spec,
      self.policy,
      self.embeddings,
    )
    critic = critic_lib.TwinCriticNetwork(
      (observation_spec, judged_spec), self.critic, self.embeddings
    )
    return latent_space_agent.LatentSpaceAgent(
      time_step_spec,
      output_spec,
      actor,
      critic,
      settings=self,
      executed_action=executed_action,
      seed=seed,
    )


def create_agent(
  time_step_spec: ts.TimeStep,
  action_spec: types.TensorSpec,
  seed: int = 0,
  executed_action: entropy.ExecutedAction | None = None,
  **settings: Any,
) -> latent_space_agent.LatentSpaceAgent:
  """Builds networks, optimisers and agent, for use with TF-Agents' own drivers.

  Args:
    time_step_spec: TimeStep spec; the observation is one float32 vector [O].
    action_spec: Spec of the output, float32 [D].
    seed: Seed of the noise in the updates; the initial weights follow TensorFlow's global
      seed.
    executed_action: What the critic judges instead of the output; see `entropy`.
    **settings: Fields of `LatentSpaceConfig`; what is left out is as gin binds it, or the
      default.

  Raises:
    ConfigError: If a setting is out of range.
    ValueError: If settings and specs contradict each other.
  """
  config = LatentSpaceConfig(**settings)
  return config.build(time_step_spec, action_spec, seed, executed_action)
