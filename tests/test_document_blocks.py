"""Every block of code on a page is run by a test, or checked here as far as is cheap.

What is checked here: Python compiles, and what it imports and takes from there exists; gin
loads; a command names a module, flags and files that there are, and its bindings load.
"""

import ast
import importlib
import json
import pathlib
import re
import shlex
import tomllib
from collections.abc import Iterator

import pytest

import latent_hrl
from latent_hrl import config

ROOT = config.PROJECT_ROOT
PAGES = sorted(
  path
  for pattern in ('*.md', 'docs/*.md', 'benchmarks/*.md', 'results/**/README.md')
  for path in ROOT.glob(pattern)
  if not (path.parent / 'saved_model.pb').exists()
)
# Commands that are not looked at any further, with the reason.
NOT_LOOKED_AT = {
  'pip': 'installs; .ci/combined does it',
  'uv': 'installs, with a program that is not ours',
  'git': 'not ours',
  'cp': 'not ours',
}
# What registers the names of a comparison.
COMPARISON = 'latent_hrl.comparison.plan'
_BLOCK = re.compile(r'^```(\w*)\n(.*?)^```$', re.S | re.M)
_STARTS = re.compile(
  r'(taskset |time |\.venv/bin/python |python |make |pip |uv |git |cp |[A-Z_]+=)'
)
# What stands for something of the reader's own.
_PLACEHOLDER = re.compile(r'\b[A-Z]{3,}\b|\.\.\.|\[--')


def _blocks() -> Iterator[tuple[pathlib.Path, str, str]]:
  for page in PAGES:
    for language, text in _BLOCK.findall(page.read_text(encoding='utf-8')):
      commands = not language and _STARTS.match(text)
      yield page, 'sh' if commands else language or 'gin', text


def _cases(language: str) -> list:
  """The blocks in a language, named by page and number."""
  found: list = []
  for page, kind, text in _blocks():
    if kind == language:
      name = f'{page.relative_to(ROOT)}-{len(found)}'
      found.append(pytest.param(page, text, id=name))
  return found


def _commands() -> list:
  """The commands of blocks, and those between backticks."""
  found: list = []
  blocks = list(_blocks())
  for page in PAGES:
    prose = _BLOCK.sub('', page.read_text(encoding='utf-8'))
    lines = re.findall(r'`(python -m [^`]*)`', prose)
    for owner, kind, block in blocks:
      if owner == page and kind == 'sh':
        lines += block.replace('\\\n', ' ').splitlines()
    for line in lines:
      found.append(pytest.param(' '.join(line.split()), id=f'{page.name}-{len(found)}'))
  return found


def test_there_is_a_check_for_every_language():
  assert {kind for _, kind, _ in _blocks()} <= {
    'sh',
    'gin',
    'python',
    'json',
    'toml',
    'text',
  }


@pytest.mark.parametrize(('page', 'text'), _cases('python'))
def test_what_python_takes_from_modules_exists(page, text):
  tree = ast.parse(text, str(page))
  modules = {}
  for node in tree.body:
    if isinstance(node, ast.Import):
      for name in node.names:
        module = importlib.import_module(name.name)
        modules[name.asname or name.name] = module
    elif isinstance(node, ast.ImportFrom):
      module = importlib.import_module(node.module)
      for name in node.names:
        if not hasattr(module, name.name):
          importlib.import_module(f'{node.module}.{name.name}')
        modules[name.asname or name.name] = getattr(module, name.name)
  modules.setdefault('latent_hrl', latent_hrl)
  for node in ast.walk(tree):
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
      module = modules.get(node.value.id)
      assert module is None or hasattr(module, node.attr), ast.unparse(node)


@pytest.mark.parametrize(('page', 'text'), _cases('gin'))
def test_gin_loads(page, text, tmp_path):
  del page  # Only names the case.
  (tmp_path / 'shown.gin').write_text(text, encoding='utf-8')
  comparison = re.search(r'\bSystem\.', text)
  config.load(
    [str(tmp_path / 'shown.gin')],
    **({'configurables': [COMPARISON]} if comparison else {}),
  )


@pytest.mark.parametrize(('page', 'text'), _cases('json') + _cases('toml'))
def test_data_can_be_read(page, text):
  del page  # Only names the case.
  assert (json.loads if text.lstrip().startswith('{') else tomllib.loads)(text)


@pytest.mark.parametrize('line', _commands())
def test_a_command_can_be_given(line):
  words = shlex.split(line, comments=True)
  while words and (re.match(r'[A-Z_]+=|taskset|time', words[0])):
    words = words[3:] if words[0] == 'taskset' else words[1:]
  if not words:
    return
  if words[0] == 'make':
    makefile = (ROOT / 'Makefile').read_text(encoding='utf-8')
    targets = [word for word in words[1:] if '=' not in word]
    assert all(re.search(rf'^{target}:', makefile, re.M) for target in targets)
  elif words[0].endswith('python') and words[1] == '-m':
    if not _PLACEHOLDER.search(words[2]):
      _check_module(words[2], words[3:])
  elif words[0].startswith('latent-hrl-'):
    name = words[0].removeprefix('latent-hrl-').replace('-', '_')
    _check_module(f'launchers.{name}', words[1:])
  elif words[0] == 'python':
    assert (ROOT / words[1]).is_file(), words[1]
  else:
    assert words[0] in NOT_LOOKED_AT, line


def _check_module(name: str, arguments: list[str]) -> None:
  source = ROOT / f'{name.replace(".", "/")}.py'
  assert source.is_file(), name
  known = _flags(source) | (_flags(ROOT / 'latent_hrl' / 'cli.py'))
  given = [
    (flag.lstrip('-'), value)
    for flag, _, value in (word.partition('=') for word in arguments)
    if flag.startswith('--')
  ]
  for flag, value in given:
    assert flag in known or flag.removeprefix('no') in known, f'{name}: no flag --{flag}'
    if value.startswith(('gin/', 'results/')) and flag != 'output':
      assert (ROOT / value).exists(), value
    if flag == 'task_options':
      assert isinstance(json.loads(value), dict)
  files = [value for flag, value in given if flag == 'gin_file']
  bindings = [value for flag, value in given if flag == 'gin_bindings']
  bindings = [binding for binding in bindings if not _PLACEHOLDER.search(binding)]
  if all((ROOT / file).is_file() for file in files):
    if name == 'launchers.train':
      latent_hrl.load_config(files, bindings)
    elif name == 'launchers.compare':
      config.load(files, bindings, [COMPARISON])


def _flags(source: pathlib.Path) -> set[str]:
  """Names of the flags that a module defines with absl or argparse."""
  text = source.read_text(encoding='utf-8')
  return set(re.findall(r"(?:DEFINE_\w+\(|add_argument\()\s*'(?:--)?(\w+)'", text))
