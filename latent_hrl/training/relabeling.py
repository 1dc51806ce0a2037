"""Transitions of a commanded layer as if another command had been given."""

import numpy as np

from latent_hrl import commands
from latent_hrl.agents import protocol


def relabeled(
  batch: protocol.Batch,
  measured: np.ndarray,
  part: commands.Part,
  share: float,
  rng: np.random.Generator,
) -> protocol.Batch:
  """Returns a batch in which each command holds on, and some are drawn anew.

  The command is the last entries of an observation. That of the next observation becomes
  the transition's own: values are those of a command that is kept. The actions stay, they
  are as good or bad under any command; the reward follows the command.

  Args:
    batch: NumPy arrays with leading shape [K, B]; it is left as it is.
    measured: What the reward looked at, [K, B, m].
    part: The part of the reward that takes the command.
    share: Share of transitions whose command is drawn anew; 0 for none.
    rng: Draws which, and the commands.
  """
  size = len(part.entries)
  given = batch.observation[..., -size:]
  command, reward = given, batch.reward
  if share:
    anew = rng.random(reward.shape) < share
    drawn = rng.standard_normal(given.shape, np.float32)
    command = np.where(anew[..., np.newaxis], drawn, given)
    gain = part.value(measured, command) - part.value(measured, given)
    reward = np.asarray(np.where(anew, reward + gain, reward), np.float32)

  def told(observation: np.ndarray) -> np.ndarray:
    return np.concatenate([observation[..., :-size], command], axis=-1)

  return batch._replace(
    observation=told(batch.observation),
    reward=reward,
    next_observation=told(batch.next_observation),
  )
