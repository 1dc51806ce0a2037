"""What makes a training the same: whether checkpoints and saved layers mean the same."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from latent_hrl import errors
from latent_hrl.layers import manifest as manifest_lib


class Identity(NamedTuple):
  """What the critic and the replay of a layer are about.

  Attributes:
    task: Task id.
    task_options: Keyword arguments of the task.
    reward: Name of the reward function.
    reward_arguments: Arguments of that function.
    fields: Names of the observation fields that the layer reads.
    interval: Environment steps from one decision to the next.
    agent: Name of what builds its agent. A manifest does not tell this and what follows:
      None.
    judged: What its critic judges, the `action` or the layer's `output`.
    critic_network: Parameters of the critic, defaults included; None if its agent declares
      none, and cannot hand its critic on.
    policy_network: Parameters of the policy, not all of which show in its weights.
    replay_capacity: Rows of the replay.
    command: How it is commanded; None if it is not.
  """

  task: str
  task_options: dict[str, Any]
  reward: str
  reward_arguments: dict[str, Any]
  fields: tuple[str, ...]
  interval: int
  agent: str | None = None
  judged: str | None = None
  critic_network: dict[str, Any] | None = None
  policy_network: dict[str, Any] | None = None
  replay_capacity: int | None = None
  command: dict[str, Any] | None = None


def of_record(record: manifest_lib.LayerRecord) -> Identity:
  """Returns that of a saved layer, as far as its manifest tells."""
  return Identity(
    record.task,
    record.task_options,
    record.reward,
    record.reward_arguments,
    record.reads,
    record.interval,
  )


def differences(own: Identity, other: Identity) -> Iterator[tuple[str, Any, Any]]:
  """Yields what differs, with both values, of all that is known of the other."""
  for what, mine, theirs in zip(Identity._fields, own, other, strict=True):
    if theirs is not None and _as_recorded(mine) != _as_recorded(theirs):
      yield what.replace('_', ' '), mine, theirs


def _as_recorded(value: Any) -> Any:
  return json.loads(json.dumps(value))  # JSON has no tuples.


def check_inherits(name: str, own: Identity, below: Identity | None) -> None:
  """Checks that a layer can start from critic and replay of the layer below.

  Args:
    name: Name of the layer.
    own: What it is about to learn.
    below: What the layer below learns; None for a bottom layer.

  Raises:
    ConfigError: If there is no layer below, it learns something else, or the agent cannot
      take over a critic.
  """
  if below is None:
    raise errors.ConfigError(
      f'{name}/Layer.inherit: a bottom layer has no layer below to inherit from'
    )
  if own.critic_network is None:
    raise errors.ConfigError(
      f'{name}/Layer.inherit: @{own.agent} does not tell what its critic is made of '
      '(critic_settings), so it cannot take over another'
    )
  # The policy is new anyway.
  for what, mine, theirs in differences(own, below._replace(policy_network=None)):
    raise errors.ConfigError(
      f'{name}/Layer.inherit: {what} {mine!r} here, {theirs!r} in the layer below; '
      'critic and replay carry over only where both are the same'
    )
