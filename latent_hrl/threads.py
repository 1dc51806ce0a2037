"""Cores and threads: what a process may use, and how TensorFlow is to use it.

Two processes that both believe to own the machine slow each other down, so a process
either gets cores of its own (`claim`, or `taskset` from outside) or shares with its eyes
open. Call `configure` before TensorFlow computes anything.
"""

import dataclasses
import io
import math
import os
import pathlib
import tempfile
from collections.abc import Mapping, Sequence

from latent_hrl import errors

# Products of 256 rows do not keep more threads than this busy; measured up to 2 cores only.
_MAX_INTRA_OP = 8
# Released TensorFlow versions that know the flag; XLA aborts on one that it does not.
_EIGEN_PRODUCTS = {'2.21': '--xla_cpu_experimental_ynn_fusion_type='}
_CGROUP = pathlib.Path('/sys/fs/cgroup/cpu.max')

# Locks last as long as their files are open: as long as the process.
_claimed: list[io.TextIOWrapper] = []


@dataclasses.dataclass(frozen=True)
class Threads:
  """How this process computes.

  Attributes:
    cores: Cores that it may use.
    intra_op: Threads that share one operation.
    claimed: Numbers of the cores it claimed for itself; empty if none.
  """

  cores: int
  intra_op: int
  claimed: tuple[int, ...] = ()

  def __str__(self) -> str:
    which = f' ({", ".join(map(str, self.claimed))})' if self.claimed else ''
    beside = 'beside' if self.cores > 1 else 'in turn with'
    return (
      f'{self.cores} core{"s" * (self.cores > 1)}{which}: {self.intra_op} compute '
      f'thread{"s" * (self.intra_op > 1)}, collection {beside} learning'
    )


def available_cores(cgroup: pathlib.Path = _CGROUP) -> int:
  """Returns how many cores this process may use: affinity and container quota.

  Args:
    cgroup: The file with the container's quota and period, in microseconds.
  """
  if hasattr(os, 'sched_getaffinity'):
    cores = len(os.sched_getaffinity(0))
  else:
    cores = os.cpu_count() or 1
  try:
    quota, period = cgroup.read_text(encoding='ascii').split()
    cores = min(cores, math.ceil(int(quota) / int(period)))
  except (OSError, ValueError):
    pass  # No control group, or no quota in it ('max').
  return max(1, cores)


def configure(cores: int | None = None) -> Threads:
  """Sets TensorFlow's threads for the cores of this process.

  Args:
    cores: How many cores to claim for this process alone, so that runs side by side take
      different ones; None to use all that the process may use, without a claim.

  Returns:
    The choice; print it.

  Raises:
    ConfigError: If fewer cores than that are there, or free of other runs' claims.
  """
  claimed = () if cores is None else claim(cores)
  count = available_cores()  # Of those claimed, too: a container may have fewer.
  chosen = Threads(count, min(count, _MAX_INTRA_OP), claimed)
  if count > 1:
    _prefer_eigen_products()
  import tensorflow as tf

  tf.config.threading.set_intra_op_parallelism_threads(chosen.intra_op)
  tf.config.threading.set_inter_op_parallelism_threads(1)
  return chosen


def _prefer_eigen_products() -> None:
  """Lets XLA multiply with Eigen: 1.1 to 1.25 times as fast on two threads, equal on one.

  TensorFlow 2.21 took YNN as its default (benchmarks/README.md). XLA reads the variable
  when it compiles for the first time.
  """
  import tensorflow as tf

  flag = _EIGEN_PRODUCTS.get('.'.join(tf.__version__.split('.')[:2]))
  if flag:
    os.environ.setdefault('XLA_FLAGS', flag)


def claim(cores: int, directory: pathlib.Path | None = None) -> tuple[int, ...]:
  """Takes cores that no other run has claimed and binds this process to them.

  The claim ends with the process, however it ends.

  Args:
    cores: How many, at least 1.
    directory: Where the lock files live; one for each user of the machine if None.

  Returns:
    The numbers of the cores.

  Raises:
    ConfigError: If fewer are there or free, or the system cannot bind processes.
  """
  if not hasattr(os, 'sched_setaffinity'):
    raise errors.ConfigError('--cores needs Linux; leave it out on this system')
  allowed = sorted(os.sched_getaffinity(0))
  if not 1 <= cores <= len(allowed):
    raise errors.ConfigError(
      f'--cores must be from 1 to the {len(allowed)} this process may use, got {cores}'
    )
  mine = _lock(allowed, cores, directory)
  if len(mine) < cores:
    _release(mine)
    raise errors.ConfigError(
      f'--cores={cores}, but other runs hold all but {len(mine)} of {len(allowed)} cores; '
      'wait for one to end, or leave --cores out to share'
    )
  _claimed.extend(mine.values())
  os.sched_setaffinity(0, mine)
  return tuple(mine)


def free_cores(directory: pathlib.Path | None = None) -> int:
  """Returns how many cores of this process no other run has claimed.

  Args:
    directory: As for `claim`.
  """
  if not hasattr(os, 'sched_setaffinity'):
    return available_cores()
  allowed = sorted(os.sched_getaffinity(0))
  locks = _lock(allowed, len(allowed), directory)
  _release(locks)
  return min(len(locks), available_cores())


def _lock(
  cores: Sequence[int], count: int, directory: pathlib.Path | None
) -> dict[int, io.TextIOWrapper]:
  """Locks up to `count` of the cores that nobody has locked."""
  import fcntl

  if directory is None:
    directory = pathlib.Path(tempfile.gettempdir()) / f'latent_hrl_{os.getuid()}'
  directory.mkdir(mode=0o700, exist_ok=True)
  mine: dict[int, io.TextIOWrapper] = {}
  for core in cores:
    if len(mine) == count:
      break
    lock = (directory / f'core_{core}.lock').open('w', encoding='ascii')
    try:
      fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
      mine[core] = lock
    except OSError:
      lock.close()
  return mine


def _release(locks: Mapping[int, io.TextIOWrapper]) -> None:
  for lock in locks.values():
    lock.close()
