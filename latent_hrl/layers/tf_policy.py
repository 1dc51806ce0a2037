"""A saved layer as a policy of TF-Agents, for its drivers, actors and policy saver."""

import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.policies import tf_policy
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import policy_step
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl.layers import load
from latent_hrl.layers import policy as policy_lib

# As `evaluation.rollout` has them.
LATENTS = ('mode', 'hold', 'sample')


class LayerPolicy(tf_policy.TFPolicy):
  """A frozen layer, with all layers below it, as a `TFPolicy`.

  Its state is what outlives a step: `latent` [D], where one is held for an episode; `held`
  [H, D] and `step`, the outputs of layers with an interval and the step of the episode.
  There is none where every layer puts out anew and no latent is held. The first step of an
  episode clears it.

  Actions are drawn from no distribution that TF-Agents knows: `distribution` is not
  implemented.
  """

  def __init__(
    self,
    layer: load.SavedLayer,
    latents: str = 'mode',
    fields: observations.Fields | None = None,
    name: str = 'LayerPolicy',
  ):
    """Makes a policy on one flat observation, float32 [O].

    Args:
      layer: The layer.
      latents: How the top latent is chosen: `mode`, always 0; `hold`, drawn from the prior
        once an episode; `sample`, drawn every step.
      fields: Fields of the observations that will come, such as those of a task, in order;
        None for just those of the layer.
      name: Name of the policy.

    Raises:
      ConfigError: If there is no such way to choose latents.
      StackError: If a field that the layer reads is missing or has another size.
    """
    if latents not in LATENTS:
      raise errors.ConfigError(
        f'there is no latent mode {latents!r}; there are {", ".join(LATENTS)}'
        f'{errors.nearest(str(latents), LATENTS)}'
      )
    fields = layer.fields if fields is None else fields
    manifest, vector = layer.manifest, [layer.dimension]
    state = {}
    if latents == 'hold':
      state['latent'] = tf.TensorSpec(vector, tf.float32, 'latent')
    if manifest.held_outputs:
      held = [manifest.held_outputs, layer.dimension]
      state['held'] = tf.TensorSpec(held, tf.float32, 'held')
    if state:
      state['step'] = tf.TensorSpec([], tf.int32, 'step')
    super().__init__(
      ts.time_step_spec(
        tf.TensorSpec([observations.total_size(fields)], tf.float32, 'observation')
      ),
      tensor_spec.BoundedTensorSpec(
        vector, tf.float32, manifest.action_low, manifest.action_high, 'action'
      ),
      policy_state_spec=state or (),
      clip=False,  # A layer stays within its box.
      name=name,
    )
    self._module = module = layer.module  # Tracked, so that it is saved along.
    self._weights: list[tf.Variable] = []  # `variables` finds none in a loaded object.
    while module is not None:
      self._weights.extend(module._owned_variables)
      module = getattr(module, '_lower', None)
    self._latents = latents
    self._where = observations.indices(fields, layer.fields)
    self._act = (
      self._module.act
      if manifest.held_outputs
      else policy_lib.memoryless(self._module.forward)
    )

  def _action(
    self,
    time_step: ts.TimeStep,
    policy_state: types.NestedTensor,
    seed: types.Seed | None = None,
  ) -> policy_step.PolicyStep:
    observation = tf.gather(time_step.observation, self._where, axis=-1)
    batch = tf.shape(observation)[0]
    before = policy_state or {}
    step = before.get('step', tf.zeros([batch], tf.int32))
    shape = [batch, *self.action_spec.shape]
    latent = tf.zeros(shape)
    if self._latents != 'mode':
      latent = tfp.distributions.Normal(0.0, 1.0).sample(shape, seed=seed)
    if self._latents == 'hold':
      begins = tf.equal(step, 0)[:, tf.newaxis]
      latent = tf.where(begins, latent, before['latent'])
    _, action, held = self._act(observation, latent, before.get('held', ()), step)
    state = {'latent': latent, 'held': held, 'step': step + 1}
    kept = {key: state[key] for key in self.policy_state_spec or ()}
    return policy_step.PolicyStep(action, kept or (), ())
