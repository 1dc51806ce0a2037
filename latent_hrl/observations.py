"""Named observation fields: how one flat vector is made of parts.

A task declares its fields in a fixed order, a layer names those it reads. Everything that
runs works on flat float32 vectors; this module says which entry belongs to which field.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from latent_hrl import errors


class ObservationField(NamedTuple):
  """One named part of an observation.

  Attributes:
    name: Field name, such as `proprioception` or `goal`.
    size: Number of float32 entries.
  """

  name: str
  size: int


Fields = tuple[ObservationField, ...]


def total_size(fields: Sequence[ObservationField]) -> int:
  """Returns O, the size of the flat vector of these fields."""
  return sum(field.size for field in fields)


def slices(fields: Sequence[ObservationField]) -> dict[str, slice]:
  """Returns where each field lies in the flat vector."""
  result, start = {}, 0
  for field in fields:
    result[field.name] = slice(start, start + field.size)
    start += field.size
  return result


def select(fields: Sequence[ObservationField], names: Sequence[str] | None) -> Fields:
  """Returns the named fields in the order of `fields`; all of them for None.

  Raises:
    StackError: If a name is unknown, or none is given.
  """
  if names is None:
    return tuple(fields)
  names = [names] if isinstance(names, str) else names
  known = [field.name for field in fields]
  for name in names:
    if name not in known:
      raise errors.StackError(
        f'there is no observation field {name!r} among {known}{errors.nearest(name, known)}'
      )
  if not names:
    raise errors.StackError('a layer must read at least one observation field')
  return tuple(field for field in fields if field.name in names)


def merge(fields: Sequence[ObservationField], *reads: Sequence[ObservationField]) -> Fields:
  """Returns the fields that any of `reads` names, in the order of `fields`."""
  wanted = {field for read in reads for field in read}
  return tuple(field for field in fields if field in wanted)


def indices(
  fields: Sequence[ObservationField], reads: Sequence[ObservationField]
) -> np.ndarray:
  """Returns where the entries of `reads` lie in the flat vector of `fields`.

  Args:
    fields: Fields of the vector at hand.
    reads: Fields that are wanted, in the order wanted.

  Returns:
    int32 [R], so that `vector[..., indices]` is the vector of `reads`.

  Raises:
    StackError: If a wanted field is missing or has another size.
  """
  available = {field.name: field for field in fields}
  where = slices(fields)
  positions: list[int] = []
  for read in reads:
    if read.name not in available:
      raise errors.StackError(
        f'observation field {read.name!r} ({read.size} entries) is missing; there are '
        f'{describe(fields)}{errors.nearest(read.name, available)}'
      )
    if available[read.name].size != read.size:
      raise errors.StackError(
        f'observation field {read.name!r} has {available[read.name].size} entries, but '
        f'{read.size} are read'
      )
    positions.extend(range(where[read.name].start, where[read.name].stop))
  return np.asarray(positions, dtype=np.int32)


def describe(fields: Sequence[ObservationField]) -> str:
  """Returns the fields as text for people, such as `observation [17]`."""
  return ', '.join(f'{field.name} [{field.size}]' for field in fields)


def check_finite(observation: np.ndarray, fields: Sequence[ObservationField]) -> None:
  """Checks that an observation holds numbers: a layer may act on others as if they were.

  Args:
    observation: float32 [O] or [B, O].
    fields: Its fields.

  Raises:
    InputError: If an entry is NaN or infinite; it names the field.
  """
  finite = np.isfinite(observation)
  if finite.all():
    return
  *row, entry = np.argwhere(~finite)[0].tolist()
  for name, where in slices(fields).items():
    if where.start <= entry < where.stop:
      of_row = f' of row {row[0]}' if row else ''
      raise errors.InputError(
        f'observation field {name!r} is not finite: entry {entry - where.start}{of_row} is '
        f'{observation[(*row, entry)]}'
      )
