"""What the sources never do: unpickle, evaluate text, run a gin file that lies about."""

import ast
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from latent_hrl import config

SOURCES = sorted(
  path
  for folder in ('latent_hrl', 'launchers', 'benchmarks', 'testdata')
  for path in (config.PROJECT_ROOT / folder).rglob('*.py')
)
# Modules whose files are programs, and functions that make a program of text.
UNPICKLING = {'cloudpickle', 'dill', 'joblib', 'jsonpickle', 'marshal', 'pickle', 'shelve'}
# It pickles for a process that it started, through pipes that nobody else has: no file.
PRIVATE_PIPES = config.PROJECT_ROOT / 'latent_hrl' / 'environments' / 'rendering.py'
EVALUATING = {'eval', 'exec', 'compile', '__import__'}


def _nodes(kind: type[ast.AST], sources: Sequence[pathlib.Path] = SOURCES) -> Iterator[Any]:
  for path in sources:
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
      if isinstance(node, kind):
        yield node


def test_nothing_unpickles():
  assert PRIVATE_PIPES in SOURCES
  others = [path for path in SOURCES if path != PRIVATE_PIPES]
  modules = {alias.name for node in _nodes(ast.Import, others) for alias in node.names}
  modules |= {node.module for node in _nodes(ast.ImportFrom, others)}
  assert 'json' in modules
  assert not {name.split('.')[0] for name in modules} & UNPICKLING


def test_arrays_are_loaded_as_numbers_only():
  calls = [ast.unparse(node) for node in _nodes(ast.Call)]
  loads = [call for call in calls if call.startswith(('np.load(', 'numpy.load('))]
  assert loads
  for call in loads:
    assert 'allow_pickle=False' in call


def test_no_text_is_evaluated():
  called = {ast.unparse(node.func) for node in _nodes(ast.Call)}
  assert not called & EVALUATING


def test_gin_files_are_read_in_one_place():
  for path in SOURCES:
    reads = 'gin.parse' in path.read_text(encoding='utf-8')
    assert reads == (path == config.PROJECT_ROOT / 'latent_hrl' / 'config.py'), path
