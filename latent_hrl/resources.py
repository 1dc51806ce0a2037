"""Where the files lie that come with the code: gin files, and layers of the zoo.

In a clone they are at its top; setup.py puts them into the installed package.
"""

import pathlib

_PACKAGE = pathlib.Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / 'data'

# Holds gin/ and zoo/.
ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
