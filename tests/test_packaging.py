"""What is installed: the files of requirements agree with each other."""

import ast
import importlib.metadata
import re

from latent_hrl import config

# Pins of TF-Agents that it does not need (docs/combined.md).
NOMINAL = {'typing-extensions', 'pygame'}


def _lines(name: str) -> list[str]:
  text = (config.PROJECT_ROOT / name).read_text(encoding='utf-8')
  return [line for line in text.splitlines() if line and line[0].isalnum()]


def _project(requirement: str) -> tuple[str, frozenset[str]]:
  """Name, normalised, and versions of a requirement."""
  name, versions = re.match(r'([\w-]+(?:\[\w+\])?)\s*([^;]*)', requirement).groups()
  return re.sub('[-_]+', '-', name.lower()), frozenset(
    re.split(r'[,\s]+', versions.strip())
  )


def _needed_here() -> set[tuple[str, frozenset[str]]]:
  tree = ast.parse((config.PROJECT_ROOT / 'setup.py').read_text(encoding='utf-8'))
  [needed] = [
    node.value
    for node in ast.walk(tree)
    if isinstance(node, ast.keyword) and node.arg == 'install_requires'
  ]
  return {_project(requirement) for requirement in ast.literal_eval(needed)}


def test_the_combined_requirements_are_those_of_setup_and_tf_agents_without_its_pins():
  ours = {project for project in _needed_here() if project[0] != 'tf-agents'}
  theirs = {
    _project(requirement)
    for requirement in importlib.metadata.requires('tf-agents')
    if 'extra ==' not in requirement
  }
  named = {name.split('[')[0] for name, _ in ours}
  combined = {_project(line) for line in _lines('requirements-combined.txt')}

  assert ours <= combined
  added = {(name, versions) for name, versions in theirs if name not in named | NOMINAL}
  assert added <= combined
  freed = {(name, versions) for name, versions in combined if name in NOMINAL}
  assert combined - ours - added == freed
  assert freed == {_project(line) for line in _lines('overrides.txt')}


def test_tf_agents_still_has_the_pins_that_are_freed():
  pinned = {
    re.match(r'[\w-]+', requirement)[0].lower()
    for requirement in importlib.metadata.requires('tf-agents')
    if '==' in requirement.split(';')[0]
  }
  assert pinned == NOMINAL  # With none left these files can go.


def test_the_tested_versions_cover_every_combined_requirement():
  tested = {_project(line)[0] for line in _lines('constraints-combined.txt')}
  combined = {
    _project(line)[0].split('[')[0] for line in _lines('requirements-combined.txt')
  }
  assert combined | {'torch', 'stable-baselines3', 'minari', 'ray'} <= tested
