"""What the maximum-entropy agent keeps for a resumed run, and hands on to a layer above."""

from typing import Any

import tensorflow as tf

from latent_hrl.agents import latent_space_update as update_lib
from latent_hrl.networks import policy as policy_lib

# Parts of a policy that a layer above may take along, where they have the same shapes.
EMBEDDINGS = ('embedding', 'averaged_embedding')


def _policy_parts(
  prefix: str, network: policy_lib.LatentPolicyNetwork
) -> dict[str, list[tf.Variable]]:
  """Returns the variables of a policy, those of its embedding apart."""
  embedding = network.embedding_variables
  apart = {id(variable) for variable in embedding}
  if network.state_encoder is not None:  # It belongs to the embeddings.
    apart |= {id(variable) for variable in network.state_encoder.variables}
  others = [variable for variable in network.variables if id(variable) not in apart]
  return {f'{prefix}embedding': embedding, f'{prefix}actor': others}


def _optional_parts(learned: update_lib.Learned) -> dict[str, list[tf.Variable]]:
  """What only some choices need: embeddings, and the range of target values."""
  embeddings = {} if learned.embeddings is None else learned.embeddings.state_parts
  return {**embeddings, **learned.target_critics.state_parts}


def state_parts(
  learned: update_lib.Learned, optimizers: update_lib.Optimizers, train_step: tf.Variable
) -> dict[str, list[tf.Variable]]:
  """Returns all variables that a resumed run needs, by what they belong to.

  Args:
    learned: What the updates move.
    optimizers: What takes their steps.
    train_step: The count of updates.
  """
  # A fixed temperature is what a run is told, not what it has learned.
  adapted = [] if learned.log_temperature is None else [learned.log_temperature]
  return {
    **_policy_parts('', learned.actor),
    **_policy_parts('averaged_', learned.average),
    'critic': list(learned.critics.network.variables),
    'target_critic': list(learned.target_critics.network.variables),
    **_optional_parts(learned),
    'log_temperature': adapted,
    'actor_optimizer': list(optimizers.actor.variables),
    'critic_optimizer': list(optimizers.critic.variables),
    'temperature_optimizer': list(optimizers.temperature.variables),
    'train_step': [train_step],
  }


def inherited_parts(
  learned: update_lib.Learned, own: dict[str, Any], below: dict[str, Any]
) -> list[str]:
  """Returns what means the same in the layer below, where the critic judges the action.

  What the policy below sees in a state is worth seeing for this one; what it does with it
  is not inherited, so that the layer starts as the identity. The temperature means the
  same if it weighs the same entropy and adapts to the same target. Adam's moments come
  along: from none its first steps would be as large as any.

  Args:
    learned: What the updates move.
    own: The agent's `objective`.
    below: That of the layer below.

  Raises:
    ValueError: If its values are discounted otherwise.
  """
  if below['gamma'] != own['gamma']:
    raise ValueError(f'its gamma is {below["gamma"]}, here it is {own["gamma"]}')
  parts = [
    *EMBEDDINGS,
    'critic',
    'target_critic',
    'critic_optimizer',
    *_optional_parts(learned),
  ]
  adapts = own['target_entropy'] is not None
  if adapts and own['entropy_of_action'] and own == below:
    parts += ['log_temperature', 'temperature_optimizer']
  return parts
