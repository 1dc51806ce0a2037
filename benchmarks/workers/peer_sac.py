"""Stable-Baselines3's SAC or SBX's; runs in the environment of `peers.txt`."""

import argparse
import time

import gymnasium

from benchmarks.workers import protocol

STEPS = 400


def main() -> None:
  """Measures until the input ends."""
  parser = argparse.ArgumentParser()
  parser.add_argument('--library', choices=['sb3', 'sbx'], required=True)
  parser.add_argument('--task', default='HalfCheetah-v5')
  arguments = parser.parse_args()
  # Each with the threads its library takes by itself.
  if arguments.library == 'sb3':
    from stable_baselines3 import SAC
  else:
    from sbx import SAC
  model = SAC(
    'MlpPolicy',
    gymnasium.make(arguments.task),
    batch_size=256,
    learning_starts=1000,
    policy_kwargs={'net_arch': [256, 256]},
    seed=0,
  )
  model.learn(1200)

  def measure() -> float:
    start = time.perf_counter()
    model.learn(STEPS, reset_num_timesteps=False)
    return STEPS / (time.perf_counter() - start)

  protocol.serve(measure)


if __name__ == '__main__':
  main()
