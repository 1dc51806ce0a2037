"""Workers as processes that take turns, so that a noisy minute hits all systems alike."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from benchmarks.workers import protocol

ROOT = pathlib.Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class System:
  """What to measure.

  Attributes:
    key: Short name, unique in the benchmark.
    label: Name for people.
    command: Arguments of the interpreter.
    interpreter: Python to run it with.
  """

  key: str
  label: str
  command: tuple[str, ...]
  interpreter: str = sys.executable


class WorkerError(RuntimeError):
  """A worker ended without an answer."""


class Worker:
  """A system in a process of its own."""

  def __init__(self, system: System):
    """Starts the process; `ready` waits for it."""
    self.system = system
    # A file, not a pipe: nobody reads it until something goes wrong.
    self._errors = tempfile.TemporaryFile('w+')  # noqa: SIM115  closed in `close`
    environment = {
      **os.environ,
      'BENCHMARK_STARTED': repr(time.time()),
      'PYTHONPATH': str(ROOT),
    }
    self._process = subprocess.Popen(
      [system.interpreter, *system.command],
      cwd=ROOT,
      env=environment,
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      stderr=self._errors,
      text=True,
    )

  def receive(self) -> dict:
    """Waits for the worker's next message.

    Raises:
      WorkerError: If it ends instead.
    """
    assert self._process.stdout is not None
    for line in self._process.stdout:
      if line.startswith(protocol.PREFIX):
        return json.loads(line.removeprefix(protocol.PREFIX))
    self._errors.seek(0)
    last = (self._errors.read().strip().splitlines() or ['no message'])[-1]
    raise WorkerError(f'{self.system.label}: exit code {self._process.wait()}, {last}')

  def measure(self) -> dict:
    """Makes the worker measure once and returns its message."""
    assert self._process.stdin is not None
    self._process.stdin.write('\n')
    self._process.stdin.flush()
    return self.receive()

  def close(self) -> None:
    """Ends the process."""
    self._process.kill()
    self._process.wait()
    self._errors.close()


def interleave(systems: list[System], repeats: int) -> dict[str, dict]:
  """Measures systems in turn.

  Args:
    systems: What to measure.
    repeats: How many rounds.

  Returns:
    By key: `label`, `values` in the order of the rounds, `peak_mib`, and what the worker
    tells of itself.

  Raises:
    WorkerError: If a worker ends early; the others are ended too.
  """
  workers: list[Worker] = []
  results: dict[str, dict] = {}
  try:
    for system in systems:
      print(f'  preparing {system.label}', flush=True)
      worker = Worker(system)
      workers.append(worker)
      facts = worker.receive()
      facts.pop('ready')
      results[system.key] = {'label': system.label, 'values': [], **facts}
    for repeat in range(repeats):
      print(f'  round {repeat + 1} of {repeats}:', end='', flush=True)
      for worker in workers:
        message = worker.measure()
        result = results[worker.system.key]
        result['values'].append(message['value'])
        result['peak_mib'] = message['peak_mib']
        print(f' {worker.system.key} {message["value"]:.3g}', end='', flush=True)
      print(flush=True)
  finally:
    for worker in workers:
      worker.close()
  return results


def one_by_one(system: System, repeats: int) -> dict:
  """Measures a system that ends with its measurement; the same fields as `interleave`."""
  result: dict = {'label': system.label, 'values': []}
  for _ in range(repeats):
    worker = Worker(system)
    try:
      message = worker.receive()
    finally:
      worker.close()
    result['values'].append(message['value'])
    result['peak_mib'] = message['peak_mib']
    print(f'  {system.key} {message["value"]:.3g}', flush=True)
  return result
