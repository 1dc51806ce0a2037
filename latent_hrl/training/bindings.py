"""What gin may bind, checked before anything of the stack is built.

The networks check their arguments too, but those of an upper layer are built when the
layers below are trained, and TensorFlow's complaint about a wrong type helps nobody.
`Layer` and `Trainer` check themselves, since gin makes them before.
"""

import gin

from latent_hrl import agents
from latent_hrl import checks
from latent_hrl import config
from latent_hrl import errors
from latent_hrl import ranges
from latent_hrl.environments import symmetries

# Wider layers than that do not fit into memory, more couplings do not compile in a day.
_WIDTH = checks.integer(1, 65_536)
_COUPLINGS = checks.integer(0, 64)
_GOAL = checks.optional(checks.several(checks.NUMBER))

_DETERMINISTIC = {
  'actor_learning_rate': checks.POSITIVE,
  'critic_learning_rate': checks.POSITIVE,
  'gamma': checks.FROM_0_TO_1,
  'target_update_tau': checks.SHARE,
  'target_update_period': checks.POSITIVE_INTEGER,
}

RULES = {
  'LatentPolicyNetwork': {
    'embedding_units': checks.several(_WIDTH),
    'embedding_size': checks.optional(_WIDTH),
    'num_couplings': _COUPLINGS,
    'conditioner_units': checks.optional(_WIDTH),
    'log_scale_bound': checks.POSITIVE,
    'shift_scale': checks.POSITIVE,
    'name': checks.NAME,
  },
  'TwinCriticNetwork': {
    'hidden_units': checks.several(_WIDTH),
    'layer_norm': checks.FLAG,
    'value_scale': checks.POSITIVE,
    'name': checks.NAME,
  },
  'create_agent': {
    'learning_rate': checks.POSITIVE,
    'gamma': checks.FROM_0_TO_1,
    'target_update_tau': checks.SHARE,
    'policy_average_tau': checks.SHARE,
    'temperature': checks.optional(checks.POSITIVE),
    'initial_temperature': checks.POSITIVE,
    'target_entropy': checks.optional(checks.NUMBER),
    'target_kl': checks.NOT_NEGATIVE,
    'entropy_of': checks.one_of(agents.ENTROPIES),
  },
  'sac_agent': {
    'hidden_units': checks.several(_WIDTH),
    'learning_rate': checks.POSITIVE,
    'gamma': checks.FROM_0_TO_1,
    'target_update_tau': checks.SHARE,
    'reward_scale_factor': checks.POSITIVE,
  },
  'deterministic_networks': {
    'actor_units': checks.several(_WIDTH),
    'critic_observation_units': checks.several(_WIDTH),
    'critic_joint_units': checks.several(_WIDTH),
  },
  # Exploration noise is the latent of the saved layer: without it there is none.
  'ddpg_agent': {**_DETERMINISTIC, 'ou_stddev': checks.POSITIVE},
  'td3_agent': {
    **_DETERMINISTIC,
    'actor_update_period': checks.POSITIVE_INTEGER,
    'exploration_noise_std': checks.POSITIVE,
    'target_policy_noise': checks.NOT_NEGATIVE,
    'target_policy_noise_clip': checks.NOT_NEGATIVE,
  },
  'ppo_agent': {
    'actor_units': checks.several(_WIDTH),
    'value_units': checks.several(_WIDTH),
    'learning_rate': checks.POSITIVE,
    'gamma': checks.FROM_0_TO_1,
    'lambda_value': checks.FROM_0_TO_1,
    'importance_ratio_clipping': checks.POSITIVE,
    'gradient_clipping': checks.POSITIVE,
    'value_pred_loss_coef': checks.NOT_NEGATIVE,
    'entropy_regularization': checks.NOT_NEGATIVE,
    'collect_steps': checks.POSITIVE_INTEGER,
    'minibatch_size': checks.POSITIVE_INTEGER,
    'num_epochs': checks.POSITIVE_INTEGER,
  },
  'make_task': {'options': checks.optional(checks.OPTIONS)},
  'task_reward': {'scale': checks.NUMBER},
  'task_term': {'name': checks.TEXT},
  'goal_distance': {
    'goal': _GOAL,
    'weight': checks.NUMBER,
    'offset': checks.NUMBER,
  },
  'sparse_goal': {'goal': _GOAL, 'radius': checks.POSITIVE, 'weight': checks.NUMBER},
  'AntSymmetry': {'turns': checks.one_of(symmetries.TURNS)},
}


def check(unchecked_ranges: bool = False) -> None:
  """Checks every value that gin holds, and makes integers of `6e5` where they are meant.

  Args:
    unchecked_ranges: Whether to take numbers outside of their sensible ranges.

  Raises:
    ConfigError: If a value is of a wrong type, an impossible number, or outside of its
      sensible range.
  """
  for owner, parameter, value in list(config.bound_values(RULES)):
    rule = RULES[owner.split('/')[-1]][parameter]
    if not rule.holds(value):
      raise errors.ConfigError(f'{owner}.{parameter} must be {rule.text}, got {value!r}')
    taken = rule.taken(value)
    if repr(taken) != repr(value):
      with gin.unlock_config():
        gin.bind_parameter(f'{owner}.{parameter}', taken)
  if not unchecked_ranges:
    _check_ranges()


def _check_ranges() -> None:
  owners = {*RULES, 'Trainer', 'Layer'}
  for owner, parameter, value in config.bound_values(owners):
    sensible = ranges.problem(parameter, value)
    if sensible:
      raise errors.ConfigError(f'{owner}.{parameter} must be {sensible}, got {value!r}')
