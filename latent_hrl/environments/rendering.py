"""Renders MuJoCo tasks in a process of its own.

Software GL drivers and TensorFlow each bring an LLVM along, and the two do not get along in
one process: whichever comes second, a rendering or the import of TensorFlow, ends in a
segmentation fault. So no task of ours touches GL in the process that acts. A helper
process, which never loads TensorFlow, gets a copy of the simulation and gives back the
picture.

The helper is a program, not a fork or a `multiprocessing` child: it does not run the
user's script again.
"""

import contextlib
import ctypes.util
import os
import pathlib
import pickle
import platform
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO, Any

import gymnasium

from latent_hrl import errors

# What MuJoCo takes on Linux, besides words for yes; see `check_gl`.
_BACKENDS = ('egl', 'osmesa', 'glfw', 'glx', 'disable')
_SYNONYMS = ('', 'enable', 'enabled', 'on', 'true', '1')
_OFF = ('disable', 'disabled', 'off', 'false', '0')
_INSTALL = (
  'install a GL library, for example libegl1 and libgl1-mesa-dri (MUJOCO_GL=egl) or '
  'libosmesa6 (MUJOCO_GL=osmesa)'
)
# What of gymnasium's renderer belongs to the process that it is in.
_LOCAL = ('model', 'data', 'viewer', '_viewers', 'render', 'close')


class RenderingUnavailableError(errors.LatentHrlError):
  """This machine cannot render; the message says what to install."""

  def __init__(self, cause: str):
    super().__init__(f'rendering fails here: {_INSTALL} ({" ".join(cause.split())})')
    self._cause = cause

  def __reduce__(self) -> tuple[Any, ...]:
    return type(self), (self._cause,)


def isolate(env: gymnasium.Env) -> None:
  """Moves what an environment renders with MuJoCo into a helper process.

  Everything that renders through the environment's `mujoco_renderer` goes there, wrappers
  of any kind included. Others, which draw without GL, stay as they are. The helper starts
  with the first picture and ends with the environment.

  Args:
    env: The environment, maybe in wrappers.
  """
  for renderer in _renderers(env.unwrapped):
    if not isinstance(getattr(renderer.render, '__self__', None), Helper):
      helper = Helper(renderer)
      renderer.render, renderer.close = helper.render, helper.close


def _renderers(env: gymnasium.Env) -> Iterator[Any]:
  """Yields the MuJoCo renderers of an environment and of those that it is built around."""
  rendering = sys.modules.get('gymnasium.envs.mujoco.mujoco_rendering')
  if rendering is None:
    return
  for value in list(vars(env).values()):
    if isinstance(value, rendering.MujocoRenderer):
      yield value
    elif isinstance(value, gymnasium.Env) and value is not env:
      yield from _renderers(value.unwrapped)


class Helper:
  """The process that renders for one environment, started when it is first needed."""

  def __init__(self, renderer: Any):
    """Keeps the `MujocoRenderer`, for its simulation and its settings."""
    self._renderer = renderer
    self._process: subprocess.Popen | None = None
    self._said: IO[bytes] | None = None
    self._owner = 0

  def __getstate__(self) -> dict[str, Any]:
    """A copy starts a process of its own."""
    return {**self.__dict__, '_process': None, '_said': None}

  def render(self, render_mode: str | None) -> Any:
    """Returns what `MujocoRenderer.render` would.

    Raises:
      TaskError: If the environment was made without a render mode.
      RenderingUnavailableError: If the helper cannot render.
    """
    if render_mode is None:
      raise errors.TaskError(
        "the task was made without pictures; make it with render_mode='rgb_array'"
      )
    settings = {k: v for k, v in vars(self._renderer).items() if k not in _LOCAL}
    # MuJoCo's data brings its model along, and what was computed of both: the picture is
    # the very one that would be drawn here.
    simulation = (type(self._renderer), settings, self._renderer.data, render_mode)
    request = pickle.dumps(simulation, pickle.HIGHEST_PROTOCOL)
    try:
      picture, cause = self._ask(request)
    except (OSError, EOFError, pickle.UnpicklingError):
      raise RenderingUnavailableError(self._last_words()) from None
    except BaseException:
      self.close()  # Or the next picture would be this one.
      raise
    if cause is not None:
      self.close()
      raise RenderingUnavailableError(cause)
    return picture

  def _ask(self, request: bytes) -> tuple[Any, str | None]:
    process = self._running()
    assert process.stdin is not None and process.stdout is not None
    # Bytes within bytes: read whole, even where what is in them cannot be understood.
    pickle.dump(request, process.stdin, pickle.HIGHEST_PROTOCOL)
    process.stdin.flush()
    return pickle.load(process.stdout)

  def _running(self) -> subprocess.Popen:
    # A forked process must not talk to the helper of its parent.
    if self._process is None or self._owner != os.getpid():
      self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed with the helper
      self._process = _start(self._said)
      self._owner = os.getpid()
      weakref.finalize(self, _end, self._process, self._owner)
    return self._process

  def _last_words(self) -> str:
    """Returns how the helper ended, and ends what is left of it."""
    process, said = self._process, self._said
    self.close()
    if process is None or said is None:
      return 'no process'
    said.seek(0)
    lines = said.read().decode(errors='replace').strip().splitlines()
    return f'exit code {process.returncode}{": " if lines else ""}{"".join(lines[-1:])}'

  def close(self) -> None:
    """Ends the helper; the next picture starts another."""
    process, self._process = self._process, None
    if process is not None:
      _end(process, self._owner)


