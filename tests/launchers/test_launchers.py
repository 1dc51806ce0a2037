"""The launchers as a user runs them: exit codes, one-line errors, files."""

import json
import os
import subprocess
import sys

import pytest

from latent_hrl import config
from latent_hrl import threads
from latent_hrl.environments import tasks
from tests import helpers


def _run(launcher, *flags, timeout=240):
  return subprocess.run(
    [sys.executable, '-m', f'launchers.{launcher}', *flags],
    cwd=config.PROJECT_ROOT,
    env={**os.environ, 'CUDA_VISIBLE_DEVICES': ''},
    capture_output=True,
    text=True,
    timeout=timeout,
    check=False,
  )


def _assert_one_line_error(finished, *words):
  assert finished.returncode == 2, finished.stderr
  assert 'Traceback' not in finished.stderr
  lines = [line for line in finished.stderr.splitlines() if line.startswith('error: ')]
  assert len(lines) == 1, finished.stderr
  for word in words:
    assert word in lines[0]


# Flags are read before TensorFlow loads, so these are quick.
@pytest.mark.parametrize(
  ('launcher', 'flags', 'words'),
  [
    ('train', ['--root_dri=x'], ['root_dri', 'root_dir']),
    ('train', [], ['--root_dir', 'must']),
    ('train', ['--root_dir=x', '--gin_file=y', '--seed=-1'], ['seed', '-1']),
    ('eval', ['--layer=x', '--episodes=none'], ['episodes', 'none']),
    ('eval', ['--layer=x', '--latents=best'], ['latents', 'mode|hold|sample']),
    ('eval', ['--layer=x', 'stray'], ['stray']),
    ('eval', ['--layer=x', '--task_options=goal'], ['JSON object', 'goal']),
    ('compare', ['--root_dir=x', '--gin_file=y', '--jobs=0'], ['jobs', '0']),
    ('compare', ['--root_dir=x', '--gin_file=y', '--cores=0'], ['cores', '0']),
    (
      'compare',
      ['--root_dir=x', '--gin_file=gin/compare/quick.gin', '--jobs=999', '--cores=2'],
      [f'needs 1998 cores; there are {threads.available_cores()}'],
    ),
    ('compare', ['--root_dir=x', '--gin_file=y'], ["no gin file 'y'"]),
    ('convert_sb3', ['--evaluations=x', '--system=y', '--task=z'], ['--output']),
  ],
)
def test_a_bad_flag_is_one_line(launcher, flags, words):
  _assert_one_line_error(_run(launcher, *flags), *words)


@pytest.mark.parametrize('launcher', ['train', 'eval', 'demo', 'compare'])
def test_help_names_the_flags(launcher):
  finished = _run(launcher, '--help')

  assert '--seed' in finished.stdout  # Or --seeds.
  assert '--cores:' in finished.stdout
  assert 'python -m launchers.' + launcher in finished.stdout


# tests/launchers/test_bad_input.py has a hundred more, within one process.
def test_train_tells_a_gin_mistake_and_writes_nothing(tmp_path):
  root_dir = tmp_path / 'run'
  finished = _run(
    'train',
    f'--root_dir={root_dir}',
    '--gin_file=gin/half_cheetah.gin',
    '--gin_bindings=OffPolicy.batch_sise = 3',
  )

  _assert_one_line_error(finished, 'batch_sise', "did you mean 'batch_size'")
  assert not root_dir.exists()


def test_eval_of_no_layer(tmp_path):
  finished = _run('eval', f'--layer={tmp_path}')

  _assert_one_line_error(finished, str(tmp_path), 'no saved layer')


@pytest.fixture(name='layer', scope='module')
def _layer(tmp_path_factory):
  task = tasks.make_task('latent_hrl/MultiGoal-v0')
  return helpers.save_task_layer(tmp_path_factory.mktemp('layer') / 'base', task)


def test_eval_draws_the_skills(layer, tmp_path):
  picture = tmp_path / 'pictures' / 'skills.png'
  finished = _run(
    'eval',
    f'--layer={layer.path}',
    '--episodes=40',
    '--task_options={"goal_radius": 0.5}',
    '--plot=skills',
    f'--plot_file={picture}',
    f'--output={tmp_path / "eval.json"}',
  )

  assert finished.returncode == 0, finished.stderr
  assert picture.stat().st_size > 10_000
  content = json.loads((tmp_path / 'eval.json').read_text())
  assert content['latents'] == 'hold'  # Unless told otherwise.
  assert content['task_options'] == {'goal_radius': 0.5}
  assert content['headings']['covered'] >= 6
  assert f'headings  {content["headings"]["covered"]} of 8' in finished.stdout


