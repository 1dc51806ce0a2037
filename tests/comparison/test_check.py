"""What is known to be wrong before a run starts."""

import re

import pytest

from latent_hrl import config
from latent_hrl.comparison import check
from latent_hrl.comparison import plan

TASK = "train_stack.task = 'latent_hrl/MultiGoal-v0'"


def test_what_would_train_has_no_problem():
  assert check.problem('gin/stack_half_cheetah.gin', [], ['base', 'upper']) is None
  assert check.problem('gin/half_cheetah.gin', [TASK], ['base']) is None


@pytest.mark.parametrize('name', ['quick', 'half_cheetah'])
def test_every_run_of_the_comparisons_here_would_train(name, tmp_path):
  config.load([f'gin/compare/{name}.gin'], ['compare.seeds = 1'])
  runs = plan.Comparison().runs(tmp_path)

  for run in runs:
    assert check.problem(run.gin_file, run.bindings, list(run.steps)) is None, run


@pytest.mark.parametrize(
  ('gin_file', 'binding', 'words'),
  [
    ('gin/half_cheeta.gin', TASK, "did you mean 'gin/half_cheetah.gin'"),
    ('gin/half_cheetah.gin', "train_stack.task = 'HalfCheeta-v5'", 'there is no task'),
    ('gin/half_cheetah.gin', 'OffPolicy.batch_sise = 3', "did you mean 'batch_size'"),
    ('gin/half_cheetah.gin', 'OffPolicy.batch_size = 0', 'must be a positive integer'),
    ('gin/half_cheetah.gin', "train_stack.task = 'CartPole-v1'", 'continuous actions'),
    ('gin/half_cheetah.gin', 'import no_such_module', 'no_such_module'),
    ('gin/stack_half_cheetah.gin', TASK, r"trains the layers \['base', 'upper'\]"),
  ],
)
def test_a_problem_is_one_line(gin_file, binding, words):
  found = check.problem(gin_file, [binding], ['base'])

  assert found is not None and '\n' not in found
  assert re.search(words, found), found
