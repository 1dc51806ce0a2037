"""What is fuzzed: gin files, manifests, graphs and whole layers.

A target takes the directory of an intact layer, an empty directory and a random generator,
tries one case, and raises AssertionError (or whatever got through) if a promise of
docs/reliability.md does not hold.
"""

import contextlib
import io
import pathlib
import random
import shutil
from collections.abc import Callable
from unittest import mock

from latent_hrl import cli
from latent_hrl import config
from latent_hrl import errors
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.training import train_stack
from latent_hrl.training import trainer as trainer_lib
from tests import helpers
from tests.fuzz import damage

Target = Callable[[pathlib.Path, pathlib.Path, random.Random], None]

_FILES = ('gin/defaults.gin', 'gin/multi_goal.gin')
_VALUES = (
  '0', '-1', '1', '2.5', '1e999', '-1e999', '9' * 400, 'None', 'True', "''", "'x'", "'é'",
  '[]', '()', '{}', '(1,)', '[[1]]', "{'x': 1}", '%x', '@x', '@Layer', '@base/Layer()',
  '@task_reward', '@alive()', '@create_agent', '%gin.REQUIRED', '(' * 99, 'nan', '1 2', '',
  '[@base/Layer()]', "['testdata/multi_goal_base']", "['x']", "'HalfCheetah-v5'", '1_000',
  "{'planar_speed': 1.0}", '@weighted_sum', '@sparse_goal', "['position']", '0x10', "b'x'",
)  # fmt: skip


def _mutated(lines: list[str], rng: random.Random) -> str:
  """Returns gin text with some mistakes in it."""
  for _ in range(rng.randint(1, 3)):
    where = rng.randrange(len(lines))
    line = lines[where]
    kind = rng.randrange(6)
    if kind == 0:
      del lines[where]
    elif kind == 1:
      lines.insert(rng.randrange(len(lines)), line)
    elif kind == 2 and line:  # A slip of the finger.
      at = rng.randrange(len(line))
      slip = rng.choice(['', line[at] * 2, rng.choice('/.=@%([{"\'#\\ \t\0é_a1')])
      lines[where] = line[:at] + slip + line[at + 1 :]
    else:
      name = line.split(' = ')[0] if ' = ' in line else 'OffPolicy.batch_size'
      scope = rng.choice(['', '', 'base/', 'north_east/', 'bsae/'])
      lines[where] = f'{scope}{name} = {rng.choice(_VALUES)}'
  text = '\n'.join(lines)
  return text[: rng.randrange(len(text))] if rng.random() < 0.05 else text


class _Started(Exception):
  """The configuration was good."""


def gin_file(layer: pathlib.Path, workspace: pathlib.Path, rng: random.Random) -> None:
  """A gin file with mistakes is good after all, or one line and exit code 2."""
  del layer
  lines = [
    line
    for name in _FILES
    for line in (config.PROJECT_ROOT / name).read_text(encoding='utf-8').splitlines()
    if not line.startswith('include')
  ]
  path = workspace / 'fuzz.gin'
  path.write_text(_mutated(lines, rng), encoding='utf-8')

  def main() -> None:
    config.load([str(path)])
    train_stack.train_stack(workspace / 'run')

  said = io.StringIO()
  with (
    mock.patch.object(trainer_lib, 'Trainer', side_effect=_Started),
    mock.patch.object(cli, 'import_tensorflow'),
    contextlib.redirect_stderr(said),
    contextlib.suppress(_Started),
  ):
    assert cli._guarded(main, tensorflow=True, debug=True) == cli.BAD_INPUT
    (line,) = said.getvalue().splitlines()
    assert line.startswith('error: ') and len(line) > len('error: ')
  assert not (workspace / 'run').exists()


def manifest(layer: pathlib.Path, workspace: pathlib.Path, rng: random.Random) -> None:
  """A forged manifest is one, or damage; read again it says the same."""
  path = shutil.copytree(layer, workspace / 'copy')
  damage.forge_manifest(path, rng)
  if rng.random() < 0.5:
    text = (path / manifest_lib.PATH).read_text(encoding='utf-8')
    at = rng.randrange(len(text))
    text = text[:at] + rng.choice('0123456789eE.-+,:{}[]" \\ntf') + text[at + 1 :]
    (path / manifest_lib.PATH).write_text(text, encoding='utf-8')
  with contextlib.suppress(errors.LayerLoadError):
    found = helpers.read_manifest(path)
    (path / manifest_lib.PATH).write_text(found.to_json(), encoding='utf-8')
    assert helpers.read_manifest(path) == found


def graph(layer: pathlib.Path, workspace: pathlib.Path, rng: random.Random) -> None:
  """A graph with noise in it and a matching manifest is looked through to the end."""
  path = shutil.copytree(layer, workspace / 'copy')
  file = path / 'saved_model.pb'
  content = bytearray(file.read_bytes())
  for _ in range(rng.randint(1, 20)):
    content[rng.randrange(len(content))] = rng.randrange(256)
  file.write_bytes(content)
  helpers.claim(path)
  with contextlib.suppress(errors.LayerLoadError):
    load.check(path)


def damaged_layer(layer: pathlib.Path, workspace: pathlib.Path, rng: random.Random) -> None:
  """A damaged or forged layer does not load, and nothing is written."""
  path = shutil.copytree(layer, workspace / 'copy')
  kind = rng.choice(sorted(damage.DAMAGES))
  damage.DAMAGES[kind](path, rng)
  before = sorted(workspace.rglob('*'))
  try:
    load.load_layer(path)
  except errors.LayerLoadError as error:
    assert str(error).isprintable()
  else:
    raise AssertionError(f'a layer loaded in spite of {kind}')
  assert sorted(workspace.rglob('*')) == before


TARGETS: dict[str, Target] = {
  target.__name__: target for target in (gin_file, manifest, graph, damaged_layer)
}


def run_case(
  name: str, seed: int, case: int, layer: pathlib.Path, workspace: pathlib.Path
) -> None:
  """Runs one case of a target, the same for the same numbers."""
  workspace.mkdir()
  try:
    TARGETS[name](layer, workspace, random.Random(f'{name}/{seed}/{case}'))
  finally:
    shutil.rmtree(workspace)
