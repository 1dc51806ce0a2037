"""A run's paths are those of the contract, and a layer knows its run."""

import pathlib

from latent_hrl import run_directory


def test_paths_are_those_of_the_contract():
  run = run_directory.RunDirectory(pathlib.Path('run'))
  found = {
    str(path)
    for path in (
      *(run.layer('base'), run.best('base'), run.checkpoints('base')),
      *(run.tensorboard('base'), run.metrics, run.curve, run.configuration),
    )
  }
  assert found == {
    *('run/layers/base', 'run/best/base', 'run/checkpoints/base', 'run/tensorboard/base'),
    *('run/metrics.jsonl', 'run/learning_curve.png', 'run/operative_config.gin'),
  }


def test_a_layer_knows_its_run_through_links(tmp_path):
  layer = tmp_path / 'run' / 'layers' / 'base'
  layer.mkdir(parents=True)
  (tmp_path / 'link').symlink_to(layer)
  run = run_directory.RunDirectory.of_layer(tmp_path / 'link')
  assert run.checkpoints('base') == tmp_path / 'run' / 'checkpoints' / 'base'