def _start(said: IO[bytes]) -> subprocess.Popen:
  """Starts the program below, which ends when its standard input does."""
  package = str(pathlib.Path(__file__).parents[2])
  search = [package, *filter(None, sys.path)]
  return subprocess.Popen(
    [sys.executable, '-m', __name__],
    env={**os.environ, **gl_environment(), 'PYTHONPATH': os.pathsep.join(search)},
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=said,
    process_group=0,  # Ctrl-C is for the process that acts.
  )


def _end(process: subprocess.Popen, owner: int) -> None:
  if owner == os.getpid():
    process.kill()
    process.wait()
  for pipe in (process.stdin, process.stdout):
    # It may be dead, with a request on the way.
    with contextlib.suppress(OSError):
      if pipe is not None:
        pipe.close()


def gl_environment() -> dict[str, str]:
  """Returns the environment variables that let a process without a screen render."""
  shown = os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
  if os.environ.get('MUJOCO_GL') or shown or platform.system() != 'Linux':
    return {}
  only_osmesa = not ctypes.util.find_library('EGL') and ctypes.util.find_library('OSMesa')
  return {'MUJOCO_GL': 'osmesa' if only_osmesa else 'egl'}


def check_gl() -> None:
  """Checks the environment variable MUJOCO_GL, which decides whether MuJoCo loads at all.

  Raises:
    ConfigError: If MuJoCo does not know it, or its library is missing or broken.
  """
  asked = os.environ.get('MUJOCO_GL', '')
  name = asked.lower().strip()
  if platform.system() == 'Linux' and name not in (*_BACKENDS, *_SYNONYMS, *_OFF):
    raise errors.ConfigError(
      f'the environment variable MUJOCO_GL is {asked!r}, which MuJoCo does not know: set '
      f'it to {", ".join(_BACKENDS[:-1])} or {_BACKENDS[-1]}, or not at all'
      f'{errors.nearest(name, _BACKENDS)}'
    )
  try:
    import mujoco  # noqa: F401
  except ImportError:
    pass  # Who needs it says so.
  except Exception as error:  # Each library fails in a way of its own.
    cause = ' '.join(f'{type(error).__name__}: {error}'.split())
    raise errors.ConfigError(
      f'MuJoCo does not load with the environment variable MUJOCO_GL={asked}: {_INSTALL}, '
      f'or set it to another of {", ".join(_BACKENDS)} ({cause})'
    ) from error


def _main() -> None:
  """Answers requests for pictures until there are no more."""
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  requests = sys.stdin.buffer
  # What libraries print must not get into the answers.
  answers = os.fdopen(os.dup(1), 'wb')
  os.dup2(2, 1)
  renderer: Any = None
  while True:
    try:
      request = pickle.load(requests)
    except EOFError:
      break
    answer: tuple[Any, str | None]
    try:
      kind, settings, data, mode = pickle.loads(request)
      renderer = renderer or kind(data.model, data)
      answer = _picture(renderer, settings, data, mode), None
    except Exception as error:  # Each GL backend fails in a way of its own.
      answer = None, f'{type(error).__name__}: {error}'
    pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
    answers.flush()
  os._exit(0)  # Some drivers crash when Python takes them down.


def _picture(renderer: Any, settings: dict[str, Any], data: Any, mode: str) -> Any:
  vars(renderer).update(settings, model=data.model, data=data)
  for viewer in renderer._viewers.values():
    viewer.model, viewer.data = data.model, data
  return renderer.render(mode)


if __name__ == '__main__':
  _main()
