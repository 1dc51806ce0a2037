"""The plan of one layer: all that its training has to know, complete and immutable."""

import dataclasses
from typing import Any, NamedTuple

import gin
import numpy as np
import tensorflow as tf
from gymnasium import spaces
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts

from latent_hrl import commands
from latent_hrl import config
from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import parameters
from latent_hrl import rewards
from latent_hrl.agents import protocol
from latent_hrl.environments import layer_reward
from latent_hrl.environments import symmetries
from latent_hrl.environments import tasks
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.plan import identity as identity_lib
from latent_hrl.plan import layer as layer_lib
from latent_hrl.plan import settings


class TaskPlan(NamedTuple):
  """The task of a layer.

  Attributes:
    task_id: Its id.
    options: Its keyword arguments.
    fields: Fields of its observation, in order.
    box: Its actions.
  """

  task_id: str
  options: dict[str, Any]
  fields: observations.Fields
  box: spaces.Box


@dataclasses.dataclass(frozen=True)
class LayerPlan:
  """What is trained, on what, and how.

  Attributes:
    layer: The layer as gin describes it.
    bottom: Whether there is none below it, so that its output is the action.
    task: Its task.
    reads: Fields that it reads.
    fields: Fields that it and the layers below read, in the order of the task.
    reward: Its reward.
    command: The part of the reward that takes its command; None for no command.
    agent: Its agent.
    loop: How often it is evaluated and saved.
    off_policy: Numbers of learning from a replay.
    symmetry: The symmetry of the robot on what critics read; None for none.
  """

  layer: layer_lib.Layer
  bottom: bool
  task: TaskPlan
  reads: observations.Fields
  fields: observations.Fields
  reward: rewards.BoundReward
  command: commands.Part | None
  agent: protocol.AgentConfig
  loop: settings.LoopConfig
  off_policy: settings.OffPolicyConfig
  symmetry: symmetries.Symmetry | None

  @property
  def name(self) -> str:
    """Name of the layer."""
    return self.layer.name

  @property
  def judges_action(self) -> bool:
    """Whether its critic judges what the layers below make of its output."""
    return not self.bottom and self.layer.critic == 'action'

  @property
  def command_size(self) -> int:
    """n, how many entries of its latent are a command."""
    return 0 if self.command is None else len(self.command.entries)

  @property
  def commander(self) -> commands.Commander | None:
    """What draws its commands; None for a layer without."""
    told = self.layer.command
    if told is None:
      return None
    return commands.Commander(
      self.command_size, told.redraw_probability, self.layer.interval
    )

  @property
  def judged_fields(self) -> observations.Fields:
    """What its critics read: what it reads, and its command."""
    return _judged_fields(self.reads, self.command)

  @property
  def identity(self) -> identity_lib.Identity:
    """What a training must have in common with this one to go on as it, or hand down."""
    told = self.layer.command
    return identity_lib.Identity(
      self.task.task_id,
      self.task.options,
      self.reward.name,
      self.reward.arguments,
      tuple(field.name for field in self.reads),
      self.layer.interval,
      agent=self.agent.gin_name,
      judged='action' if self.bottom else self.layer.critic,
      critic_network=self.agent.critic_settings,
      policy_network=self.agent.policy_settings,
      replay_capacity=self.off_policy.replay_capacity,
      command=None if told is None else parameters.values(told),
    )

  @property
  def time_step_spec(self) -> ts.TimeStep:
    """Spec of what its critics read, float32 [O + n]."""
    size = observations.total_size(self.judged_fields)
    return ts.time_step_spec(tf.TensorSpec([size], tf.float32))

  @property
  def action_spec(self) -> tensor_spec.BoundedTensorSpec:
    """Spec of the task's action, float32 [D]."""
    box = self.task.box
    return tensor_spec.BoundedTensorSpec(box.shape, tf.float32, box.low, box.high, 'action')

  @property
  def output_spec(self) -> tensor_spec.TensorSpec:
    """Spec of what it puts out, float32 [D]: the action, or the latent of the one below."""
    if self.bottom:
      return self.action_spec
    return tf.TensorSpec(self.task.box.shape, tf.float32, name='latent')


