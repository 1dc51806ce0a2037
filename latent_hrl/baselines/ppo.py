"""TF-Agents' PPO as a baseline."""

from collections.abc import Sequence

import gin
import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.agents.ppo import ppo_actor_network
from tf_agents.agents.ppo import ppo_clip_agent
from tf_agents.networks import network
from tf_agents.networks import sequential
from tf_agents.networks import value_network
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

from latent_hrl.baselines import off_policy
from latent_hrl.baselines import policies


class PpoPolicy(policies.AffinePolicy):
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


class PpoBaseline:
  """TF-Agents' PPO with the numbers of its loop.

  Attributes:
    agent: The agent.
    actor_network: Its policy.
    gamma: Its discount.
    progress: float32, the share of training that is done; the learning rate falls with it.
    collect_steps: Decisions of a collected sequence.
    minibatch_size: Decisions of a gradient.
    num_epochs: Times that a sequence is gone through.
  """

  def __init__(
    self,
    agent: ppo_clip_agent.PPOClipAgent,
    optimizer: off_policy.Optimizer,
    gamma: float,
    progress: tf.Variable,
    collect_steps: int,
    minibatch_size: int,
    num_epochs: int,
  ):
    agent.initialize()
    off_policy.make_slots(
      optimizer, agent.actor_net.trainable_variables + agent._value_net.trainable_variables
    )
    self.agent = agent
    self.gamma = gamma
    self.actor_network = PpoPolicy(agent, agent.action_spec)
    self.progress = progress
    self.collect_steps = collect_steps
    self.minibatch_size = minibatch_size
    self.num_epochs = num_epochs


@gin.configurable(denylist=['time_step_spec', 'action_spec', 'seed'])
def ppo_agent(
  time_step_spec: ts.TimeStep,
  action_spec: types.TensorSpec,
  seed: int = 0,
  actor_units: Sequence[int] = (64, 64),
  value_units: Sequence[int] = (64, 64),
  learning_rate: float = 3e-4,
  gamma: float = 0.99,
  lambda_value: float = 0.95,
  importance_ratio_clipping: float = 0.2,
  gradient_clipping: float = 0.5,
  value_pred_loss_coef: float = 0.5,
  entropy_regularization: float = 0.0,
  collect_steps: int = 2048,
  minibatch_size: int = 64,
  num_epochs: int = 10,
) -> PpoBaseline:
  """Builds TF-Agents' PPO as in its example `schulman17/train_eval_lib.py`.

  Args:
    time_step_spec: TimeStep spec; the observation is one float32 vector [O].
    action_spec: Spec of the output, float32 [D].
    seed: Seed of the initial weights; what collection draws follows TensorFlow's global
      seed.
    actor_units: Widths of the actor.
    value_units: Widths of the value network.
    learning_rate: Adam's step size at the beginning; it falls linearly to 0.
    gamma: Discount.
    lambda_value: λ of the advantage estimate and of the return.
    importance_ratio_clipping: Bound on how far the probability ratio leaves 1.
    gradient_clipping: Bound on the norm of a gradient.
    value_pred_loss_coef: Weight of the value loss.
    entropy_regularization: Weight of the entropy.
    collect_steps: Decisions of a collected sequence, a multiple of `minibatch_size`.
    minibatch_size: Decisions of a gradient.
    num_epochs: Times that a sequence is gone through.

  Raises:
    ValueError: If `collect_steps` is no multiple of `minibatch_size`.
  """
  if minibatch_size < 1 or collect_steps < 1 or collect_steps % minibatch_size:
    raise ValueError(
      f'ppo_agent.collect_steps ({collect_steps}) must be a multiple of '
      f'ppo_agent.minibatch_size ({minibatch_size})'
    )
  action_spec = policies.bounded(action_spec)
  progress = tf.Variable(0.0, dtype=tf.float32, name='progress')
  optimizer = off_policy.Adam(lambda: learning_rate * (1.0 - progress), epsilon=1e-5)
  agent = ppo_clip_agent.PPOClipAgent(
    time_step_spec,
    action_spec,
    optimizer=optimizer,
    actor_net=ppo_actor_network.PPOActorNetwork().create_sequential_actor_net(
      tuple(actor_units), action_spec, seed=seed
    ),
    value_net=value_network.ValueNetwork(
      time_step_spec.observation,
      fc_layer_params=tuple(value_units),
      kernel_initializer=tf.keras.initializers.Orthogonal(seed=seed),
    ),
    importance_ratio_clipping=importance_ratio_clipping,
    lambda_value=lambda_value,
    discount_factor=gamma,
    entropy_regularization=entropy_regularization,
    value_pred_loss_coef=value_pred_loss_coef,
    num_epochs=1,  # The learner goes through a sequence several times, not the agent.
    use_gae=True,
    use_td_lambda_return=True,
    gradient_clipping=gradient_clipping,
    compute_value_and_advantage_in_train=False,
    update_normalizers_in_train=False,
    train_step_counter=tf.Variable(0, dtype=tf.int64, name='train_step'),
  )
  return PpoBaseline(
    agent, optimizer, gamma, progress, collect_steps, minibatch_size, num_epochs
  )
