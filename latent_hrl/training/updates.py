"""K updates of an agent in one compiled call."""

from collections.abc import Callable

import tensorflow as tf

from latent_hrl import agents

FusedUpdate = Callable[[agents.Batch], tf.Tensor]


def fused_update(agent: agents.LatentSpaceAgent, updates: int) -> FusedUpdate:
  """Compiles K full updates (critic, actor, temperature, target) into one XLA program.

  The loop stays rolled: it runs as fast as an unrolled one and compiles in a quarter of
  the time.

  Args:
    agent: The agent; the same update as its `train`.
    updates: K.

  Returns:
    A function of a `Batch` with leading shape [K, B] that updates the agent and returns
    the mean `agents.LossExtra` over the K updates, as one float32 vector in its order;
    it raises ValueError for another number of batches.
  """

  def update(batch: agents.Batch) -> tf.Tensor:
    if batch.reward.shape[0] != updates:
      # XLA would clamp the index and train on the last batch again.
      raise ValueError(f'{batch.reward.shape[0]} batches for {updates} updates.')

    def body(i: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
      loss_info = agent.update(agents.Batch(*[part[i] for part in batch]))
      return i + 1, total + tf.stack(list(loss_info.extra))

    zeros = tf.zeros(len(agents.LossExtra._fields))
    _, total = tf.while_loop(
      lambda i, _: i < updates, body, (0, zeros), maximum_iterations=updates
    )
    return total / updates

  return tf.function(update, jit_compile=True, autograph=False)
