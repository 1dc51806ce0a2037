"""Puts a trained layer into a zoo: checked, played, and with a card."""

import dataclasses
import json
import pathlib
from typing import Any

from latent_hrl import errors
from latent_hrl import files
from latent_hrl.evaluation import plots
from latent_hrl.evaluation import report
from latent_hrl.evaluation import rollout
from latent_hrl.layers import contents
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.zoo import card
from latent_hrl.zoo import entry as entry_lib
from latent_hrl.zoo import index
from latent_hrl.zoo import latents
from latent_hrl.zoo import listing

# What a wheel may weigh; more would have to be hosted elsewhere.
MAX_BYTES = 25_000_000
_SEED = 0
_FROM_RUN = ('metrics.jsonl', 'operative_config.gin')
_EVALUATION = 'evaluation.json'


@dataclasses.dataclass(frozen=True)
class Told:
  """What no file of a layer tells; see `entry.Entry`."""

  name: str
  purpose: str
  command: str = ''
  commit: str = ''
  limits: tuple[str, ...] = ()
  license: str = 'Apache-2.0'


def add(
  path: pathlib.Path,
  zoo: pathlib.Path,
  told: Told,
  episodes: int = 100,
  replace: bool = False,
  untrusted: bool = True,
) -> entry_lib.Entry:
  """Adds a layer: checks it, plays episodes with it, writes its entry and its card.

  Metrics and configuration of its run come along where they lie beside the layer or, as
  training leaves them, two folders above it.

  Args:
    path: The saved layer.
    zoo: Folder of the zoo, which may be new.
    told: What the layer does not tell.
    episodes: How many episodes to play, of the mode policy or under commands.
    replace: Whether a layer of this name may be there, which is replaced.
    untrusted: See `load.load_layer`.

  Raises:
    ConfigError: If something told does not fit.
    LayerLoadError: If it is no intact layer.
  """
  folder = zoo / told.name
  _check(told, folder, replace)
  path = pathlib.Path(path).expanduser()
  layer = load.load_layer(path, untrusted)
  if layer.manifest.format_version < 2:
    raise errors.LayerLoadError(path, 'it is of format 1, which has no sum: reseal it')
  rows = _rows(path, layer.manifest)
  with files.replacing_directory(folder) as directory:
    _copy(path, layer.digest, directory / entry_lib.LAYER)
    for name, content in _of_run(path).items():
      files.write_bytes(directory / name, content)
    if rows:
      title = f'{layer.manifest.task}, seed {layer.manifest.layers[-1].seed}'
      plots.learning_curve(rows, title, directory / card.CURVE)
    evaluation = _evaluate(layer, told.name, episodes, directory)
    entry = entry_of(
      layer.manifest,
      told,
      sha256=layer.digest,
      size=_size(directory / entry_lib.LAYER),
      evaluation=evaluation,
      latents=latents.measure(layer, directory / card.LATENTS),
    )
    files.write_text(directory / entry_lib.CARD, card.page(entry, curve=bool(rows)))
    files.write_text(directory / entry_lib.FILE, entry.to_json())
    taken = _size(zoo) - (_size(folder) if folder.exists() else 0)
    if taken > MAX_BYTES:
      raise errors.ConfigError(
        f'{zoo} would take {taken / 1e6:.0f} MB, more than {MAX_BYTES / 1e6:.0f}'
      )
  write_page(zoo)
  return entry_lib.read(folder)


def export(name: str, output: pathlib.Path) -> None:
  """Writes a copy of a layer of the zoo, which TensorFlow alone can load.

  Raises:
    ConfigError: If there is no such layer, or something is at `output`.
    LayerLoadError: If it is not intact.
  """
  entry = index.find(name)
  if output.exists():
    raise errors.ConfigError(f'{output} is there already')
  load.check(f'{index.SCHEME}{entry.name}')
  _copy(entry.path, entry.sha256, output)


