"""The learner: which weights it hands out."""

import numpy as np

from latent_hrl.training import learner as learner_lib
from tests import helpers


def test_the_average_is_lent_and_taken_back():
  agent = helpers.make_agent(helpers.action_spec())
  helpers.perturb(agent.averaged_actor_network.variables)
  acting = agent.actor_network.copy(name='Acting')
  acting.create_variables()
  learner = learner_lib.Learner(agent, acting, 1, 4, overlap=False)

  def acts_as(network):
    pairs = zip(acting.variables, network.variables, strict=True)
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)

  assert acts_as(agent.actor_network)
  with learner.averaged():
    assert acts_as(agent.averaged_actor_network)
    assert not acts_as(agent.actor_network)
  assert acts_as(agent.actor_network)
