"""Old names in gin files are read as the present ones, with a note."""

import gin
import pytest

from latent_hrl import config
from latent_hrl import renamed

FILE = """
Trainer.batch_size = 64
base/latent_hrl.training.settings.Trainer.eval_interval = 300  # steps
base/LatentPolicyNetwork.conditioner_units = \\
    16
flat/LatentPolicyNetwork.num_couplings = 0     # Gaussian
LatentPolicyNetwork.num_couplings = 4
"""


def test_old_names_bind_the_present_ones_and_are_told_once(tmp_path, capsys):
  path = tmp_path / 'old.gin'
  path.write_text(FILE, encoding='utf-8')

  config.load(
    [str(path)],
    [
      'base/Trainer.batch_size = 32',
      'train_stack.layers = [@base/Layer(), @flat/Layer()]',
    ],
  )

  assert gin.query_parameter('OffPolicy.batch_size') == 64
  assert gin.query_parameter('base/OffPolicy.batch_size') == 32
  assert gin.query_parameter('base/TrainingLoop.eval_interval') == 300
  assert gin.query_parameter('base/real_nvp.conditioner_units') == 16
  assert gin.query_parameter('real_nvp.num_couplings') == 4
  flow = gin.query_parameter('flat/LatentPolicyNetwork.flow')
  assert flow.selector.endswith('gaussian') and flow.evaluate
  said = capsys.readouterr().out
  assert said.count('note: Trainer.batch_size is called OffPolicy.batch_size now') == 2
  assert 'num_couplings is called LatentPolicyNetwork.flow = @gaussian() now' in said


@pytest.mark.parametrize(
  'line',
  [
    'OffPolicy.batch_size = 64',
    "text = 'Trainer.batch_size = 3'",
    '# Trainer.batch_size = 3',
    'MyTrainer.batch_size = 3',
    'Trainer.unheard_of = 3',
  ],
)
def test_other_lines_stay_as_they_are(line):
  assert renamed.current(line) == (line, '')
