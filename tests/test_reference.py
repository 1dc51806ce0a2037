"""The reference page is what the code says."""

from latent_hrl import config
from latent_hrl import parameters
from latent_hrl import reference


def test_the_page_is_that_of_the_code():
  page = config.PROJECT_ROOT / 'docs' / 'reference.md'
  assert page.read_text(encoding='utf-8') == reference.markdown(), 'run `make reference`'


def test_it_has_a_row_for_each_parameter_with_default_rule_and_source():
  text = reference.markdown()
  for name, owner in parameters.REGISTRY.items():
    if owner.module.startswith('latent_hrl.'):
      assert f'### `{name}`' in text
      assert all(f'| `{parameter}` |' in text for parameter in owner.parameters)
  assert (
    '| `radius` | `0.25` (m) | a positive number [1e-06, 1e+06] | Distance at which the '
    'goal counts as reached. *code.* |'
  ) in text
