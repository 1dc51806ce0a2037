"""What a layer's agent cannot learn from is told before anything is built."""

import gin
import pytest

from latent_hrl import errors
from latent_hrl.agents import ppo
from latent_hrl.environments import symmetries
from latent_hrl.layers import spec
from latent_hrl.training import build


@pytest.mark.parametrize(
  ('layer', 'bottom', 'reason'),
  [
    ({'agent_fn': ppo.PpoConfig}, True, 'for agents that learn from a replay'),
    ({}, False, "needs run/Layer.critic = 'action'"),
  ],
)
def test_symmetry_needs_a_replay_of_actions(layer, bottom, reason):
  layer = spec.Layer(name='run', symmetry_fn=symmetries.AntSymmetry, **layer)
  with pytest.raises(errors.ConfigError, match=reason):
    build.check_critic(layer, bottom)


def test_entropy_of_the_action_needs_a_critic_of_it():
  gin.bind_parameter('run/create_agent.entropy_of', 'action')
  build.check_critic(spec.Layer(name='run'), bottom=True)
  build.check_critic(spec.Layer(name='run', critic='action'), bottom=False)
  build.check_critic(spec.Layer(name='run', agent_fn=ppo.PpoConfig), bottom=False)
  with pytest.raises(errors.ConfigError, match="of = 'action' needs run/Layer.critic"):
    build.check_critic(spec.Layer(name='run'), bottom=False)
