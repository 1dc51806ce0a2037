"""What all pictures share: colours for the colour-blind too, and how they are saved."""

import io
import pathlib
from typing import Any

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402  the backend is chosen first
import numpy as np  # noqa: E402

from latent_hrl import errors  # noqa: E402
from latent_hrl import files  # noqa: E402

# Okabe and Ito's colours.
COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
LINES = ('-', '--', '-.', ':')
RC: Any = {
  'font.size': 9,
  'axes.titlesize': 10,
  'axes.spines.top': False,
  'axes.spines.right': False,
  'axes.grid': True,
  'grid.alpha': 0.25,
  'legend.frameon': False,
  'lines.linewidth': 1.6,
  'svg.hashsalt': 'latent_hrl',  # The same figures are the same file.
}
SUFFIXES = ('.png', '.svg')
_DPI = 200
# A circle of some of these colours, for angles: it ends where it begins.
_CIRCLE = matplotlib.colors.LinearSegmentedColormap.from_list(
  'circle', [COLORS[i] for i in (0, 5, 2, 4, 1, 3, 0)]
)


def of_curve(index: int) -> tuple[str, str]:
  """Returns colour and line style of a curve, by its number among others.

  Both change with each curve: where two are the same, the gaps of one show the other.
  """
  return COLORS[index % len(COLORS)], LINES[index % len(LINES)]


def of_angles(angles: np.ndarray) -> np.ndarray:
  """Returns RGB colours [N, 3] of angles [N] in rad."""
  return _CIRCLE(np.asarray(angles) / (2 * np.pi) % 1.0)[:, :3]


def steps(value: float, _: Any = None) -> str:
  """Returns a number of steps as axes tell it: `0`, `300k`, `1M`, `1.5M`."""
  if abs(value) >= 1e6:
    return f'{value / 1e6:g}M'
  return f'{value / 1e3:g}k' if value else '0'


def number(value: float, _: Any = None) -> str:
  """Returns a return as axes tell it, with separators: `10,000`."""
  return f'{value:,.6g}'


def check_path(path: pathlib.Path) -> None:
  """Checks where a picture is to be written, before what it shows is made.

  Args:
    path: The file.

  Raises:
    ConfigError: If its ending is none of `SUFFIXES`, or it cannot be written.
  """
  if path.suffix.lower() not in SUFFIXES:
    raise errors.ConfigError(
      f'picture file {str(path)!r} must end in {" or ".join(SUFFIXES)}'
    )
  files.check_output(path)


def save(figure: plt.Figure, path: pathlib.Path) -> None:
  """Writes a picture whole or not at all, PNG or SVG by the ending, and closes it.

  Args:
    figure: The figure.
    path: File to write.

  Raises:
    LatentHrlError: If the system refuses.
  """
  kind = path.suffix.lstrip('.').lower()
  picture = io.BytesIO()
  metadata = {'Date': None} if kind == 'svg' else {}
  figure.savefig(picture, format=kind, dpi=_DPI, bbox_inches='tight', metadata=metadata)
  plt.close(figure)
  files.write_bytes(path, picture.getvalue())