def test_eval_plays_writes_and_films(layer, tmp_path):
  finished = _run(
    'eval',
    f'--layer={layer.path}',
    '--episodes=3',
    '--seed=4',
    f'--output={tmp_path / "eval.json"}',
    f'--video={tmp_path / "film.GIF"}',
    '--frames=7',
    '--plot=routes',
    f'--plot_file={tmp_path / "routes.png"}',
  )

  assert finished.returncode == 0, finished.stderr
  assert (tmp_path / 'routes.png').stat().st_size > 10_000
  content = json.loads((tmp_path / 'eval.json').read_text())
  assert content['task'] == 'latent_hrl/MultiGoal-v0'
  assert content['latents'] == 'mode' and 'headings' not in content
  assert (content['seed'], len(content['returns'])) == (4, 3)
  assert f'return  {content["return_mean"]:.1f}' in finished.stdout
  assert (tmp_path / 'film.GIF').stat().st_size > 1000
  assert f'results  {tmp_path / "eval.json"}' in finished.stdout
  assert f'video  {tmp_path / "film.GIF"}, 7 frames' in finished.stdout


def test_eval_tells_what_it_cannot_write_before_it_loads_anything(tmp_path):
  path = tmp_path / 'film.mp4'
  path.mkdir()
  finished = _run('eval', f'--layer={tmp_path / "no_layer"}', f'--video={path}')
  assert finished.returncode == 2
  (line,) = finished.stderr.splitlines()
  assert line.endswith('film.mp4: it is a directory; name a file in it')


def test_a_wrong_gl_is_one_line_in_every_launcher(monkeypatch):
  monkeypatch.setenv('MUJOCO_GL', 'opengl')
  finished = _run('convert_sb3', '--evaluations=x', '--system=y', '--task=z', '--output=o')

  _assert_one_line_error(finished, 'MUJOCO_GL', "'opengl'", 'egl, osmesa, glfw')


def test_compare_tells_a_gin_mistake_and_writes_nothing(tmp_path):
  root_dir = tmp_path / 'compare'
  finished = _run(
    'compare',
    f'--root_dir={root_dir}',
    '--gin_file=gin/compare/quick.gin',
    '--gin_bindings=compare.sedes = 3',
  )

  _assert_one_line_error(finished, 'sedes', "did you mean 'seeds'")
  assert not root_dir.exists()


TINY = """
System.bindings = [
    'LatentPolicyNetwork.embedding_units = (8,)',
    'LatentPolicyNetwork.flow = @gaussian()',
    'TwinCriticNetwork.hidden_units = (8,)',
    'OffPolicy.batch_size = 16',
    'OffPolicy.initial_steps = 40',
    'TrainingLoop.eval_interval = 100',
    'TrainingLoop.eval_episodes = 2',
]
tiny/System.gin_file = 'gin/half_cheetah.gin'
absent/System.gin_file = 'gin/half_cheeta.gin'
compare.systems = [@tiny/System(), @absent/System()]
compare.tasks = ['latent_hrl/MultiGoal-v0', 'latent_hrl/MultiGaol-v0']
compare.seeds = 2
compare.env_steps = 200
"""


def test_compare_trains_what_it_can_and_reports_the_rest(tmp_path, monkeypatch):
  monkeypatch.setenv('TMPDIR', str(tmp_path))  # Others' claims of cores are there.
  gin_file = tmp_path / 'tiny.gin'
  gin_file.write_text(TINY)
  root_dir = tmp_path / 'compare'
  finished = _run(
    'compare',
    f'--root_dir={root_dir}',
    f'--gin_file={gin_file}',
    '--seeds=1',
    timeout=600,  # Three processes, two of which import TensorFlow.
  )

  _assert_one_line_error(finished, '3 of 4 runs and files are missing')
  assert "there is no gin file 'gin/half_cheeta.gin'; did you mean" in finished.stdout
  assert 'tiny on latent_hrl/MultiGoal-v0, seed 0: finished, return' in finished.stdout
  report = (root_dir / 'report.md').read_text()
  assert (
    "no task 'latent_hrl/MultiGaol-v0'; did you mean 'latent_hrl/MultiGoal-v0'" in report
  )
  assert f'python -m launchers.compare --root_dir={root_dir}' in report
  metrics = root_dir / 'runs/tiny/latent_hrl_MultiGoal-v0/seed_0/metrics.jsonl'
  last = json.loads(metrics.read_text().splitlines()[-1])
  assert (last['task'], last['env_steps']) == ('latent_hrl/MultiGoal-v0', 200)
