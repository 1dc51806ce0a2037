"""What a layer's agent cannot learn from is told before anything is built."""

import pytest

from latent_hrl import errors
from latent_hrl.baselines import ppo
from latent_hrl.environments import symmetries
from latent_hrl.layers import spec
from latent_hrl.training import build


@pytest.mark.parametrize(
  ('layer', 'bottom', 'reason'),
  [
    ({'agent_fn': ppo.ppo_agent}, True, 'for agents that learn from a replay'),
    ({}, False, "needs run/Layer.critic = 'action'"),
  ],
)
def test_symmetry_needs_a_replay_of_actions(layer, bottom, reason):
  layer = spec.Layer('run', symmetry_fn=symmetries.AntSymmetry, **layer)
  with pytest.raises(errors.ConfigError, match=reason):
    build.check_critic(layer, bottom)
