"""The arithmetic floor: the matrix products of one update and nothing else, in NumPy.

NumPy's BLAS multiplies faster than what TensorFlow brings, on one thread and on two.
"""

import argparse
import os

from benchmarks.workers import protocol


def products(
  observation: int, dimension: int, batch: int = 256, width: int = 256, hidden: int = 32
) -> list[tuple[int, int, int, int]]:
  """Returns the products (rows, inner, columns, how many) of one update.

  Args:
    observation: O.
    dimension: D.
    batch: B.
    width: Units of both hidden layers of actor and critics.
    hidden: Units of the couplings' hidden layer.
  """
  first, second = dimension // 2, dimension - dimension // 2
  actor = [(observation, width), (width, width), (width, 2 * dimension)]
  for kept, moved in ((first, second), (second, first)):
    actor += [(kept + 2 * dimension, hidden), (hidden, 2 * moved)]
  critic = [(observation + dimension, width), (width, width), (width, 1)]

  def forward(net, count):
    return [(batch, i, o, count) for i, o in net]

  def weight_gradients(net, count):
    return [(i, batch, o, count) for i, o in net]

  def input_gradients(net, count):
    return [(batch, o, i, count) for i, o in net]

  return [
    *forward(actor, 2),  # next observation; observation
    *forward(critic, 2 * 3),  # twin critics: target, regression, actor loss
    *weight_gradients(critic, 2),
    *input_gradients(critic[1:], 2),
    *input_gradients(critic, 2),  # actor loss, down to the action
    *weight_gradients(actor, 1),
    *input_gradients(actor[1:], 1),
  ]


def main() -> None:
  """Measures until the input ends."""
  parser = argparse.ArgumentParser()
  parser.add_argument('--observation', type=int, default=17)
  parser.add_argument('--dimension', type=int, default=6)
  parser.add_argument('--seconds', type=float, default=5.0)
  arguments = parser.parse_args()
  # A setting for older OpenBLAS builds would slow a current one down.
  for name in ('OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE'):
    os.environ.pop(name, None)
  import numpy as np

  rng = np.random.default_rng(0)
  work, operations = [], 0
  for rows, inner, columns, count in products(arguments.observation, arguments.dimension):
    left = rng.normal(size=(rows, inner)).astype(np.float32)
    right = rng.normal(size=(inner, columns)).astype(np.float32)
    work += [(left, right, np.empty((rows, columns), np.float32))] * count
    operations += 2 * rows * inner * columns * count

  def step() -> int:
    for left, right, out in work:
      np.dot(left, right, out=out)
    return 1

  protocol.serve(protocol.rate(step, arguments.seconds), mflop_per_update=operations / 1e6)


if __name__ == '__main__':
  main()
