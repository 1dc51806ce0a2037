"""Numbers of the maximum-entropy agent: its objective and its updates."""

from typing import Annotated

from latent_hrl import checks
from latent_hrl import parameters
from latent_hrl import ranges
from latent_hrl.agents import entropy

_MEASURED = parameters.Source('measured')
_NATS = parameters.Unit('nats')
_UPDATES = parameters.Unit('updates')
_REWARD_PER_NAT = parameters.Unit('reward per nat')


@parameters.frozen
class Settings:
  """Numbers of the objective and of the updates.

  Attributes:
    learning_rate: Adam's step size for actor, critic and temperature (docs/method.md).
    gamma: Discount per environment step.
    target_update_tau: Share of the critic that enters its target each time.
    policy_average_tau: ν, the share of the policy that enters its average each update; 1
      keeps no average.
    temperature: Fixed α = 1 / reward scale; None adapts α to the target entropy.
    initial_temperature: α at the start when it is adapted.
    target_entropy: Target of H; None means -D for the entropy of actions and -target_kl for
      that of a latent.
    target_kl: Target KL to the prior of the layer below, for the above.
    actor_update_period: Every how many updates policy, average and temperature take a step.
    critics_first: Whether policy and temperature learn from what the critics have become in
      the same update; otherwise from what they were before.
    target_update_period: Every how many updates the target critics follow, and embeddings
      are replaced.
    clip_target_values: Whether target critics are held to the range that targets had when
      they last followed (`agents/critics.py`).
    entropy_of: Whose entropy is maximised: the layer's `output`, or the executed `action`
      (`agents/entropy.py`).
  """

  learning_rate: Annotated[float, checks.POSITIVE, ranges.LEARNING_RATE, _MEASURED] = 1e-3
  gamma: Annotated[float, checks.FROM_0_TO_1, parameters.Source('paper')] = 0.99
  target_update_tau: Annotated[
    float, checks.SHARE, ranges.AVERAGE, parameters.Source('code')
  ] = 0.005
  policy_average_tau: Annotated[float, checks.SHARE, ranges.AVERAGE, _MEASURED] = 0.005
  temperature: Annotated[
    float | None, checks.optional(checks.POSITIVE), ranges.TEMPERATURE, _REWARD_PER_NAT
  ] = None
  initial_temperature: Annotated[
    float, checks.POSITIVE, ranges.TEMPERATURE, _REWARD_PER_NAT
  ] = 0.1
  target_entropy: Annotated[
    float | None, checks.optional(checks.NUMBER), ranges.ENTROPY, _NATS
  ] = None
  target_kl: Annotated[
    float, checks.NOT_NEGATIVE, ranges.KL, _NATS, parameters.Source('prototype')
  ] = 1.5
  actor_update_period: Annotated[int, checks.POSITIVE_INTEGER, ranges.PERIOD, _UPDATES] = 1
  critics_first: Annotated[bool, checks.FLAG] = False
  target_update_period: Annotated[int, checks.POSITIVE_INTEGER, ranges.PERIOD, _UPDATES] = 1
  clip_target_values: Annotated[bool, checks.FLAG] = False
  entropy_of: Annotated[str, checks.one_of(entropy.KINDS), parameters.Source('paper')] = (
    'output'
  )
