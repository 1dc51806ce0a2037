"""What is measured, in the groups that take turns."""

from benchmarks.process import System

_FLOOR_SECONDS = '--seconds=3'


def _latent(key: str, label: str, *arguments: str) -> System:
  return System(key, label, ('-m', 'benchmarks.workers.latent', *arguments))


def training(peers: str | None) -> list[System]:
  """The training loops and the floor on HalfCheetah-v5.

  Args:
    peers: Python of the peers' environment; None leaves SB3 and SBX out.
  """
  systems = [
    System(
      'floor', 'matrix products alone', ('-m', 'benchmarks.workers.floor', _FLOOR_SECONDS)
    ),
    _latent('updates', 'latent_hrl, updates alone', '--updates_only'),
    _latent('realnvp', 'latent_hrl, RealNVP'),
    _latent('gaussian', 'latent_hrl, Gaussian', '--actor=gaussian'),
    System('tf_agents', 'TF-Agents SAC', ('-m', 'benchmarks.workers.tf_agents_sac')),
  ]
  if peers is not None:
    module = ('-m', 'benchmarks.workers.peer_sac')
    systems += [
      System('sb3', 'Stable-Baselines3 SAC', (*module, '--library=sb3'), peers),
      System('sbx', 'SBX SAC', (*module, '--library=sbx'), peers),
    ]
  return systems


def depths() -> list[System]:
  """Stacks of one to three layers on HalfCheetah-v5."""
  return [
    _latent(f'depth_{n}', f'{n} layer{"s" * (n > 1)}', f'--depth={n}') for n in (1, 2, 3)
  ]


def tasks() -> list[System]:
  """Other tasks, one layer."""
  return [
    _latent(name, label, f'--gin_file=gin/{name}.gin')
    for name, label in (
      ('hopper', 'Hopper-v5'),
      ('ant', 'Ant-v5, 27 dimensions'),
      ('humanoid', 'Humanoid-v5'),
    )
  ]


def latency() -> list[System]:
  """One action from a saved policy."""
  module = ('-m', 'benchmarks.workers.action_latency')
  return [
    System('layer', 'saved layer, loaded by latent_hrl', (*module, '--system=layer')),
    System(
      'signature', 'saved layer, in plain TensorFlow', (*module, '--system=signature')
    ),
    System('policy_saver', 'PolicySaver model', (*module, '--system=policy_saver')),
  ]


def checkpoints() -> list[System]:
  """Checkpoint and resume of a run with a million transitions."""
  module = ('-m', 'benchmarks.workers.checkpoint')
  return [
    System('save', 'checkpoint', (*module, '--measure=save')),
    System('resume', 'resume from it', (*module, '--measure=resume')),
  ]


FIRST_STEP = System(
  'first_step', 'command to first training step', ('-m', 'benchmarks.workers.first_step')
)
