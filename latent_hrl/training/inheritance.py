"""Whether critic and replay of a layer mean the same for the layer above."""

import json
from typing import Any, NamedTuple

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import rewards
from latent_hrl.environments import tasks
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import spec as spec_lib


class Lesson(NamedTuple):
  """What the critic and the replay of a layer are about.

  Attributes:
    task: Task id.
    task_options: Keyword arguments of the task.
    reward: Name of the reward function.
    reward_arguments: Arguments of that function.
    fields: Names of the observation fields that the layer reads.
  """

  task: str
  task_options: dict[str, Any]
  reward: str
  reward_arguments: dict[str, Any]
  fields: tuple[str, ...]


def lesson(layer: spec_lib.Layer, task: tasks.Task, reward: rewards.BoundReward) -> Lesson:
  """Returns what a layer is about to learn."""
  fields = observations.select(task.fields, layer.observation_fields)
  names = tuple(field.name for field in fields)
  return Lesson(task.task_id, task.options, reward.name, reward.arguments, names)


def lesson_of(record: manifest_lib.LayerRecord) -> Lesson:
  """Returns what a saved layer has learned."""
  return Lesson(
    record.task, record.task_options, record.reward, record.reward_arguments, record.reads
  )


def check(name: str, own: Lesson, below: Lesson | None) -> None:
  """Checks that a layer can start from critic and replay of the layer below.

  Args:
    name: Name of the layer.
    own: What it is about to learn.
    below: What the layer below learns; None for a bottom layer.

  Raises:
    ConfigError: If there is no layer below, or it learns something else.
  """
  if below is None:
    raise errors.ConfigError(
      f'{name}/Layer.inherit: a bottom layer has no layer below to inherit from'
    )
  for what, mine, theirs in zip(Lesson._fields, own, below, strict=True):
    # As a manifest records them: JSON has no tuples.
    if json.loads(json.dumps(mine)) != json.loads(json.dumps(theirs)):
      raise errors.ConfigError(
        f'{name}/Layer.inherit: its {what.replace("_", " ")} is {mine!r}, that of the '
        f'layer below {theirs!r}; critic and replay carry over only where both are the same'
      )
