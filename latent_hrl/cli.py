"""What the launchers share: flags, and errors as one line with exit code 2."""

import functools
import os
import sys
import tempfile
import traceback
from collections.abc import Callable

from absl import app
from absl import flags
from absl import logging

import latent_hrl
from latent_hrl import config
from latent_hrl import console
from latent_hrl import errors
from latent_hrl import threads
from latent_hrl.environments import rendering

_CORES = flags.DEFINE_integer(
  'cores',
  None,
  'Cores to claim for one run alone, so that runs side by side take different ones. If '
  'left out, 1 for each run of a comparison; else all that the process may use, unclaimed.',
  lower_bound=1,
)

_DEBUG = flags.DEFINE_bool(
  'debug', False, 'Whether to show the traceback of an unexpected error at once.'
)

UNEXPECTED = 1
BAD_INPUT = 2
INTERRUPTED = 130


def run(
  main: Callable[..., None],
  tensorflow: bool = True,
  resumes: bool = False,
  words: int = 0,
) -> None:
  """Parses the flags, calls `main`, and exits.

  Exit codes: 0 success; 2 bad input or a task that broke its contract, told in one line on
  standard error; 128 and the number of the signal that stopped a run in training: 130 for
  Ctrl-C, 143 for SIGTERM; 130 for what else is interrupted; 1 for what nobody expected,
  told in one line that names a file with the traceback, which --debug shows instead.

  Args:
    main: The launcher's body.
    tensorflow: Whether it needs TensorFlow, which takes seconds to import.
    resumes: Whether the same command goes on from what an interrupted one has left.
    words: How many words it takes beside flags at most; if any, the body gets them.
  """
  flags.FLAGS.set_gnu_getopt(words > 0)  # Flags behind the words.

  def body(rest: list[str]) -> Callable[[], None]:
    if words:
      return functools.partial(main, rest)
    return main

  logging.set_verbosity(logging.ERROR)
  program = sys.modules['__main__']
  program.__doc__ = console.adapted(program.__doc__ or '')  # What --help shows.
  app.run(
    lambda argv: sys.exit(_guarded(body(argv[1:]), tensorflow, resumes, _DEBUG.value)),
    flags_parser=functools.partial(_parse_flags, words=words),
  )


def _parse_flags(argv: list[str], words: int = 0) -> list[str]:
  try:
    rest = flags.FLAGS(argv)
  except flags.Error as error:
    _fail(str(error))
  if len(rest) > 1 + words:
    _fail(f'unexpected argument {rest[1 + words]!r}; flags look like --name=value')
  return rest


def _guarded(
  main: Callable[[], None], tensorflow: bool, resumes: bool = False, debug: bool = False
) -> int:
  try:
    if tensorflow:
      import_tensorflow()
    if os.environ.get('MUJOCO_GL'):
      rendering.check_gl()  # A wrong one ends every import of MuJoCo.
    main()
  except errors.StoppedError as error:
    # gin adds lines of its own.
    print(str(error).splitlines()[0], file=sys.stderr)
    return 128 + error.signal
  except errors.LatentHrlError as error:
    return _report(str(error).splitlines()[0])
  except OSError as error:
    reason = str(error.strerror or error).splitlines()[0]
    # gin loses the name.
    return _report(f'{error.filename}: {reason}' if error.filename else reason)
  except KeyboardInterrupt:
    more = '; the same command goes on from the last checkpoint' if resumes else ''
    print(f'stopped at once{more}', file=sys.stderr)
    return INTERRUPTED
  except Exception as error:
    # gin's own type for a parameter that has to be bound.
    if isinstance(error, RuntimeError) and 'Required bindings' in str(error):
      return _report(config.one_line(error))
    if debug:
      raise
    return _unexpected(error)
  return 0


def _unexpected(error: Exception) -> int:
  """Tells in one line what no check foresaw, and keeps the traceback.

  What TensorFlow, NumPy or the system refuse, such as more memory than there is, is for the
  user to change; anything else is a mistake in the code.
  """
  lines = str(error).strip().splitlines()
  # gin and TensorFlow add lines to the first.
  message = f'{type(error).__name__}: {lines[0]}' if lines else type(error).__name__
  with tempfile.NamedTemporaryFile(
    'w', prefix='latent_hrl_traceback_', suffix='.txt', delete=False, encoding='utf-8'
  ) as file:
    traceback.print_exception(error, file=file)
  _report(
    f'{message} (traceback in {file.name}; --debug shows it; a binding far from its '
    'default may be the cause)'
  )
  return BAD_INPUT if _is_refused(error) else UNEXPECTED


def _is_refused(error: Exception) -> bool:
  """Returns whether it was TensorFlow or the machine that refused what it was given."""
  kinds: list[type[Exception]] = [MemoryError, OverflowError]
  if 'tensorflow' in sys.modules:  # Not every launcher has imported it.
    kinds.append(sys.modules['tensorflow'].errors.OpError)
  return isinstance(error, tuple(kinds))


def import_tensorflow() -> None:
  """Imports TensorFlow without what its C++ says of GPUs before it reads its log level.

  Whoever sets TF_CPP_MIN_LOG_LEVEL gets to see it.
  """
  if os.environ['TF_CPP_MIN_LOG_LEVEL'] != latent_hrl.TF_LOG_LEVEL:
    return
  descriptor = sys.stderr.fileno()
  saved = os.dup(descriptor)
  try:
    with open(os.devnull, 'w', encoding='utf-8') as null:
      os.dup2(null.fileno(), descriptor)
    import tensorflow as tf

    tf.config.list_physical_devices()  # Looks for a GPU now, not in the middle of a run.
  finally:
    os.dup2(saved, descriptor)
    os.close(saved)


def _report(message: str) -> int:
  print(f'error: {message}', file=sys.stderr)
  return BAD_INPUT


def _fail(message: str) -> None:
  first_line = message.strip().splitlines()[0]
  sys.exit(_report(f'{first_line} (see --help)'))


def cores() -> int | None:
  """Returns what --cores says."""
  return _CORES.value


def configure_threads() -> threads.Threads:
  """Sets the threads as --cores says; see `threads.configure`."""
  return threads.configure(_CORES.value)
