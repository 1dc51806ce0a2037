"""Errors a user can cause, each told in one line that names what to change."""

import difflib
from collections.abc import Iterable
from typing import Any


class LatentHrlError(Exception):
  """Base of every error that a launcher reports as one line with exit code 2."""


class StoppedError(LatentHrlError):
  """A signal ended a run, which has left a checkpoint.

  Attributes:
    signal: Number of the signal.
  """

  def __init__(self, signal: int, message: str):
    super().__init__(message)
    self.signal = signal

  def __reduce__(self) -> tuple[Any, ...]:
    return type(self), (self.signal, str(self))  # Or it does not pass between processes.


class ConfigError(LatentHrlError):
  """A gin file, a gin binding or a flag is wrong."""


class TaskError(LatentHrlError):
  """A task does not exist, does not fit, or broke its contract while running."""


class StackError(LatentHrlError):
  """Layers do not fit on each other or on the task."""


class InputError(LatentHrlError, ValueError):
  """What a saved layer was given is no observation, latent, action or seed for it."""


class LayerLoadError(LatentHrlError):
  """A directory is not an intact saved layer.

  The message names the path and what is wrong with it.

  Attributes:
    reason: What is wrong with it.
  """

  def __init__(self, path: object, reason: str):
    # What is damaged may hold any character; the message stays one line of text.
    printable = ''.join(char if char.isprintable() else ' ' for char in reason)
    super().__init__(f'cannot load layer {str(path)!r}: {" ".join(printable.split())}')
    self.reason = reason
    self._made_of = (str(path), reason)

  def __reduce__(self) -> tuple[Any, ...]:
    return type(self), self._made_of


def nearest(name: str, known: Iterable[str]) -> str:
  """Returns a hint such as `; did you mean 'Hopper-v5'?`, empty when nothing is near.

  Args:
    name: What the user wrote.
    known: The names that would have been valid.
  """
  matches = difflib.get_close_matches(name, list(known), n=1)
  return f'; did you mean {matches[0]!r}?' if matches else ''
