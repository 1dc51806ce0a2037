"""What README shows in Python runs as it stands there, for fewer steps."""

import re

import pytest

from latent_hrl import config


def _block(words: str) -> str:
  """The Python block of README.md that holds some words."""
  text = (config.PROJECT_ROOT / 'README.md').read_text(encoding='utf-8')
  [block] = [b for b in re.findall(r'```python\n(.*?)```', text, re.S) if words in b]
  return block


@pytest.mark.usefixtures('quick_training')
def test_an_agent_learns_in_tf_agents_as_shown():
  shown = _block('dynamic_step_driver')
  short = shown.replace('maximum_iterations=1000', 'maximum_iterations=5')
  short = short.replace('10_000', '2')
  assert short.count('=5)') == 1 and 'range(2)' in short
  names: dict = {}

  exec(short, names)

  assert names['loss'].loss.numpy() != 0.0
  assert int(names['agent'].train_step_counter) == 2
