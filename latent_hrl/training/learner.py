"""Learns from batches in the background, and hands out the weights to act with."""

import contextlib
import functools
from collections.abc import Iterator
from concurrent import futures

import numpy as np
import tensorflow as tf

from latent_hrl.agents import protocol
from latent_hrl.networks import policy as policy_lib
from latent_hrl.training import updates


class Learner:
  """K updates a call, on a thread of its own, beside whoever collects.

  The acting network is a copy that changes only in `publish`, so collection never sees
  weights in the middle of an update: a run gives the same numbers whether it overlaps
  collection and learning or not. Batches in, weights out: nothing here knows where
  experience comes from.
  """

  def __init__(
    self,
    agent: protocol.OffPolicyAgent,
    acting_network: policy_lib.PolicyNetwork,
    updates_per_call: int,
    batch_size: int,
    overlap: bool = True,
    command_size: int = 0,
  ):
    """Binds the agent; `compile` and `start` do the work.

    Args:
      agent: The agent to train.
      acting_network: A copy of its actor network, with variables.
      updates_per_call: K.
      batch_size: B.
      overlap: Whether `start` returns before the updates are done; without it they are
        done at once, which is as fast on a single core.
      command_size: n, entries of a command behind what the policy sees.
    """
    self._agent = agent
    self._update = updates.fused_update(agent)
    self._command_size = command_size
    self._shape = (updates_per_call, batch_size)
    self._executor = futures.ThreadPoolExecutor(1, 'learner') if overlap else None

    def publish(source: policy_lib.PolicyNetwork) -> None:
      for mine, theirs in zip(acting_network.variables, source.variables, strict=True):
        mine.assign(theirs)

    self._publish, self._publish_average = (
      tf.function(functools.partial(publish, source), autograph=False)
      for source in (agent.actor_network, agent.averaged_actor_network)
    )
    self.publish()

  def compile(self) -> 'futures.Future[np.ndarray]':
    """Starts compiling the update; whatever `start` comes next waits for it."""
    actor = self._agent.actor_network
    observation_size = actor.input_tensor_spec.shape[0] + self._command_size
    zeros = protocol.Batch(
      observation=np.zeros((*self._shape, observation_size), np.float32),
      output=np.zeros((*self._shape, actor.dimension), np.float32),
      reward=np.zeros(self._shape, np.float32),
      discount=np.zeros(self._shape, np.float32),
      next_observation=np.zeros((*self._shape, observation_size), np.float32),
    )
    return self._submit(zeros, 0)

  def start(self, batch: protocol.Batch, count: int) -> 'futures.Future[np.ndarray]':
    """Starts updates.

    Args:
      batch: Transitions, leading shape [K, B].
      count: How many updates, up to K: one for each of the first batches.

    Returns:
      The means of `agent.loss_names` over the updates, float32, once they are done.
    """
    return self._submit(batch, count)

  def publish(self) -> None:
    """Copies the actor's weights into the acting network; no update may be running."""
    self._publish()

  @contextlib.contextmanager
  def averaged(self) -> Iterator[None]:
    """Lends the acting network the averaged weights; no update may be running."""
    self._publish_average()
    try:
      yield
    finally:
      self._publish()

  def close(self) -> None:
    """Waits for a running update and ends the thread."""
    if self._executor is not None:
      self._executor.shutdown(cancel_futures=True)

  def _submit(self, batch: protocol.Batch, count: int) -> 'futures.Future[np.ndarray]':
    def work() -> np.ndarray:
      tensors = protocol.Batch(*[tf.constant(part) for part in batch])
      return self._update(tensors, tf.constant(count)).numpy()

    if self._executor is not None:
      return self._executor.submit(work)
    done: futures.Future[np.ndarray] = futures.Future()
    done.set_result(work())
    return done
