"""Symmetries of a robot: one transition stands for many.

A walk looks the same from every side of the world, and an Ant with four equal legs does not
say which of them is the first. A transition seen in any of these ways is as true as the
lived one, at no cost of simulation: learning from all of them teaches a gait in every
direction at once. Source: data augmentation by symmetry, as Abdolhosseini et al., On
Learning Symmetric Locomotion (2019), for mirrored legs.
"""

import abc
from typing import Annotated, Any, NamedTuple

import gin
import numpy as np

from latent_hrl import checks
from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import parameters

TURNS = ('any', 'quarter', 'none')
# The Ant's proprioception: height, torso quaternion (w, x, y, z), hip and ankle angle of
# four legs; velocity in the world, angular velocity in the torso's frame, joint velocities.
_QUATERNION = slice(1, 5)
_ANGLES = slice(5, 13)
_VELOCITY = slice(13, 16)
_SPIN = slice(16, 19)
_RATES = slice(19, 27)
_FIELDS = {'proprioception': 27, 'position': 2, 'goal': 2}
# Behind them, for critics alone: what the layer is told (`commands`). A command that keeps
# to an axis of the world is none of them: after a turn it would be another one.
_COMMANDS = ('turning_command', 'command')
_VECTORS = ('position', 'goal', 'turning_command')
# Seen from a torso frame a quarter turn on, leg i is what leg i + 1 was. The axes of the
# ankles do not all turn with their legs: gymnasium's model bends legs 2 and 3 by negative
# angles.
_NEXT_LEG = np.array([2, 3, 4, 5, 6, 7, 0, 1])
_BENDS = np.array([1, -1, 1, 1, 1, -1, 1, 1], np.float32)
# Motors begin with leg 4.
_TO_JOINTS = np.array([2, 3, 4, 5, 6, 7, 0, 1])
_TO_MOTORS = np.argsort(_TO_JOINTS)


class View(NamedTuple):
  """How to look at each of N transitions.

  Attributes:
    quarters: int [N], quarter turns of the torso's frame, 0 to 3.
    turn: [N], angle in radians by which the world is turned about the start. Up to a full
      turn either way, after which a quaternion has changed its sign.
  """

  quarters: np.ndarray
  turn: np.ndarray


class Symmetry(abc.ABC):
  """Views of a robot's transitions that are as true as the lived ones."""

  @abc.abstractmethod
  def __init__(self, fields: observations.Fields):
    """Checks what it is given.

    Args:
      fields: What the layer reads.

    Raises:
      ValueError: If these are not fields that it knows.
    """

  @abc.abstractmethod
  def draw(self, count: int, rng: np.random.Generator) -> Any:
    """Returns a view for each of `count` transitions, all equally likely."""

  @abc.abstractmethod
  def observation(self, observation: np.ndarray, view: Any) -> np.ndarray:
    """Returns observations, float32 [N, O], as they look in a view."""

  @abc.abstractmethod
  def action(self, action: np.ndarray, view: Any) -> np.ndarray:
    """Returns actions, float32 [N, D], as they look in a view."""


@parameters.registered
@gin.configurable(allowlist=['turns'])
class AntSymmetry(Symmetry):
  """Views of the stock Ant's transitions: its legs renamed, the world turned.

  Renaming legs holds in any surroundings. A turn of the world needs a task that looks the
  same from there: the open for any angle, for quarters a square room that begins in its
  middle.
  """

  def __init__(
    self, fields: observations.Fields, turns: Annotated[str, checks.one_of(TURNS)] = 'any'
  ):
    """Checks that the observation is an Ant's.

    Args:
      fields: What the layer reads: `proprioception`, and maybe `position` and `goal`.
      turns: By which angles the world may turn: `any`, `quarter` or `none`.

    Raises:
      ValueError: If a field is another one or of another size, or there is no such `turns`.
    """
    known = all(
      field.name in _COMMANDS or _FIELDS.get(field.name) == field.size for field in fields
    )
    if not known or fields[0].name != 'proprioception':
      raise ValueError(
        'AntSymmetry is for a layer that reads proprioception [27], and may read '
        f'position [2] and goal [2]; the layer reads {observations.describe(fields)}'
      )
    if turns not in TURNS:
      raise ValueError(
        f'AntSymmetry.turns must be one of {", ".join(TURNS)}, got {turns!r}'
        f'{errors.nearest(turns, TURNS)}'
      )
    self._where = observations.slices(fields)
    self._turns = turns

  def draw(self, count: int, rng: np.random.Generator) -> View:
    """See `Symmetry`."""
    quarters = rng.integers(4, size=count)
    if self._turns == 'any':
      return View(quarters, rng.uniform(-2 * np.pi, 2 * np.pi, count))
    turns = rng.integers(-4, 4, size=count) if self._turns == 'quarter' else 0 * quarters
    return View(quarters, np.pi / 2 * turns)

  def observation(self, observation: np.ndarray, view: View) -> np.ndarray:
    """See `Symmetry`."""
    seen = observation.copy()
    turn = _turn_matrices(view.turn)
    for name in _VECTORS:
      if name in self._where:
        seen[:, self._where[name]] = _rotate(turn, observation[:, self._where[name]])
    own = self._where['proprioception']
    seen[:, own] = self._proprioception(observation[:, own], turn, view)
    return seen

  def action(self, action: np.ndarray, view: View) -> np.ndarray:
    """See `Symmetry`."""
    return _rename_legs(action[:, _TO_JOINTS], view.quarters)[:, _TO_MOTORS]

  def _proprioception(self, own: np.ndarray, turn: np.ndarray, view: View) -> np.ndarray:
    seen = own.copy()
    frame = np.pi / 2 * view.quarters
    seen[:, _QUATERNION] = _turn_quaternions(own[:, _QUATERNION], view.turn, frame)
    seen[:, _ANGLES] = _rename_legs(own[:, _ANGLES], view.quarters)
    seen[:, _RATES] = _rename_legs(own[:, _RATES], view.quarters)
    seen[:, _VELOCITY][:, :2] = _rotate(turn, own[:, _VELOCITY][:, :2])
    seen[:, _SPIN][:, :2] = _rotate(_turn_matrices(-frame), own[:, _SPIN][:, :2])
    return seen


def _turn_matrices(angle: np.ndarray) -> np.ndarray:
  """Returns the matrices [N, 2, 2] that turn by angles [N]."""
  cos, sin = np.cos(angle), np.sin(angle)
  rows = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
  return rows.astype(np.float32)


def _rotate(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
  return np.einsum('nij,nj->ni', matrices, vectors)


def _turn_quaternions(q: np.ndarray, before: np.ndarray, behind: np.ndarray) -> np.ndarray:
  """Returns z(before) ⊗ q ⊗ z(behind), where z is a turn about the vertical."""
  # Such turns mix w with z by the sum of half angles, x with y by their difference.
  w_z = _rotate(_turn_matrices((before + behind) / 2), q[:, [0, 3]])
  x_y = _rotate(_turn_matrices((before - behind) / 2), q[:, [1, 2]])
  return np.stack([w_z[:, 0], x_y[:, 0], x_y[:, 1], w_z[:, 1]], -1)


def _rename_legs(joints: np.ndarray, quarters: np.ndarray) -> np.ndarray:
  """Returns values of hips and ankles [N, 8] for a frame so many quarter turns on."""
  seen, named = joints, joints
  for quarter in (1, 2, 3):
    named = named[:, _NEXT_LEG] * _BENDS
    seen = np.where((quarters == quarter)[:, None], named, seen)
  return seen
