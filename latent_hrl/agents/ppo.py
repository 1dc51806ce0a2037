"""TF-Agents' PPO."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.agents.ppo import ppo_actor_network
from tf_agents.agents.ppo import ppo_clip_agent
from tf_agents.networks import network
from tf_agents.networks import sequential
from tf_agents.networks import value_network
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

from latent_hrl import checks
from latent_hrl import errors
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl.agents import affine_policy
from latent_hrl.agents import entropy
from latent_hrl.agents import protocol
from latent_hrl.agents import tf_agents_adapter as adapter

_EXAMPLE = parameters.Source("TF-Agents' example")


class PpoPolicy(affine_policy.AffinePolicy):
  """PPO's actor behind the normalisation of observations that the agent has learned."""

  def __init__(self, agent: ppo_clip_agent.PPOClipAgent, action_spec: types.TensorSpec):
    """Takes actor and normaliser of an agent, which go on changing with it."""
    self._normalizer = agent.collect_policy.observation_normalizer
    # All but the last layer, which makes the distribution with assertions that would be
    # saved along.
    parameters = sequential.Sequential(agent.actor_net.layers[:-1])

    def location_and_scale(
      actor: network.Network, observation: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
      del actor
      raw, _ = parameters(self._normalizer.normalize(observation))
      location = ppo_actor_network.tanh_and_scale_to_spec(raw['loc'], action_spec)
      return location, tf.math.softplus(raw['scale'])

    super().__init__(
      agent.actor_net,
      agent.time_step_spec.observation,
      action_spec,
      location_and_scale,
      tfp.bijectors.Identity(),
    )

  @property
  def variables(self) -> list[tf.Variable]:
    """Weights of the actor and statistics of the observations."""
    return [*super().variables, *self._normalizer.variables]


class PpoAgent:
  """TF-Agents' PPO with the numbers of its loop.

  Attributes:
    agent: The agent.
    actor_network: Its policy.
    progress: float32, the share of training that is done; the learning rate falls with it.
    config: What it was built from.
  """

  def __init__(
    self,
    agent: ppo_clip_agent.PPOClipAgent,
    optimizer: adapter.Optimizer,
    progress: tf.Variable,
    config: 'PpoConfig',
  ):
    agent.initialize()
    adapter.make_slots(
      optimizer, agent.actor_net.trainable_variables + agent._value_net.trainable_variables
    )
    self.agent = agent
    self.actor_network = PpoPolicy(agent, agent.action_spec)
    self.progress = progress
    self.config = config


@parameters.configurable
class PpoConfig(protocol.AgentConfig):
  """TF-Agents' PPO as in its example `schulman17/train_eval_lib.py`.

  Attributes:
    actor_units: Widths of the actor.
    value_units: Widths of the value network.
    learning_rate: Adam's step size at the beginning; it falls linearly to 0.
    gamma: Discount.
    lambda_value: λ of the advantage estimate and of the return.
    importance_ratio_clipping: Bound on how far the probability ratio leaves 1.
    gradient_clipping: Bound on the norm of a gradient.
    value_pred_loss_coef: Weight of the value loss.
    entropy_regularization: Weight of the entropy.
    collect_steps: Length of a collected sequence, a multiple of `minibatch_size`.
    minibatch_size: Decisions of a gradient.
    num_epochs: Times that a sequence is gone through.
  """

  gin_name: ClassVar[str] = 'ppo_agent'
  learns_from: ClassVar[Literal['replay', 'turns']] = 'turns'

  actor_units: Annotated[Sequence[int], checks.several(checks.WIDTH), _EXAMPLE] = (64, 64)
  value_units: Annotated[Sequence[int], checks.several(checks.WIDTH), _EXAMPLE] = (64, 64)
  learning_rate: Annotated[float, checks.POSITIVE, ranges.LEARNING_RATE, _EXAMPLE] = 3e-4
  gamma: Annotated[float, checks.FROM_0_TO_1, _EXAMPLE] = 0.99
  lambda_value: Annotated[float, checks.FROM_0_TO_1, _EXAMPLE] = 0.95
  importance_ratio_clipping: Annotated[
    float,
    checks.POSITIVE,
    ranges.Range(1e-4, 100, 'a ratio of probabilities, near 1'),
    _EXAMPLE,
  ] = 0.2
  gradient_clipping: Annotated[
    float,
    checks.POSITIVE,
    ranges.Range(1e-6, 1e6, 'beyond, no gradient is left, or none is clipped'),
    _EXAMPLE,
  ] = 0.5
  value_pred_loss_coef: Annotated[
    float, checks.NOT_NEGATIVE, ranges.LOSS_WEIGHT, _EXAMPLE
  ] = 0.5
  entropy_regularization: Annotated[
    float, checks.NOT_NEGATIVE, ranges.LOSS_WEIGHT, _EXAMPLE
  ] = 0.0
  collect_steps: Annotated[
    int,
    checks.POSITIVE_INTEGER,
    ranges.Range(1, 10_000_000, 'the steps of one iteration lie in memory'),
    parameters.Unit('decisions'),
    _EXAMPLE,
  ] = 2048
  minibatch_size: Annotated[
    int, checks.POSITIVE_INTEGER, ranges.MINIBATCH, parameters.Unit('decisions'), _EXAMPLE
  ] = 64
  num_epochs: Annotated[
    int,
    checks.POSITIVE_INTEGER,
    ranges.Range(1, 1_000, 'an iteration of more takes hours'),
    _EXAMPLE,
  ] = 10

  def __attrs_post_init__(self) -> None:
    if self.collect_steps % self.minibatch_size:
      raise errors.ConfigError(
        f'ppo_agent.collect_steps ({self.collect_steps}) must be a multiple of '
        f'ppo_agent.minibatch_size ({self.minibatch_size})'
      )

  def build(
    self,
    time_step_spec: ts.TimeStep,
    output_spec: types.TensorSpec,
    seed: int,
    executed_action: entropy.ExecutedAction | None = None,
  ) -> PpoAgent:
    """See `protocol.AgentConfig`."""
    del executed_action  # Its critic judges what it puts out.
    action_spec = affine_policy.bounded(output_spec)
    progress = tf.Variable(0.0, dtype=tf.float32, name='progress')
    optimizer = adapter.Adam(lambda: self.learning_rate * (1.0 - progress), epsilon=1e-5)
    agent = ppo_clip_agent.PPOClipAgent(
      time_step_spec,
      action_spec,
      optimizer=optimizer,
      actor_net=ppo_actor_network.PPOActorNetwork().create_sequential_actor_net(
        tuple(self.actor_units), action_spec, seed=seed
      ),
      value_net=value_network.ValueNetwork(
        time_step_spec.observation,
        fc_layer_params=tuple(self.value_units),
        kernel_initializer=tf.keras.initializers.Orthogonal(seed=seed),
      ),
      importance_ratio_clipping=self.importance_ratio_clipping,
      lambda_value=self.lambda_value,
      discount_factor=self.gamma,
      entropy_regularization=self.entropy_regularization,
      value_pred_loss_coef=self.value_pred_loss_coef,
      num_epochs=1,  # The learner goes through a sequence several times, not the agent.
      use_gae=True,
      use_td_lambda_return=True,
      gradient_clipping=self.gradient_clipping,
      compute_value_and_advantage_in_train=False,
      update_normalizers_in_train=False,
      train_step_counter=tf.Variable(0, dtype=tf.int64, name='train_step'),
    )
    return PpoAgent(agent, optimizer, progress, self)
