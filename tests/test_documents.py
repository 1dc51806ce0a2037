"""Links between the pages lead somewhere."""

import pathlib
import re

import pytest

from latent_hrl import config

ROOT = config.PROJECT_ROOT
PAGES = sorted(
  path
  for pattern in ('*.md', 'docs/*.md', 'benchmarks/*.md', 'results/**/*.md', 'zoo/**/*.md')
  for path in ROOT.glob(pattern)
)


def _prose(page: pathlib.Path) -> str:
  return re.sub(r'```.*?```', '', page.read_text(encoding='utf-8'), flags=re.S)


def _anchors(page: pathlib.Path) -> set[str]:
  """What GitHub makes of the page's headings."""
  headings = re.findall(r'^#+ (.*)$', _prose(page).lower(), re.M)
  return {re.sub(r'[^\w\- ]', '', heading).replace(' ', '-') for heading in headings}


def _links(page: pathlib.Path) -> list[str]:
  links = re.findall(r'\]\(([^)\s]+)\)', _prose(page))
  return [link for link in links if not link.startswith('http')]


def test_a_heading_has_its_anchor(tmp_path):
  page = tmp_path / 'page.md'
  page.write_text('## A maze, again\n```\n# no heading\n```\n', encoding='utf-8')
  assert _anchors(page) == {'a-maze-again'}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
  for link in _links(page):
    path, _, anchor = link.partition('#')
    target = page.parent / path if path else page
    assert target.exists(), link
    assert not anchor or anchor in _anchors(target), link


def test_the_site_leads_to_every_page_of_docs():
  site = (ROOT / 'website' / 'mkdocs.yml').read_text(encoding='utf-8')
  listed = re.findall(r'^ +- [^:]+: (\S+\.md)$', site, re.M)
  assert len(listed) == len(set(listed))
  written = {str(page.relative_to(ROOT)) for page in ROOT.glob('docs/*.md')}
  shown = {page for page in listed if page.startswith('docs/')}
  assert shown - written == {'docs/api.md'}  # It is written from the code.
  assert written <= shown
