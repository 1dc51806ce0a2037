"""Rewards that look at a layer's command; see `commands`.

Each asks for motion along the command, up to a limit that the command's size sets:

  r = min(v, L) - overshoot · max(v - L, 0),    L = limit · P(|c'| ≤ |c|),  c' ~ N(0, I)

where v is what was reached along the command. Under the prior L is uniform from 0 to
`limit`: every speed is asked for as often as any other. A motion that sways to and fro
earns its mean, and nothing is lost to what goes across.
"""

from typing import Annotated

import numpy as np
from scipy import special

from latent_hrl import checks
from latent_hrl import commands
from latent_hrl import parameters
from latent_hrl import ranges

_LIMIT = ranges.Range(1e-6, 1e6, 'no robot moves less, or more')
_OVERSHOOT = ranges.Range(0, 1e6, 'beyond, nothing else counts')


def _up_to(reached: np.ndarray, limit: np.ndarray, overshoot: float) -> np.ndarray:
  return np.minimum(reached, limit) - overshoot * np.maximum(reached - limit, 0.0)


@commands.commanded(
  ('velocity along x', 'velocity along y'),
  unit='m/s',
  quantities=('x_velocity', 'y_velocity'),
  field='turning_command',
)
def commanded_velocity(
  measured: np.ndarray,
  command: np.ndarray,
  limit: Annotated[
    float, checks.POSITIVE, _LIMIT, parameters.Unit('m/s'), parameters.Source('prototype')
  ] = 1.0,
  overshoot: Annotated[float, checks.NOT_NEGATIVE, _OVERSHOOT] = 0.0,
) -> np.ndarray:
  """Velocity in the plane along a command of two entries, in m/s, up to its limit.

  Args:
    measured: Velocities [N, 2].
    command: Commands [N, 2].
    limit: The most that a command asks for.
    overshoot: What each m/s beyond the command's own limit costs.
  """
  size = np.linalg.norm(command, axis=-1, keepdims=True)
  reached = np.sum(measured * command / np.maximum(size, 1e-6), axis=-1)
  # |c| of a planar standard normal is Rayleigh.
  return _up_to(reached, limit * -np.expm1(-0.5 * size[..., 0] ** 2), overshoot)


def _on_line(
  measured: np.ndarray, command: np.ndarray, limit: float, overshoot: float
) -> np.ndarray:
  reached = measured[..., 0] * np.sign(command[..., 0])
  return _up_to(reached, limit * special.erf(np.abs(command[..., 0]) / 2**0.5), overshoot)


@commands.commanded(('velocity along x',), unit='m/s', quantities=('x_velocity',))
def commanded_speed(
  measured: np.ndarray,
  command: np.ndarray,
  limit: Annotated[float, checks.POSITIVE, _LIMIT, parameters.Unit('m/s')] = 1.0,
  overshoot: Annotated[float, checks.NOT_NEGATIVE, _OVERSHOOT] = 0.0,
) -> np.ndarray:
  """Velocity along x in the direction of a command of one entry, in m/s, up to its limit.

  Args:
    measured: Velocities [N, 1].
    command: Commands [N, 1].
    limit: The most that a command asks for, forwards or backwards.
    overshoot: What each m/s beyond the command's own limit costs.
  """
  return _on_line(measured, command, limit, overshoot)


@commands.commanded(
  ('turn rate, counterclockwise',), unit='rad/s', quantities=('turn_rate',), field='command'
)
def commanded_turn_rate(
  measured: np.ndarray,
  command: np.ndarray,
  limit: Annotated[float, checks.POSITIVE, _LIMIT, parameters.Unit('rad/s')] = 1.0,
  overshoot: Annotated[float, checks.NOT_NEGATIVE, _OVERSHOOT] = 0.0,
) -> np.ndarray:
  """Turn rate in the direction of a command of one entry, in rad/s, up to its limit.

  Args:
    measured: Turn rates [N, 1].
    command: Commands [N, 1].
    limit: The most that a command asks for, either way round.
    overshoot: What each rad/s beyond the command's own limit costs.
  """
  return _on_line(measured, command, limit, overshoot)
