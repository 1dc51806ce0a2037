"""The random streams of a layer's training."""

from typing import NamedTuple

import numpy as np

from latent_hrl.layers import load


class Seeds(NamedTuple):
  """One stream for each use, so that none shifts another.

  Attributes:
    weights: Initial weights.
    agent: Noise of the updates.
    replay: Which transitions are drawn.
    noise: Latents and uniform actions of collection.
    env: Episodes of collection.
    evaluation: Episodes of evaluation.
  """

  weights: int
  agent: int
  replay: int
  noise: int
  env: int
  evaluation: int


def seeds(seed: int, lower: load.SavedLayer | None) -> Seeds:
  """Returns the seeds of a layer.

  Args:
    seed: Seed of the run.
    lower: The layer below; None for a bottom layer.
  """
  streams = np.random.SeedSequence([seed, 0 if lower is None else lower.manifest.depth])
  return Seeds(
    *(int(value) & 0x7FFFFFFF for value in streams.generate_state(len(Seeds._fields)))
  )
