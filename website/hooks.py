"""Lays the site out as the repository is, so that links between pages hold in both.

Pages outside of docs/ become pages of the site at their own paths. A source file that a
page links to becomes a page with its text, a picture is copied. The page of the Python API
is written from the public names of the package.
"""

import ast
import pathlib
import re
from typing import Any

from mkdocs.structure import files as mkdocs_files

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ('*.md', 'docs/*.md', 'benchmarks/*.md', 'results/**/*.md')
_LINK = re.compile(r'(\]\()([^)\s#]+)((?:#[^)\s]*)?\))')
# Suffixes of text that a reader wants to see on a page, to the name of its highlighter.
_SHOWN = {'.py': 'python', '.gin': 'python', '.txt': 'text', '.toml': 'toml', '': 'text'}


def on_files(files: Any, config: Any) -> mkdocs_files.Files:
  """Replaces the files of docs/ by those of the repository that belong to the site."""
  of_the_theme = [file for file in files if file.src_dir != config.docs_dir]
  site = mkdocs_files.Files(of_the_theme)
  pages = sorted({path for pattern in PAGES for path in ROOT.glob(pattern)})
  uris = {path.relative_to(ROOT).as_posix() for path in pages}
  for uri in sorted(uris | {'website/extra.css'}):
    site.append(_file(config, uri))
  for uri in sorted({uri for page in pages for uri in _targets(page)} - uris):
    path = ROOT / uri
    if path.suffix in _SHOWN:
      text = f'# {uri}\n\n````{_SHOWN[path.suffix]}\n{path.read_text("utf-8")}\n````\n'
      site.append(mkdocs_files.File.generated(config, f'{uri}.md', content=text))
    else:
      site.append(_file(config, uri))
  site.append(mkdocs_files.File.generated(config, 'docs/api.md', content=_api()))
  return site


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
  """Leads links to source files to the pages with their text."""
  del config, files  # Unused.
  folder = (ROOT / page.file.src_uri).parent

  def lead(link: re.Match) -> str:
    start, target, end = link.groups()
    shown = (folder / target).is_file() and pathlib.PurePath(target).suffix in _SHOWN
    return f'{start}{target}{".md" if shown else ""}{end}'

  return _outside_code(lambda text: _LINK.sub(lead, text), markdown)


def _file(config: Any, uri: str) -> mkdocs_files.File:
  return mkdocs_files.File.generated(config, uri, abs_src_path=str(ROOT / uri))


def _targets(page: pathlib.Path) -> set[str]:
  """Paths, from the root, of the files that a page links to."""
  found: set[str] = set()

  def note(text: str) -> str:
    for _, target, _ in _LINK.findall(text):
      path = (page.parent / target).resolve()
      if path.is_file() and path.is_relative_to(ROOT):
        found.add(path.relative_to(ROOT).as_posix())
    return text

  _outside_code(note, page.read_text('utf-8'))
  return found


def _outside_code(change: Any, markdown: str) -> str:
  """Applies a change to all but the fenced blocks."""
  parts = re.split(r'(^```.*?^```$)', markdown, flags=re.S | re.M)
  return ''.join(change(part) if i % 2 == 0 else part for i, part in enumerate(parts))


def _api() -> str:
  """The page of the public names: those that `latent_hrl` gives on first use."""
  tree = ast.parse((ROOT / 'latent_hrl' / '__init__.py').read_text('utf-8'))
  [public] = [
    ast.literal_eval(node.value)
    for node in tree.body
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == '_PUBLIC'
  ]
  names = sorted(public, key=lambda name: (name.endswith('Error'), name.lower()))
  entries = [f'::: {public[name]}.{name}' for name in names]
  head = '# Python API\n\nEach name is imported from `latent_hrl` itself.\n'
  rewards = '## Rewards\n\nFrom `latent_hrl.rewards`.\n\n::: latent_hrl.rewards\n'
  options = '    options:\n      show_root_heading: false\n      heading_level: 3\n'
  return '\n\n'.join([head, *entries, rewards + options])
