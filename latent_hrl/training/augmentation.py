"""Data augmentation: transitions as the symmetry of a robot shows them."""

import numpy as np

from latent_hrl.agents import protocol
from latent_hrl.environments import symmetries


def augmented(
  batch: protocol.Batch, symmetry: symmetries.Symmetry, rng: np.random.Generator
) -> protocol.Batch:
  """Returns a batch whose transitions are each seen in a view of their own.

  Args:
    batch: Of actions, NumPy arrays with leading shape [K, B]; it is left as it is.
    symmetry: The symmetry of the robot.
    rng: Draws the views.
  """
  view = symmetry.draw(batch.reward.size, rng)

  def shown(rows: np.ndarray, show) -> np.ndarray:
    return show(rows.reshape(-1, rows.shape[-1]), view).reshape(rows.shape)

  return batch._replace(
    observation=shown(batch.observation, symmetry.observation),
    output=shown(batch.output, symmetry.action),
    next_observation=shown(batch.next_observation, symmetry.observation),
  )
