"""How a worker talks to the benchmark: lines of JSON on its standard output.

A worker builds its system, warms it up and says so; then it measures once for each line it
reads. Waiting for a line costs nothing, so many workers can be alive and take turns. Only
the standard library: workers of other libraries run in an environment of their own.
"""

import json
import resource
import sys
import time
from collections.abc import Callable

PREFIX = 'benchmark: '


def send(message: dict) -> None:
  """Writes one message."""
  print(PREFIX + json.dumps(message), flush=True)


def peak_memory() -> float:
  """Returns the most memory this process ever held, in MiB."""
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def serve(measure: Callable[[], float], **facts) -> None:
  """Answers the benchmark until it closes the input.

  Args:
    measure: One measurement.
    **facts: What is worth knowing of the system, JSON types.
  """
  send({'ready': True, **facts})
  for _ in sys.stdin:
    send({'value': measure(), 'peak_mib': peak_memory()})


def rate(step: Callable[[], int], seconds: float) -> Callable[[], float]:
  """Returns a measurement of steps per second.

  Args:
    step: Takes some steps and returns how many.
    seconds: How long to measure at least.
  """

  def measure() -> float:
    steps, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
      steps += step()
    return steps / elapsed

  return measure