def plan(
  layer: layer_lib.Layer,
  task: tasks.Task,
  below: LayerPlan | manifest_lib.Manifest | None,
) -> LayerPlan:
  """Returns the plan of a layer that fits its task and what lies below.

  Args:
    layer: The layer.
    task: Its task, in which a step is taken.
    below: The layer below, to be trained or trained; None for a bottom layer.

  Raises:
    LatentHrlError: If anything in it contradicts something else.
  """
  with gin.config_scope(layer.name), config.mistakes():
    reads = observations.select(task.fields, layer.observation_fields)
    reward = rewards.bind(layer.reward_fn)
    command = commands.checked_part(
      layer.name, reward, layer.command, layer.interval, task.action_space.shape[0]
    )
    judged = _judged_fields(reads, command)
    planned = LayerPlan(
      layer=layer,
      bottom=below is None,
      task=TaskPlan(task.task_id, task.options, task.fields, task.action_space),
      reads=reads,
      fields=observations.merge(task.fields, reads, () if below is None else below.fields),
      loop=settings.LoopConfig(),
      off_policy=settings.OffPolicyConfig(),
      reward=reward,
      command=command,
      agent=layer.agent_fn(),
      symmetry=None if layer.symmetry_fn is None else layer.symmetry_fn(judged),
    )
  _check_replay(planned)
  _check_agent(planned)
  layer_reward.probe(task, planned.reward)
  if layer.inherit:
    identity_lib.check_inherits(layer.name, planned.identity, _identity(below))
  return planned


def _judged_fields(
  reads: observations.Fields, command: commands.Part | None
) -> observations.Fields:
  return reads if command is None else (*reads, command.field)


def _identity(
  below: LayerPlan | manifest_lib.Manifest | None,
) -> identity_lib.Identity | None:
  if isinstance(below, manifest_lib.Manifest):
    return identity_lib.of_record(below.layers[-1])
  return None if below is None else below.identity


def _check_replay(planned: LayerPlan) -> None:
  """Checks that the replay fits the layer, and the machine."""
  layer, off_policy, task = planned.layer, planned.off_policy, planned.task
  if off_policy.initial_steps < layer.interval:
    raise errors.ConfigError(
      f'{layer.name}/OffPolicy.initial_steps is {off_policy.initial_steps}, too few for '
      f'one decision of {layer.interval} steps'
    )
  row = observations.total_size(task.fields) + task.box.shape[0]
  try:
    np.empty((off_policy.replay_capacity, row), np.float32)  # No memory till written.
  except (MemoryError, ValueError) as error:
    raise errors.ConfigError(
      f'{layer.name}/OffPolicy.replay_capacity is {off_policy.replay_capacity:,}: {error}'
    ) from None


def _check_agent(planned: LayerPlan) -> None:
  """Checks that the agent can learn what the layer asks of it."""
  layer, agent = planned.layer, planned.agent
  if layer.critic == 'action' and not agent.judges_actions:
    raise errors.ConfigError(
      f"{layer.name}/Layer.critic = 'action' is for @create_agent, not for "
      f'@{agent.gin_name}'
    )
  latents_alone = not planned.bottom and layer.critic != 'action'
  # Other agents do not read what a file binds for this one, such as gin/second_layer.gin.
  if agent.needs_executed_action and latents_alone:
    raise errors.ConfigError(
      f"{layer.name}/create_agent.entropy_of = 'action' needs {layer.name}/Layer.critic = "
      "'action': only then are the layers below a part of the update"
    )
  if layer.command is not None and not agent.takes_commands:
    raise errors.ConfigError(
      f'{layer.name}/Layer.command is for @create_agent, not for @{agent.gin_name}'
    )
  if layer.symmetry_fn is None:
    return
  if agent.learns_from != 'replay':
    raise errors.ConfigError(
      f'{layer.name}/Layer.symmetry_fn is for agents that learn from a replay, not for '
      f'@{agent.gin_name}'
    )
  if latents_alone:
    raise errors.ConfigError(
      f"{layer.name}/Layer.symmetry_fn needs {layer.name}/Layer.critic = 'action': the "
      'symmetry of a robot says nothing about latents'
    )
