"""The report: what stands in it, and that it needs nothing else, in a browser too."""

import json
import re
import shutil
import subprocess

import matplotlib.image
import numpy as np
import pytest

from latent_hrl.comparison import curves
from latent_hrl.comparison import outside
from latent_hrl.comparison import report
from latent_hrl.comparison import results as results_lib
from tests.comparison import fake_compare

STEPS = np.arange(0, 401, 100)
BROWSER = next(
  filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None
)


@pytest.fixture(name='written', scope='module')
def _written(tmp_path_factory):
  """A directory with a report on two tasks, a published line and a failed run."""
  root_dir = tmp_path_factory.mktemp('report')
  comparison = fake_compare.comparison(tasks=['A-v0', 'B-v0'])
  runs = comparison.runs(root_dir)
  runs[0].record(finished=True, facts={'processor': 'some|other', 'tensorflow': '2.21'})
  by_task = {
    task: {
      'flat': [curves.Curve(STEPS, STEPS * k, STEPS / 50) for k in (1, 2, 4)],
      'deep': [curves.Curve(STEPS, STEPS * k, STEPS / 40) for k in (2, 3)],
    }
    for task in comparison.tasks
  }
  published = outside.Result('A-v0', 'A-v-1', curves.Curve([1000], [1700]), seeds=5)
  means = {'A-v0': {'paper & others': published}, 'B-v0': {}}
  sources = {'paper & others': 'https://example.com/'}
  content = report.Content(
    results_lib.Results(comparison, by_task, means, sources),
    runs,
    missing=[report.Missing(str(runs[1]), 'exit code 1: <b>|no|</b>', 'runs/log.txt')],
    command='python -m launchers.compare --root_dir=here',
    commands=[run.command_line(1) for run in runs],
  )
  report.write(content, root_dir)
  return root_dir


def test_the_files(written):
  assert (written / 'learning_curves.png').read_bytes().startswith(b'\x89PNG')
  assert b'<svg' in (written / 'learning_curves.svg').read_bytes()
  assert not list(written.glob('.*'))


@pytest.mark.parametrize('name', ['report.html', 'report.md'])
def test_everything_asked_for_stands_in_it(written, name):
  text = (written / name).read_text()

  for words in (
    'flat and deep on A-v0 and B-v0',
    '3 seeds a system and task, 400 environment steps each',
    'Return after 400 environment steps',
    'Probability of improvement',
    'Environment steps to reach a return',
    'Training time',
    'n = 2 of 3',
    '1,700 after 1,000',
    'mean, n = 5, A-v-1',
    'deep on A-v0, seed 0',
    'runs/log.txt',
    'python -m launchers.compare --root_dir=here',
    '--gin_file=deep.gin',
    'tensorflow 2.21',
    'https://example.com/',
  ):
    assert words in text


def test_markdown_tables_have_as_many_cells_in_each_row(written):
  text = (written / 'report.md').read_text()

  assert '![Learning curves](learning_curves.png)' in text
  for block in re.findall(r'(?:^\|.*\|\n)+', text, re.MULTILINE):
    assert len({len(re.findall(r'(?<!\\)\|', line)) for line in block.splitlines()}) == 1
  assert r'exit code 1: \<b>\|no\|\</b>' in text


def test_html_holds_all_that_it_shows(written):
  text = (written / 'report.html').read_text()

  assert '<b>' not in text and '&lt;b&gt;' in text
  assert 'paper &amp; others' in text
  references = re.findall(r'(?:src|href)="([^"]*)"|url\(([^)]*)\)|@import', text)
  assert references and all(first.startswith('data:') for first, _ in references)


def test_the_same_results_are_the_same_picture(written, tmp_path):
  shutil.copytree(written, tmp_path / 'copy')
  before = (written / 'learning_curves.svg').read_bytes()
  curve = curves.Curve(STEPS, STEPS)
  comparison = fake_compare.comparison()
  results = results_lib.Results(
    comparison, {'Toy-v0': {'flat': [curve], 'deep': []}}, {'Toy-v0': {}}, {}
  )
  pictures = []
  for name in ('a', 'b'):
    report.figures.learning_curves(results, tmp_path / name)
    pictures.append((tmp_path / f'{name}.svg').read_bytes())

  assert pictures[0] == pictures[1] != before


def test_a_report_without_any_run_still_says_what_is_missing(tmp_path):
  comparison = fake_compare.comparison()
  results, _ = results_lib.collect(comparison, [])
  missing = [report.Missing('flat on Toy-v0, seed 0', 'exit code 1: broken')]
  shown = report.write(report.Content(results, [], missing, 'compare', []), tmp_path)

  assert shown == []
  assert 'exit code 1: broken' in (tmp_path / 'report.html').read_text()


def _browse(page, folder):
  """Opens a page; returns its console, what addresses it asked for, and its picture."""
  folder.mkdir()
  finished = subprocess.run(
    [
      BROWSER,
      *('--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run'),
      *('--disable-background-networking', '--host-resolver-rules=MAP * ~NOTFOUND'),
      *('--enable-logging=stderr', '--window-size=900,1200', '--hide-scrollbars'),
      f'--user-data-dir={folder / "profile"}',
      f'--log-net-log={folder / "net.json"}',
      f'--screenshot={folder / "page.png"}',
      page.as_uri(),
    ],
    capture_output=True,
    text=True,
    timeout=120,
    check=True,
  )
  console = re.findall(r'CONSOLE[^"]*"(.*)"', finished.stderr)
  log = json.loads((folder / 'net.json').read_text())
  requests = [event.get('params', {}) for event in log['events']]
  asked = [
    params['url']
    for params in requests
    # What the browser itself asks for has no origin.
    if 'url' in params and params.get('initiator', 'not an origin') != 'not an origin'
  ]
  return console, asked, matplotlib.image.imread(folder / 'page.png')


@pytest.mark.skipif(BROWSER is None, reason='there is no Chromium on the PATH')
def test_the_page_opens_in_a_browser_without_complaints_and_asks_for_nothing(
  written, tmp_path
):
  # The control: what the test has to see on a page that is not like that.
  control = tmp_path / 'control.html'
  control.write_text('<img src="http://no.invalid/a.png"><script>throw 1</script>')
  console, asked, _ = _browse(control, tmp_path / 'control')
  assert console == ['Uncaught 1']
  assert asked == ['http://no.invalid/a.png']

  console, asked, picture = _browse(written / 'report.html', tmp_path / 'report')
  assert console == []
  assert asked == []
  blue = np.all(np.abs(picture[..., :3] - np.array([0, 114, 178]) / 255) < 0.02, axis=-1)
  assert blue.sum() > 200  # The first curve is drawn, in its colour.
