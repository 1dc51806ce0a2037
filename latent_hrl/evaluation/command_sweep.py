"""What a commanded layer does when it is told: the speed reached for each command.

A sweep holds commands of several sizes, in eight directions or, with one entry, two, with
no noise behind them. What is reached is the mean over the time that a command is held of
what the layer's reward measures, along it; what is asked for is the limit that its size
sets.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from latent_hrl import commands
from latent_hrl import errors
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import rollout
from latent_hrl.layers import load

DIRECTIONS = 8
# Sizes of commands. Of those in the plane an eighth is larger than the last, which asks for
# 86% of the most there is, with one entry for 95%; still larger ones are rarely trained.
SIZES = (0.5, 1.0, 1.5, 2.0)
# A second for a robot of 0.05 s a step is 20; ten of them tell a walk from a stumble.
STEPS = 200


@dataclasses.dataclass(frozen=True)
class Told:
  """One episode under one command.

  Attributes:
    command: float32 [n].
    asked: How much of it is asked for, in the command's unit; negative against the axis of
      a command with one entry.
    reached: The mean of what was reached along it over the time it was to be held, in the
      same unit and sign.
    ended_early: Whether the episode ended before its time.
    episode: The episode.
  """

  command: np.ndarray
  asked: float
  reached: float
  ended_early: bool
  episode: episodes_lib.Episode


def sweep(
  layer: load.SavedLayer,
  task_id: str | None = None,
  seed: int = 0,
  task_options: dict[str, Any] | None = None,
  steps: int = STEPS,
) -> list[Told]:
  """Plays an episode for each command of the sweep.

  Args:
    layer: A layer with a command.
    task_id: See `rollout.evaluate`.
    seed: Seed of the starts.
    task_options: See `rollout.evaluate`.
    steps: Environment steps of an episode.

  Raises:
    ConfigError: If the layer has no command, or its reward is of a module that is not
      imported.
  """
  reward = rollout.recorded_reward(layer)
  part = None if reward is None else commands.part_of(reward)
  if reward is None or part is None:
    raise errors.ConfigError(f'{layer.path} has no command to sweep')
  told = _commands(len(part.entries))
  latents = np.zeros((len(told), layer.dimension), np.float32)
  latents[:, : told.shape[1]] = told
  known_id, options = rollout.task_and_options(layer, task_id, task_options)
  slots = 8
  envs = [
    layer_reward.LayerReward(tasks.make_task(known_id, options=options), reward)
    for _ in range(slots)
  ]
  try:
    episodes = rollout.run_episodes(
      envs,
      rollout.layer_decoder(layer, envs[0].task.fields, slots),
      layer.dimension,
      len(told),
      seed,
      latents,
      record=True,
      max_steps=steps,
      commander=rollout.commander_of(layer),
    )
  finally:
    for env in envs:
      env.close()
  return [_told(part, *pair, steps) for pair in zip(told, episodes, strict=True)]


def _commands(size: int) -> np.ndarray:
  """Returns the commands of a sweep, [N, n]; the sizes grow, the directions turn."""
  if size == 1:
    directions = np.array([[1.0], [-1.0]])
  else:
    angles = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
    directions = np.zeros((DIRECTIONS, size))
    directions[:, :2] = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
  return np.concatenate([scale * directions for scale in SIZES]).astype(np.float32)


def _told(
  part: commands.Part, command: np.ndarray, episode: episodes_lib.Episode, steps: int
) -> Told:
  unit = command / np.linalg.norm(command)
  along = float(np.sum(episode.measured, axis=0) @ unit) / steps
  # So much motion along a command that its limit counts; the weight is not part of it.
  most = part._replace(weight=1.0, arguments={**part.arguments, 'overshoot': 0.0})
  asked = float(most.value(1e9 * unit[np.newaxis], command[np.newaxis])[0])
  sign = np.sign(command[0]) if len(command) == 1 else 1.0
  return Told(command, sign * asked, sign * along, episode.length < steps, episode)


def of_largest(told: Sequence[Told]) -> list[Told]:
  """Returns those of a sweep with the largest commands, one for each direction."""
  sizes = [float(np.linalg.norm(one.command)) for one in told]
  return [one for one, size in zip(told, sizes, strict=True) if size > max(sizes) - 1e-3]


def summary(told: Sequence[Told]) -> dict[str, Any]:
  """Returns the figures of a sweep as JSON types.

  Returns:
    `commands`: number of commands held; `reached_mean` and `reached_min`: what was reached
    along the largest commands, mean and least over their directions, with `asked` beside;
    `covered`: how many of these directions were followed at half of what was asked or
    more; `correlation`: of reached with asked over all commands, 0 where one of them never
    varies; `ended_early`: share of episodes that did.
  """
  top = of_largest(told)
  reached = np.array([np.sign(one.asked) * one.reached for one in top])
  asked = np.array([abs(one.asked) for one in top])
  pairs = np.array([(one.asked, one.reached) for one in told])
  return {
    'commands': len(told),
    'directions': len(top),
    'asked': float(np.mean(asked)),
    'reached_mean': float(np.mean(reached)),
    'reached_min': float(np.min(reached)),
    'covered': int(np.count_nonzero(reached >= asked / 2)),
    'correlation': float(np.corrcoef(pairs.T)[0, 1]) if np.all(np.std(pairs, 0)) else 0.0,
    'ended_early': float(np.mean([one.ended_early for one in told])),
  }
