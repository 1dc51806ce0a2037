"""Batches seen through a symmetry."""

import numpy as np

from latent_hrl import observations
from latent_hrl.agents import protocol
from latent_hrl.environments import symmetries
from latent_hrl.training import augmentation

FIELDS = (
  observations.ObservationField('proprioception', 27),
  observations.ObservationField('position', 2),
  observations.ObservationField('goal', 2),
)


def test_all_of_a_transition_is_seen_in_one_view():
  rng = np.random.default_rng(0)
  shape = (3, 50)
  batch = protocol.Batch(
    observation=rng.normal(size=(*shape, 31)).astype(np.float32),
    output=rng.normal(size=(*shape, 8)).astype(np.float32),
    reward=rng.normal(size=shape).astype(np.float32),
    discount=np.ones(shape, np.float32),
    next_observation=rng.normal(size=(*shape, 31)).astype(np.float32),
  )
  before = {name: part.copy() for name, part in batch._asdict().items()}
  seen = augmentation.augmented(
    batch, symmetries.AntSymmetry(FIELDS), np.random.default_rng(1)
  )
  for name, part in before.items():
    np.testing.assert_array_equal(getattr(batch, name), part)
  assert seen.reward is batch.reward
  assert seen.discount is batch.discount
  # Lengths and angles within a transition stay, those of the transitions differ.
  for old, new in (
    (batch.observation, seen.observation),
    (batch.next_observation, seen.next_observation),
  ):
    np.testing.assert_allclose(
      np.sum(new[..., 27:29] * seen.observation[..., 29:], axis=-1),
      np.sum(old[..., 27:29] * batch.observation[..., 29:], axis=-1),
      atol=1e-5,
    )
  np.testing.assert_allclose(
    np.sort(np.abs(seen.output)), np.sort(np.abs(batch.output)), atol=1e-6
  )
  moved = np.abs(seen.observation - batch.observation).max(-1) > 0.1
  assert moved.mean() > 0.8
