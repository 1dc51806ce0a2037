"""A hundred bad configurations: exit code 2, one line that names the mistake, no trace."""

import pathlib

import pytest
from absl import flags
from absl.testing import flagsaver

from latent_hrl import cli
from latent_hrl import config
from latent_hrl.training import trainer as trainer_lib
from launchers import train

GIN_FILE = 'gin/multi_goal.gin'
MULTI_GOAL_LAYER = config.PROJECT_ROOT / 'testdata' / 'multi_goal_base'

# Values that a parameter does not take; the line has to name the parameter.
BAD_VALUES = {
  'OffPolicy.batch_size': ('0', '-8', '1.5', "'many'", 'None', 'True', '[32]', '10000000'),
  'OffPolicy.replay_capacity': ('0', '1', '8', '-1', '1.5e0', '10 ** 6', '99999999999999'),
  'OffPolicy.initial_steps': ('-5000', "'5000'"),
  'OffPolicy.steps_per_call': ('0', '{}', '99999999999'),
  'OffPolicy.updates_per_decision': ('0', '-1', '1e9', "'1'", 'None'),
  'OffPolicy.hold_latent_steps': ('-1',),
  'TrainingLoop.eval_interval': ('0', '@TrainingLoop'),
  'TrainingLoop.eval_episodes': ('0', '2147483648'),
  'TrainingLoop.checkpoint_interval': ('-1', 'None'),
  'base/Layer.env_steps': ('0', '-1', "'300k'", '1e5 + 1', '1e30', 'True', 'None'),
  'base/Layer.interval': ('0', '2', '-1', '1.5', "'1'"),
  'base/Layer.critic': ("'actoin'", '3', 'None'),
  'base/Layer.inherit': ("'yes'", '1', 'True'),
  'base/Layer.reward_fn': ("'task_reward'", '@task_rewad', '3'),
  'base/Layer.observation_fields': ("['positon']", '[]', '3', '[3]', "'goal'"),
  'base/Layer.task': ("'latent_hrl/MultGoal-v0'", '3', "'CartPole-v1'"),
  'base/Layer.name': ("'../base'", "'a b'", '3'),
  'create_agent.gamma': ('-0.1', '1.5', "'0.99'", 'None', 'True', '1e999'),
  'create_agent.learning_rate': ('0', '5e-324', '1e300', '-3e-4', "'3e-4'", '[3e-4]'),
  'create_agent.target_update_tau': ('0', '2.0', 'None'),
  'create_agent.policy_average_tau': ('0', '2.0', 'None'),
  'create_agent.initial_temperature': ('0.0', "'auto'"),
  'create_agent.target_entropy': ("'auto'", '-1e999'),
  'create_agent.target_kl': ('-1.5', 'None'),
  'base/create_agent.temperature': ('0', '-0.2', "'low'"),
  'LatentPolicyNetwork.embedding_units': ('256', '(256, 0)', '(-1,)', "'256'", '(256.5,)'),
  'LatentPolicyNetwork.name': ("'a b'", "'ünï'", "''", '3'),
  'TwinCriticNetwork.name': ("'a/../b'",),
  'base/task_reward.scale': ('1e38', 'None'),
  'train_stack.unchecked_ranges': ('1', "'yes'"),
  'LatentPolicyNetwork.embedding_size': ('0', '-4', '4.5', '100000'),
  'real_nvp.shift_scale': ('0', '-1.0', 'None'),
  'real_nvp.conditioner_units': ('0', '-1', "'D'"),
  'real_nvp.num_couplings': ('-1', '2.5', '64', '1000', 'None'),
  'real_nvp.log_scale_bound': ('0', '-3.0', 'None', "'3'"),
  'TwinCriticNetwork.hidden_units': ('256', '(0,)', "('256',)", '(10000000,)'),
  'sparse_goal.radius': ('0', '-1.0', "'1'"),
  'sparse_goal.weight': ("'1'", '1e999'),
  'sparse_goal.goal': ('3', "('a', 'b')"),
  'make_task.options': ('3', "'fast'", "{'no_such_option': 1}", "{'goal_radius': 1e999}",
                        "{'render_mode': 'nonsense'}"),
  'train_stack.task': ("'MultiGoal-v0'", '3', 'None', "'no_such_module:Task-v0'"),
  'train_stack.layers': ('[]', '3', 'None', "[3]", '[@base/Layer]'),
}  # fmt: skip

