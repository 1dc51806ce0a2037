"""Fits the actor of a layer to critics that stand still (benchmarks.still_critics)."""

import pathlib
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from latent_hrl import config
from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.agents import latent_space_agent
from latent_hrl.layers import load
from latent_hrl.plan import check
from latent_hrl.plan import layer_plan
from latent_hrl.training import build
from latent_hrl.training import checkpoints
from latent_hrl.training import replay as replay_lib
from latent_hrl.training import seeds as seeds_lib

# Of the objective: states of the replay, the same for every actor, and actions in each.
_STATES = 4096
_DRAWS = 4
_CALL = 100  # Updates in one compiled call.


def measure(
  critics: pathlib.Path, start: pathlib.Path | None, seed: int, updates: Sequence[int]
) -> list[tuple[int, float]]:
  """Fits the actor of the last layer that gin describes to the critics of a checkpoint.

  Args:
    critics: A checkpoint, DIR/checkpoints/NAME/step_N; its critics judge the action.
    start: One to start the actor from; None starts it from nothing.
    seed: Seed of weights, batches and noise.
    updates: After how many updates to measure, multiples of 100.

  Returns:
    Numbers of updates, 0 first, and the objective after each, in units of reward.

  Raises:
    LatentHrlError: If the checkpoints do not fit the layer, or each other.
  """
  wrong = [count for count in updates if count < _CALL or count % _CALL]
  if wrong:
    raise errors.ConfigError(f'--updates must be multiples of {_CALL}, got {wrong[0]}')
  agent, replay, batch_size = _prepare(critics, start, seed)
  # Drawn apart, so that all actors are measured on the same.
  kept = replay.read(*replay.rows_kept)['observations']
  states = tf.constant(np.random.default_rng(0).choice(kept, _STATES))
  objective, follow = _objective(agent), _follow(agent)
  curve = [(0, float(objective(states)))]
  for done in range(_CALL, max(updates) + 1, _CALL):
    batch = replay.sample(_CALL, batch_size)
    follow(tf.constant(batch.observation), tf.constant([seed, done]))
    if done in updates:
      curve.append((done, float(objective(states))))
  return curve


def _prepare(
  critics: pathlib.Path, start: pathlib.Path | None, seed: int
) -> tuple[latent_space_agent.LatentSpaceAgent, replay_lib.ReplayBuffer, int]:
  """Returns the agent with its critics, their replay, and the size of a batch."""
  bound = {name: value for _, name, value in config.bound_values(('train_stack',))}
  *below, layer = bound['layers']
  if len(below) > 1 or not all(isinstance(lower, str) for lower in below):
    raise errors.ConfigError(
      "bind train_stack.layers = ['DIR/layers/NAME', @upper/Layer()]: what is below must "
      'be trained'
    )
  *_, plan = check.check(bound['layers'], bound['task'])
  assert isinstance(plan, layer_plan.LayerPlan)
  lower = load.load_layer(below[0]) if below else None
  agent = build.agent(plan, lower, seed)
  if not isinstance(agent, latent_space_agent.LatentSpaceAgent):
    raise errors.ConfigError(f'{layer.name!r} is no latent space layer')
  replay = replay_lib.ReplayBuffer(
    plan.off_policy.replay_capacity,
    observations.total_size(plan.reads),
    plan.task.box.shape[0],
    seeds_lib.seeds(seed, lower).replay,
  )
  actor = [variable.numpy() for variable in agent.actor_network.variables]
  number = critics.name.removeprefix('step_')
  if not number.isdigit():
    raise errors.ConfigError(f'{critics} is no checkpoint DIR/checkpoints/NAME/step_N')
  network = plan.agent.critic_settings or {}
  taken = checkpoints.inherit(critics.parent, int(number), agent, replay, network)
  adapts = agent.objective['target_entropy'] is not None
  if adapts and 'log_temperature' not in taken:
    raise errors.ConfigError(
      f'{critics} has a temperature of another entropy or target than {layer.name!r}'
    )
  for variable, value in zip(agent.actor_network.variables, actor, strict=True):
    variable.assign(value)
  if start is not None:
    own = ('embedding',) if below else ('embedding', 'actor', 'actor_optimizer')
    checkpoints.take(start, agent, own)
  return agent, replay, plan.off_policy.batch_size


def _objective(
  agent: latent_space_agent.LatentSpaceAgent,
) -> Callable[[tf.Tensor], tf.Tensor]:
  """Returns what measures min Q + αH in the mean over states [N, O]."""

  def objective(states: tf.Tensor) -> tf.Tensor:
    losses = [
      agent.losses.actor_loss(states, tf.constant([0, i]))[0] for i in range(_DRAWS)
    ]
    return -tf.reduce_mean(losses)

  return tf.function(objective, jit_compile=True, autograph=False)


def _follow(
  agent: latent_space_agent.LatentSpaceAgent,
) -> Callable[[tf.Tensor, tf.Tensor], None]:
  """Returns what updates the actor alone, on states [K, B, O] with a seed [2]."""
  variables = agent.actor_network.trainable_variables

  def follow(states: tf.Tensor, seed: tf.Tensor) -> None:
    def body(i: tf.Tensor) -> tuple[tf.Tensor]:
      with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(variables)
        fold = tf.random.experimental.stateless_fold_in(seed, i)
        loss, _ = agent.losses.actor_loss(states[i], fold)
      gradients = tape.gradient(loss, variables)
      agent.actor_optimizer.apply_gradients(zip(gradients, variables, strict=True))
      return (i + 1,)

    tf.while_loop(lambda i: i < states.shape[0], body, (0,))

  return tf.function(follow, jit_compile=True, autograph=False)