def entry_of(
  manifest: manifest_lib.Manifest, told: Told, **measured: Any
) -> entry_lib.Entry:
  """Returns the entry of a layer: what it tells, what was told, what was measured."""
  return entry_lib.Entry(
    **dataclasses.asdict(told),
    task=manifest.task,
    task_options=manifest.task_options,
    layers=tuple(record.name for record in manifest.layers),
    env_steps=tuple(record.env_steps for record in manifest.layers),
    seeds=tuple(record.seed for record in manifest.layers),
    interval=manifest.layers[-1].interval,
    reads=tuple(field.name for field in manifest.fields),
    action_low=manifest.action_low,
    action_high=manifest.action_high,
    **measured,
  )


def write_page(zoo: pathlib.Path) -> None:
  """Writes the page of all layers of a zoo."""
  entries = [
    entry_lib.read(p.parent) for p in sorted(zoo.glob(f'[!.]*/[!.]*/{entry_lib.FILE}'))
  ]
  files.write_text(zoo / 'README.md', listing.page(entries))


def _check(told: Told, folder: pathlib.Path, replace: bool) -> None:
  if not entry_lib.NAME.fullmatch(told.name):
    raise errors.ConfigError(
      f'{told.name!r} is no name such as ant/base: letters, digits and _, one /'
    )
  texts = (told.purpose, told.command, told.commit, told.license, *told.limits)
  for text in texts:
    if not text.isprintable() or '|' in text:
      raise errors.ConfigError(f'{text!r} is not one line of text without |')
  if not told.purpose.strip():
    raise errors.ConfigError('the purpose says nothing')
  if folder.exists() and not replace:
    raise errors.ConfigError(f'{folder} is there already; --replace replaces it')


def _copy(source: pathlib.Path, digest: str, target: pathlib.Path) -> None:
  """Writes the files of a layer as they were checked."""
  found = contents.read(source)
  if found.digest != digest:
    raise errors.LayerLoadError(source, 'it is another layer now than the one checked')
  contents.check(source, found, manifest_lib.parse(source, found.files[manifest_lib.PATH]))
  with files.replacing_directory(target) as directory:
    for name, content in found.files.items():
      files.write_bytes(directory / name, content)


def _run_folder(path: pathlib.Path) -> pathlib.Path | None:
  path = path.resolve()
  return next((f for f in path.parents[:2] if (f / _FROM_RUN[0]).is_file()), None)


def _of_run(path: pathlib.Path) -> dict[str, bytes]:
  folder = _run_folder(path)
  found = [folder / name for name in _FROM_RUN] if folder else []
  return {file.name: file.read_bytes() for file in found if file.is_file()}


def _rows(path: pathlib.Path, manifest: manifest_lib.Manifest) -> list[dict[str, Any]]:
  """Returns the metrics of the layers that its run trained."""
  folder = _run_folder(path)
  if folder is None:
    return []
  names = {record.name for record in manifest.layers}
  try:
    lines = (folder / _FROM_RUN[0]).read_text(encoding='utf-8').splitlines()
    rows = [json.loads(line) for line in lines]
    return [row for row in rows if row['layer'] in names]
  except (ValueError, KeyError, TypeError) as error:
    raise errors.ConfigError(f'{folder / _FROM_RUN[0]} is damaged: {error}') from None


def _evaluate(
  layer: load.SavedLayer, name: str, episodes: int, directory: pathlib.Path
) -> dict[str, Any]:
  """Plays as `launchers.eval` does; keeps all in a file, returns what sums it up."""
  chosen = rollout.default_latents(layer)
  played = rollout.evaluate(layer, None, episodes, _SEED, chosen)
  result = report.result(layer, None, _SEED, chosen, played)
  result['layer'] = f'{index.SCHEME}{name}'
  report.write(result, directory / _EVALUATION)
  kept = ('return_mean', 'return_std', 'length_mean', 'episodes', 'seed')
  more = ('success_rate', 'goal_rates')
  return {key: result[key] for key in (*kept, *more) if key in result}


def _size(path: pathlib.Path) -> int:
  return sum(file.stat().st_size for file in path.rglob('*') if file.is_file())