# Bindings, and words of the line.
MISTAKES = (
  ('OffPolcy.batch_size = 3', ('OffPolcy', "did you mean 'OffPolicy'")),
  ('OffPolicy.batch_sise = 3', ('batch_sise', "did you mean 'batch_size'")),
  ('Layer.reward = @alive', ('reward', "did you mean 'reward_fn'")),
  ('create_agent.gama = 0.9', ('gama', "did you mean 'gamma'")),
  ('bsae/OffPolicy.batch_size = 3', ('bsae', "did you mean 'base'")),
  ('north_est/OffPolicy.batch_size = 3', ('north_est', "did you mean 'north_east'")),
  ('OffPolicy.batch_size = %size', ('%size', 'no value')),
  ('train_stack.task = %gin.REQUIRED', ('train_stack.task',)),
  ('train_stack.seed = 3', ('seed',)),
  ('OffPolicy.batch_size = [3', ('gin cannot read',)),
  ('OffPolicy.batch_size', ('gin cannot read',)),
  ('include "gin/nowhere.gin"', ('gin/nowhere.gin',)),
  ('import no_such_module', ('no_such_module',)),
  ("train_stack.layers = ['no/such/layer']", ('no/such/layer', 'no such directory')),
  ('base/Layer.reward_fn = @create_agent', ('create_agent', 'is no reward function')),
  ('train_stack.layers = [@base/Layer(), @base/Layer()]', ("called 'base'",)),
  ('train_stack.layers = [@base/Layer(), @alive()]', ('alive',)),
  ('train_stack.layers = [@Layer()]', ('needs a name',)),
  ('base/Layer.reward_fn = @planar_speed', ('x_velocity',)),
  ('base/Layer.reward_fn = @weighted_sum', ('weighted_sum.terms',)),
  (
    "base/Layer.reward_fn = @weighted_sum\nweighted_sum.terms = {'aliv': 1}",
    ("did you mean 'alive'",),
  ),
  ("base/Layer.reward_fn = @task_term\ntask_term.name = 3", ('task_term.name',)),
  ("base/Layer.reward_fn = @task_reward\ntask_reward.scale = 'x'", ('task_reward.scale',)),
  ('base/Layer.reward_fn = @far/sparse_goal\nfar/sparse_goal.radius = -1', ('radius',)),
  ('sparse_goal.goal = (1.0, 2.0, 3.0)', ('goal', '3 coordinates')),
  ('sparse_goal.goal = None', ("field 'goal'",)),
  ('north_east/Layer.interval = 2000', ('initial_steps', '2000')),
  ('north_east/Layer.inherit = True', ('inherit',)),
  ('north_east/Layer.reward_fn = @forward_velocity', ("'forward_velocity' needs",)),
  ("north_east/Layer.observation_fields = ['positon']", ("did you mean 'position'",)),
  ('north_east/Layer.env_steps = 0', ('north_east/Layer.env_steps', 'positive integer')),
  (
    "north_east/Layer.critic = 'action'\nnorth_east/Layer.inherit = True",
    ('inherit', 'reward'),
  ),
  ("train_stack.task = 'HalfCheetah-v5'\nbase/Layer.task = 'latent_hrl/MultiGoal-v0'",
   ("'base'", 'does not fit')),
  (f"train_stack.task = 'HalfCheetah-v5'\ntrain_stack.layers = ['{MULTI_GOAL_LAYER}']",
   ('does not fit', 'position')),
  (f"train_stack.layers = [@north_east/Layer(), '{MULTI_GOAL_LAYER}']",
   ('can only be the first',)),
)  # fmt: skip

CASES = [
  *(
    (f'{parameter} = {value}', (parameter.split('.')[-1],))
    for parameter, values in BAD_VALUES.items()
    for value in values
  ),
  *MISTAKES,
]


@pytest.fixture(name='run', scope='module')
def _run():
  """Runs the launcher within this process, up to where it would build the first layer."""
  flags.FLAGS.mark_as_parsed()

  def start(*_):
    raise AssertionError('training started')

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(trainer_lib, 'Trainer', start)
    patch.setattr(cli, 'configure_threads', lambda: 'threads as they are')
    patch.setattr(cli, 'import_tensorflow', lambda: None)

    def run(root_dir: pathlib.Path, binding: str) -> int:
      given = {'root_dir': str(root_dir), 'gin_file': [GIN_FILE], 'gin_bindings': [binding]}
      with flagsaver.flagsaver(**given):
        return cli._guarded(train.main, tensorflow=True, debug=True)

    yield run


@pytest.mark.parametrize(('binding', 'words'), CASES)
def test_a_bad_configuration_is_one_line_and_leaves_nothing(
  run, tmp_path, capsys, binding, words
):
  assert run(tmp_path / 'run', binding) == cli.BAD_INPUT

  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith('error: ') and len(line) < 500
  for word in words:
    assert word in line
  assert not list(tmp_path.iterdir())


def test_there_are_a_hundred():
  assert len(CASES) >= 100


def test_what_is_good_gets_to_the_training(run, tmp_path):
  with pytest.raises(AssertionError, match='training started'):
    run(tmp_path / 'run', 'size = 64\nTrainer.batch_size = %size')
  assert not list(tmp_path.iterdir())
