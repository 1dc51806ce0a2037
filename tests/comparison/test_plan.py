"""Plans: what follows from a gin file, and the mistakes one makes in it."""

import json
import pathlib

import pytest

from latent_hrl import config
from latent_hrl import errors
from latent_hrl.comparison import plan
from tests.comparison import fake_compare

CONFIGURABLES = ['latent_hrl.comparison.plan']
ROOT = pathlib.Path('root')


def _load(*bindings):
  config.load(['gin/compare/half_cheetah.gin'], bindings, CONFIGURABLES)
  return plan.Comparison()


def test_the_comparison_on_half_cheetah():
  comparison = _load()

  names = [system.name for system in comparison.systems]
  assert names == ['sac', 'td3', 'ddpg', 'ppo', 'one_layer', 'two_layers']
  assert (comparison.seeds, comparison.env_steps) == (3, 200_000)
  assert len(comparison.runs(ROOT)) == 18
  assert comparison.systems[-1].steps(200_000) == {'base': 100_000, 'upper': 100_000}


def test_the_quick_comparison():
  config.load(['gin/compare/quick.gin'], (), CONFIGURABLES)
  comparison = plan.Comparison(seeds=1)

  assert [system.name for system in comparison.systems] == ['one_layer', 'two_layers']
  assert all('OffPolicy.batch_size = 128' in s.bindings for s in comparison.systems)
  assert len(comparison.runs(ROOT)) == 2


def test_a_run_is_a_command_and_a_directory():
  run = _load("compare.tasks = ['latent_hrl/MultiGoal-v0']").runs(ROOT)[5]

  assert run.directory == ROOT / 'runs/two_layers/latent_hrl_MultiGoal-v0/seed_0'
  assert run.command_line(cores=1) == (
    'python -m launchers.train '
    '--root_dir=root/runs/two_layers/latent_hrl_MultiGoal-v0/seed_0 '
    '--gin_file=gin/stack_half_cheetah.gin '
    '\'--gin_bindings=train_stack.task = "latent_hrl/MultiGoal-v0"\' '
    "'--gin_bindings=base/Layer.env_steps = 100000' "
    "'--gin_bindings=upper/Layer.env_steps = 100000' "
    '--seed=0 --cores=1'
  )


def test_a_system_that_does_not_exist_is_told_with_the_nearest_one():
  with pytest.raises(errors.ConfigError, match="no system 'tow_layers'.*'two_layers'"):
    _load('compare.systems = [@tow_layers/System()]')


def test_shares_add_up_to_the_budget_after_rounding():
  thirds = {'a': 1 / 3, 'b': 1 / 3, 'c': 1 / 3}
  system = plan.System('deep', gin_file='x', layers=thirds)

  assert system.steps(1000) == {'a': 333, 'b': 333, 'c': 334}


def test_a_run_remembers_whether_it_is_finished(tmp_path):
  run = fake_compare.comparison().runs(tmp_path)[0]
  assert not run.finished()

  run.record(finished=False, facts={'processor': 'some'})
  assert not run.finished()
  run.record(finished=True)
  assert run.finished()
  assert run.machine() == {'processor': 'some'}


def test_a_directory_with_another_run_is_refused(tmp_path):
  fake_compare.comparison().runs(tmp_path)[0].record(finished=True, facts={})

  (run, *_) = fake_compare.comparison('more = 1').runs(tmp_path)
  with pytest.raises(errors.ConfigError, match='other settings'):
    run.finished()


@pytest.mark.parametrize('text', ['{', '[]', json.dumps({'finished': True})])
def test_a_damaged_record_is_told(tmp_path, text):
  run = fake_compare.comparison().runs(tmp_path)[0]
  run.record(finished=True, facts={})
  (run.directory / 'run.json').write_text(text)

  with pytest.raises(errors.ConfigError, match='run.json is damaged'):
    run.finished()


MISTAKES = {
  'compare.systems = []': 'compare.systems must name at least one',
  'compare.systems = @sac/System()': 'systems must be a list, each entry @NAME/System',
  'compare.systems = [@sac/System(), @sac/System()]': 'none twice',
  'compare.systems = [@sac/System]': 'systems must be a list, each entry @NAME/System',
  "compare.tasks = 'HalfCheetah-v5'": 'compare.tasks must be a list',
  'compare.seeds = 0': 'compare.seeds must be a positive integer, got 0',
  'compare.env_steps = 1.5': 'compare.env_steps must be a positive integer',
  "compare.returns = {'HalfCheeta-v5': [1]}": "did you mean 'HalfCheetah-v5'",
  "compare.returns = {'HalfCheetah-v5': 5000}": "'HalfCheetah-v5' must be a list, .*5000",
  "compare.returns = {'HalfCheetah-v5': ['5000']}": "'HalfCheetah-v5' must be a list",
  'compare.returns = [5000]': 'compare.returns must map tasks to lists',
  "sac/System.layers = {'base': 0.5}": r'add up to 1, got {.base.: 0.5}',
  "sac/System.layers = {'base': 1.5, 'upper': -0.5}": 'positive shares',
  "sac/System.layers = ['base']": 'must map names to positive shares',
  "sac/System.bindings = 'OffPolicy.batch_size = 3'": 'must be a list',
  "sac/System.name = 'soft actor'": "a System needs a name .* got 'soft actor'",
}


@pytest.mark.parametrize('binding', MISTAKES)
def test_a_mistake_is_named(binding):
  with pytest.raises(errors.ConfigError, match=MISTAKES[binding]):
    _load(binding)


def test_gin_names_the_nearest():
  with pytest.raises(errors.ConfigError, match="did you mean 'env_steps'"):
    _load('compare.env_step = 3')
