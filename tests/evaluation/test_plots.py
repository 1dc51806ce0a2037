"""Pictures are drawn from the numbers, and whole."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from latent_hrl import errors
from latent_hrl.environments import maps
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import plots
from latent_hrl.evaluation import style


@pytest.fixture
def drawn(monkeypatch):
  """Keeps the figures that would be written."""
  figures = []
  monkeypatch.setattr(plots.style, 'save', lambda figure, path: figures.append(figure))
  yield figures
  plt.close('all')


def _row(layer, env_steps, mean, **kwargs):
  values = {'return_mean': mean, 'return_std': 1.0, 'reward': 'task_reward'}
  return {'layer': layer, 'env_steps': env_steps, **values, **kwargs}


def test_layers_follow_each_other_on_the_learning_curve(drawn):
  rows = [_row('base', 0, 0.0), _row('base', 100, 5.0), _row('top', 0, 5.0)]
  other = {'reward': 'sparse_goal', 'layer_return_mean': 0.5, 'layer_return_std': 0.1}
  rows.append(_row('top', 50, 9.0))
  rows.extend(_row('goal', step, 1.0, **other) for step in (0, 10))

  plots.learning_curve(rows, 'title', None)

  lines = {line.get_label().split(' ')[0]: line for line in drawn[0].axes[0].lines}
  base, top, goal = lines['base'], lines['top'], lines['goal']
  np.testing.assert_array_equal(base.get_xdata(), [0, 100])
  np.testing.assert_array_equal(top.get_xdata(), [100, 150])
  np.testing.assert_array_equal(goal.get_ydata(), [0.5, 0.5])


def test_rows_that_do_not_name_their_reward_are_drawn(drawn):
  row = _row('base', 0, 2.0, layer_return_mean=3.0, layer_return_std=0.0)
  del row['reward']
  plots.learning_curve([row], 'title', None)
  (line,) = drawn[0].axes[0].lines
  assert line.get_label() == 'base (layer reward)' and line.get_ydata() == [3.0]


def test_curves_that_follow_each_other_differ_in_colour_and_line():
  styles = [style.of_curve(index) for index in range(28)]
  assert len(set(styles)) == 28
  for one, other in itertools.pairwise(styles):
    assert one[0] != other[0] and one[1] != other[1]


def test_a_picture_is_written_whole_over_an_old_one(tmp_path):
  path = tmp_path / 'curves' / 'curve.png'
  for _ in range(2):
    plots.learning_curve([_row('base', 0, 0.0), _row('base', 10, 1.0)], 'title', path)

  assert plt.imread(path).shape[2] == 4
  assert list(path.parent.iterdir()) == [path]


def test_opposite_latents_have_other_colours():
  colors = plots._colors(np.array([[2.0, 0.0], [-2.0, 0.0], [2.0, 0.0]]))

  np.testing.assert_array_equal(colors[0], colors[2])
  assert np.abs(colors[0] - colors[1]).max() > 0.5


def test_steps_are_told_in_thousands_and_millions():
  told = [style.steps(value) for value in (0, 500, 300_000, 1_000_000, 1_500_000)]
  assert told == ['0', '0.5k', '300k', '1M', '1.5M']


def test_a_picture_of_another_kind_is_told_before_anything_is_drawn(tmp_path):
  for name in ('skills', 'skills.xyz'):
    with pytest.raises(errors.ConfigError, match=f"{name}' must end in .png or .svg"):
      style.check_path(tmp_path / name)
  style.check_path(tmp_path / 'skills.PNG')


def test_many_traces_are_thinned_out(drawn):
  episode = episodes_lib.Episode(latent=np.ones(2), positions=[np.zeros(2), np.ones(2)])
  plots.goal_trajectories({'all': [episode] * 400}, None)
  assert len(drawn[0].axes[0].lines) == 150 + 1


def test_curves_beside_keep_their_colour_in_every_panel(drawn):
  curve = ([0, 10], [1.0, 2.0])
  plots.beside({'many': {str(i): curve for i in range(9)}}, 'title', None)
  drawn.clear()
  plots.beside({'a': {'one': curve, 'two': curve}, 'b': {'two': curve}}, 'title', None)
  first, second = drawn[0].axes
  assert first.lines[1].get_color() == second.lines[0].get_color() == style.COLORS[1]
  assert first.lines[0].get_color() != first.lines[1].get_color()


def test_each_panel_holds_a_line_per_episode(drawn):
  episode = episodes_lib.Episode(
    latent=np.array([1.0, 0.0]), positions=[np.zeros(2), np.ones(2)], length=1
  )

  plots.goal_trajectories({'first': [episode] * 3, 'second': [episode]}, None)

  first, second = drawn[0].axes
  assert (first.get_title(), second.get_title()) == ('first', 'second')
  assert (len(first.lines), len(second.lines)) == (4, 2)  # One more marks the start.


def test_a_skill_picture_has_a_trace_an_episode_and_says_what_is_covered(drawn):
  episodes = [
    episodes_lib.Episode(
      latent=np.array([np.cos(a), np.sin(a)]),
      positions=[np.zeros(2), 3 * np.array([np.cos(a), np.sin(a)])],
    )
    for a in (0.0, np.pi / 2, np.pi)
  ]

  plots.skill_picture(episodes, 'base on Ant', None)

  traces, rose = drawn[0].axes
  assert len(traces.lines) == 4
  colors = [line.get_color() for line in traces.lines[:3]]
  assert len({tuple(np.round(color, 2)) for color in colors}) == 3
  assert traces.get_xlabel() == 'x in m' and traces.get_title() == '3 of 3 episodes'
  assert rose.get_title().endswith('\n3 of 8 headings, 100% beyond 1 m')
  # The scale lies between two bars and is told in percent.
  assert rose.get_rlabel_position() == 22.5
  assert [label.get_text() for label in rose.get_yticklabels()] == ['20%', '40%', '60%']


def test_routes_tell_the_goal_that_they_reached(drawn):
  maze = maps.read('cross', 3.0)
  there, lost = ([np.zeros(2), np.array(end)] for end in ((12.0, 0.0), (3.0, 0.0)))
  episodes = [episodes_lib.Episode(positions=there, success=True, goal=1)] * 3
  episodes.append(episodes_lib.Episode(positions=lost, success=False, goal=-1))

  plots.route_picture(episodes, 'maze on AntCrossMaze', None, maze)

  (axes,) = drawn[0].axes
  assert (
    axes.get_title() == 'maze on AntCrossMaze\n3 of 4 episodes arrive; grey ones do not'
  )
  assert [text.get_text() for text in axes.texts] == ['0', '3', '0']
  assert len(axes.patches) == len(maze.walls())
  goals, routes = axes.lines[:3], axes.lines[3:7]
  np.testing.assert_array_equal(goals[1].get_xydata(), [[12.0, 0.0]])
  assert routes[0].get_color() == goals[1].get_color()
  assert routes[3].get_color() == '0.6'
