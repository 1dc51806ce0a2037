"""Ctrl-C and SIGTERM as a wish to stop, which the loop grants between two steps."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def deferred() -> Iterator[Callable[[], int | None]]:
  """Yields what tells the signal that came, None so far. The second one ends at once.

  Outside of the main thread, where Python takes no signals, none ever comes.
  """
  came: list[int] = []

  def handle(number: int, frame: object) -> None:
    del frame
    if came:
      raise KeyboardInterrupt
    came.append(number)
    print('\nstopping after the step at hand; once more to stop at once', flush=True)

  if threading.current_thread() is not threading.main_thread():
    yield lambda: None
    return
  before = {number: signal.signal(number, handle) for number in SIGNALS}
  try:
    yield lambda: came[0] if came else None
  finally:
    for number, handler in before.items():
      signal.signal(number, handler)
