"""What is told of the machine beside a figure."""

from latent_hrl import machine
from latent_hrl.layers import manifest


def test_it_tells_the_machine_and_the_packages_that_a_layer_records():
  facts = machine.describe()

  assert all(isinstance(value, str) and value for value in facts.values())
  assert facts['processor'].endswith(')')  # The vector instructions, which decide speed.
  assert int(facts['cores']) >= 1 and facts['memory'].endswith(' GiB')
  assert facts.items() >= manifest.package_versions().items()
