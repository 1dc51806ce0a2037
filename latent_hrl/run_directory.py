"""Where a run keeps what; nobody else puts these paths together."""

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class RunDirectory:
  """The directory of a run.

  Attributes:
    root: Its path, the launchers' `--root_dir`.
  """

  root: pathlib.Path

  @classmethod
  def of_layer(cls, layer: pathlib.Path) -> 'RunDirectory':
    """Returns the run that a layer lies in, as `layers/NAME`.

    Args:
      layer: Directory of the saved layer, links resolved.
    """
    return cls(layer.resolve().parent.parent)

  @property
  def layers(self) -> pathlib.Path:
    """The latest layers."""
    return self.root / 'layers'

  @property
  def best_layers(self) -> pathlib.Path:
    """The best layers so far, each by its own reward."""
    return self.root / 'best'

  @property
  def metrics(self) -> pathlib.Path:
    """A line an evaluation."""
    return self.root / 'metrics.jsonl'

  @property
  def curve(self) -> pathlib.Path:
    """The picture of these."""
    return self.root / 'learning_curve.png'

  @property
  def configuration(self) -> pathlib.Path:
    """The operative configuration, which trains the same again."""
    return self.root / 'operative_config.gin'

  def layer(self, name: str) -> pathlib.Path:
    """The latest layer of a name."""
    return self.layers / name

  def best(self, name: str) -> pathlib.Path:
    """The best layer of a name."""
    return self.best_layers / name

  def checkpoints(self, name: str) -> pathlib.Path:
    """What the training of a layer goes on from."""
    return self.root / 'checkpoints' / name

  def tensorboard(self, name: str) -> pathlib.Path:
    """TensorBoard's events of a layer."""
    return self.root / 'tensorboard' / name

  def film(self, name: str) -> pathlib.Path:
    """An episode of a finished layer."""
    return self.root / 'films' / f'{name}.gif'

  def diverged(self, name: str) -> pathlib.Path:
    """The batches on which the training of a layer diverged."""
    return self.root / f'diverged_{name}.npz'
