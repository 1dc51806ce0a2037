"""Hints: a slip is answered with what was meant, another word with nothing."""

import pytest

from latent_hrl import errors


@pytest.mark.parametrize(
  ('name', 'hint'),
  [
    ('bsae', "; did you mean 'base'?"),
    ('uper', "; did you mean 'upper'?"),
    ('maze', ''),  # Half of its letters are those of 'base', in its order.
    ('', ''),
  ],
)
def test_only_what_is_like_a_name_is_taken_for_a_slip(name, hint):
  assert errors.nearest(name, ['base', 'upper']) == hint
