"""Tests of tasks: named fields out of any gymnasium environment, and what is refused."""

import collections
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils import env_checker

from latent_hrl import config
from latent_hrl import errors
from latent_hrl import rewards
from latent_hrl.environments import layer_reward
from latent_hrl.environments import making
from latent_hrl.environments import tasks
from tests import helpers


class _FixedEnv(gymnasium.Env):
  """Returns what it is told to."""

  def __init__(self, observation_space, action_space=None, observation=None, reward=0.0):
    self.observation_space = observation_space
    self.action_space = action_space or spaces.Box(-1, 1, (2,), np.float32)
    self._result = observation
    self._reward = reward

  def reset(self, *, seed=None, options=None):
    return self._result, {}

  def step(self, action):
    return self._result, self._reward, np.bool_(False), np.bool_(True), {}


def _box(*shape):
  return spaces.Box(-np.inf, np.inf, shape, np.float64)


@pytest.mark.parametrize(
  ('name', 'observation_size', 'action_size', 'limit'),
  [
    ('Swimmer', 8, 2, 1.0),
    ('Hopper', 11, 3, 1.0),
    ('Walker2d', 17, 6, 1.0),
    ('HalfCheetah', 17, 6, 1.0),
    ('Ant', 105, 8, 1.0),
    ('Humanoid', 348, 17, 0.4),
  ],
)
def test_locomotion_task_is_one_float32_field(name, observation_size, action_size, limit):
  task = tasks.make_task(f'{name}-v5')
  try:
    assert task.task_id == f'{name}-v5'
    assert task.fields == (('observation', observation_size),)
    assert task.observation_space.shape == (observation_size,)
    np.testing.assert_array_equal(task.action_space.low, np.full(action_size, -limit, 'f4'))
    np.testing.assert_array_equal(task.action_space.high, np.full(action_size, limit, 'f4'))
    first, _ = task.reset(seed=0)
    second, reward, terminated, truncated, info = task.step(task.action_space.high)
    for observation in (first, second):
      assert observation.shape == (observation_size,) and observation.dtype == np.float32
    assert np.abs(second - first).max() > 0
    assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)
    assert 'x_velocity' in info
    np.testing.assert_array_equal(task.reset(seed=0)[0], first)
  finally:
    task.close()


def test_options_reach_the_environment_and_are_remembered():
  options = {'include_cfrc_ext_in_observation': False}
  task = tasks.make_task('Ant-v5', options=options)
  assert task.fields == (('observation', 27),)
  assert task.options == options
  task.close()


def test_dict_observation_has_one_field_for_each_entry_in_order_of_the_space(toy_task):
  # What the environment sends has its entries the other way round.
  task = toy_task()
  assert task.fields == (('body', 3), ('goal', 2))
  task.reset(seed=0)
  observation, *_ = task.step(np.float32([0.5, -0.25]))
  assert observation.dtype == np.float32
  np.testing.assert_allclose(observation[:3], [0.5, -0.25, 0.1], rtol=1e-6)
  parts = task.split(observation)
  assert list(parts) == ['body', 'goal']
  np.testing.assert_array_equal(parts['body'], observation[:3])
  np.testing.assert_array_equal(parts['goal'], observation[3:])

  reverse = toy_task(goal_first=True)
  assert reverse.fields == (('goal', 2), ('body', 3))
  reverse.reset(seed=0)
  other, *_ = reverse.step(np.float32([0.5, -0.25]))
  np.testing.assert_array_equal(other, [*observation[3:], *observation[:3]])


def test_fields_of_any_shape_are_flattened_in_row_order():
  space = spaces.Dict(collections.OrderedDict(grid=_box(2, 2), number=_box()))
  sent = {'number': np.float64(9), 'grid': np.array([[1.0, 2], [3, 4]])}
  task = tasks.Task(_FixedEnv(space, observation=sent), 'Grid-v0', {})
  assert task.fields == (('grid', 4), ('number', 1))
  np.testing.assert_array_equal(task.reset()[0], [1, 2, 3, 4, 9])


@pytest.mark.filterwarnings('ignore::UserWarning')  # Wrapped, lopsided, unbounded: meant.
def test_task_keeps_the_contract_of_gymnasium(toy_task):
  env_checker.check_env(toy_task(), skip_render_check=True)


def test_discrete_actions_are_refused():
  with pytest.raises(errors.TaskError) as error:
    tasks.make_task('CartPole-v1')
  message = str(error.value)
  assert "task 'CartPole-v1' has the action space Discrete(2)" in message
  assert 'continuous actions' in message


def test_action_matrix_is_refused():
  env = _FixedEnv(_box(2), action_space=spaces.Box(-1, 1, (2, 2), np.float32))
  with pytest.raises(errors.TaskError, match='a Box with one dimension'):
    tasks.Task(env, 'Matrix-v0', {})


@pytest.mark.parametrize('low', [[-np.inf] * 2, [-1.0, -np.inf], [-1.0, -3.4028235e38]])
def test_unbounded_actions_are_refused(low):
  env = _FixedEnv(_box(2), action_space=spaces.Box(np.float32(low), 1.0, dtype=np.float32))
  with pytest.raises(
    errors.TaskError, match="task 'Wide-v0' has an unbounded action space"
  ):
    tasks.Task(env, 'Wide-v0', {})


def test_observation_that_is_no_box_is_refused_by_field():
  with pytest.raises(errors.TaskError, match="field 'observation' is Discrete"):
    tasks.Task(_FixedEnv(spaces.Discrete(3)), 'Chain-v0', {})
  space = spaces.Dict({'body': _box(2), 'mode': spaces.Discrete(3)})
  with pytest.raises(errors.TaskError, match="task 'Mixed-v0': observation field 'mode'"):
    tasks.Task(_FixedEnv(space), 'Mixed-v0', {})
  space = spaces.Dict({'body': _box(2), 'nothing': _box(0)})
  with pytest.raises(errors.TaskError, match="field 'nothing' is .* not a Box of numbers"):
    tasks.Task(_FixedEnv(space), 'Empty-v0', {})


@pytest.mark.parametrize('place', [[2.0], [2.0, 3.0], [2.0, 3.0, 4.0]])
def test_the_position_is_that_in_the_plane(place):
  space = spaces.Dict(collections.OrderedDict(goal=_box(1), position=_box(len(place))))
  task = tasks.Task(_FixedEnv(space), 'Place-v0', {})
  np.testing.assert_array_equal(
    task.position(np.float32([9.0, *place]), {}), [*place, 0.0][:2]
  )


@pytest.mark.parametrize(
  ('task_id', 'nearest'),
  [
    ('HalfCheeta-v5', 'HalfCheetah-v5'),
    ('Hoper-v5', 'Hopper-v5'),
    ('latent_hrl/MultiGaol-v0', 'latent_hrl/MultiGoal-v0'),
  ],
)
def test_unknown_task_is_an_error_with_the_nearest_name(task_id, nearest):
  with pytest.raises(errors.TaskError) as error:
    tasks.make_task(task_id)
  message = str(error.value).splitlines()[0]  # gin adds the place.
  assert message == f'there is no task {task_id!r}; did you mean {nearest!r}?'


@pytest.mark.parametrize(
  ('task_id', 'reason'),
  [
    (
      'no_such_module:Maze-v0',
      "importing no_such_module fails: .*named 'no_such_module'",
    ),
    ('two:many:Maze-v0', 'importing two:many fails'),
    ('broken_maze:Maze-v0', 'importing broken_maze fails: ZeroDivisionError: division'),
    ('PointRobot-v0', "write 'MODULE:ID', which imports MODULE first"),
    ('FetchMe-v4', "write 'gymnasium_robotics:FetchMe-v4'"),
    ('function/mine.make-v0', 'it was made by a function: hand that over'),
    ('', "write 'MODULE:ID'"),
  ],
)
def test_an_unknown_task_says_what_may_be_missing(tmp_path, monkeypatch, task_id, reason):
  (tmp_path / 'broken_maze.py').write_text('1 / 0\n')
  monkeypatch.syspath_prepend(tmp_path)
  with pytest.raises(errors.TaskError, match=f'there is no task {task_id!r}.*{reason}'):
    tasks.make_task(task_id)


def _moved():
  raise ImportError('moved to\nanother package')


def _silent():
  raise AssertionError


@pytest.mark.parametrize(
  ('task_id', 'reason'),
  [
    (_moved, 'cannot be made as it is: ImportError: moved to another package'),
    (
      _silent,
      r'cannot be made as it is: AssertionError: raise .*test_tasks.py',
    ),
    (3, 'a task is an id, an environment or a function that makes one, got 3'),
  ],
)
def test_a_task_that_cannot_be_made_says_why(task_id, reason):
  with pytest.raises(errors.TaskError, match=reason):
    tasks.make_task(task_id)


def test_environments_and_functions_are_tasks(toy_task):
  env = gymnasium.make('Ant-v5', include_cfrc_ext_in_observation=False)
  task = tasks.make_task(env)
  assert (task.task_id, task.fields) == ('Ant-v5', (('observation', 27),))
  assert task.options == {'include_cfrc_ext_in_observation': False}
  assert tasks.make_task(task) is task
  task.close()
  with pytest.raises(errors.TaskError, match='is made already; options'):
    tasks.make_task(task, options={'maze': 'u'})

  first, second = (
    tasks.make_task(helpers.ToyEnv, options={'length': length}) for length in (3, 4)
  )
  assert first.task_id == 'function/tests.helpers.ToyEnv-v0'
  assert first.unwrapped is not second.unwrapped and second.options == {'length': 4}
  # What a function returns may be a task already, whose fields have names.
  assert tasks.make_task(toy_task).fields == (helpers.BODY, helpers.GOAL)


def test_what_can_be_made_again_has_an_id():
  assert making.registered('any') == 'any'
  env = gymnasium.make('latent_hrl/MultiGoal-v0', render_mode='rgb_array')
  assert making.registered(env) == 'latent_hrl/MultiGoal-v0'
  other = gymnasium.make('latent_hrl/MultiGoal-v0', step_size=0.25, max_episode_steps=3)
  again = tasks.make_task(making.registered(other))
  again.reset(seed=0)
  observation, *_ = again.step(np.ones(2, np.float32))
  np.testing.assert_array_equal(observation, [0.25, 0.25])
  with pytest.raises(errors.TaskError, match='cannot be made again.*give a function'):
    making.registered(helpers.ToyEnv())


def test_ids_are_registered_by_importing_the_package():
  code = "import latent_hrl, sys, gymnasium; gymnasium.make('latent_hrl/MultiGoal-v0')\n"
  code += "assert not {'tensorflow', 'tf_agents'} & sys.modules.keys()"
  subprocess.run([sys.executable, '-c', code], check=True, cwd=config.PROJECT_ROOT)


@pytest.mark.filterwarnings('ignore::UserWarning')  # Wrapped, unbounded observation: meant.
@pytest.mark.parametrize('wrap', [tasks.make_task, layer_reward.LayerReward])
def test_a_spec_makes_a_task_again(wrap):
  env = tasks.make_task('latent_hrl/MultiGoal-v0', options={'step_size': 0.25})
  if wrap is layer_reward.LayerReward:
    env = wrap(env, rewards.bind(rewards.task_reward))
  env_checker.check_env(env)
  again = env.spec.make()
  assert str(again) == str(env)
  again.reset(seed=0)
  np.testing.assert_array_equal(again.step(np.float32([1, 0]))[0], [0.25, 0.0])


def test_actions_stay_inside_of_a_float64_box():
  """float32 has no 0.1; the nearest one is above it, and outside of the task's box."""
  received = []

  class Fine(_FixedEnv):
    def step(self, action):
      received.append(action)
      assert action in self.action_space
      return super().step(action)

  box = spaces.Box(-0.1, np.array([0.1, 0.3]), dtype=np.float64)
  task = tasks.Task(Fine(_box(1), box, np.zeros(1)), 'Fine-v0', {})
  assert task.action_space.dtype == np.float32
  assert np.all(task.action_space.high <= box.high)
  assert np.all(task.action_space.low >= box.low)
  np.testing.assert_allclose(task.action_space.high, [0.1, 0.3], rtol=1e-6)
  task.step(np.float32([0.1, -0.1]))  # A layer of before, whose box was rounded outside.
  task.step(task.action_space.high)
  assert received[0].dtype == np.float64 and received[0][0] == 0.1


def test_actions_arrive_in_the_type_of_the_task():
  box = spaces.Box(-1.0, 0.7, (2,), np.float16)
  env = _FixedEnv(_box(1), box, np.zeros(1))
  env.step = lambda action: (np.zeros(1), 0.0, not box.contains(action), False, {})
  task = tasks.Task(env, 'Coarse-v0', {})
  assert not task.step(task.action_space.high)[2]


def test_whole_numbers_as_actions_are_refused():
  env = _FixedEnv(_box(1), spaces.Box(0, 9, (2,), np.int32))
  with pytest.raises(errors.TaskError, match='of int32; a layer needs a Box of floats'):
    tasks.Task(env, 'Steps-v0', {})


@pytest.mark.parametrize('info', [None, {}])
def test_what_is_clear_is_taken(info):
  env = _FixedEnv(_box(1), observation=np.zeros(1))
  env.step = lambda action: (np.zeros(1), np.array([2.5]), False, False, info)
  env.reset = lambda *, seed, options: (np.full(1, float(type(seed) is int)), info)
  task = tasks.Task(env, 'Loose-v0', {})
  assert task.reset(seed=np.int64(3)) == (np.ones(1), {})
  _, reward, _, _, told = task.step(np.zeros(2))
  assert (type(reward), reward, told) == (float, 2.5, {})


_FOUR = (np.zeros(1), 0.0, False, {})


@pytest.mark.parametrize(
  ('method', 'function', 'reason'),
  [
    ('step', lambda action: _FOUR, 'returned 4 values; gymnasium wants step'),
    ('step', lambda action: (*_FOUR[:3], False, ['x']), r"the info \['x'\], which is no"),
    ('reset', lambda *, seed, options: np.zeros(2), 'returned a .*ndarray.*wants reset'),
    ('reset', lambda: np.zeros(1), "failed in reset: .*argument 'seed'.* wants reset"),
  ],
)
def test_the_old_interface_is_told_in_one_line(method, function, reason):
  env = _FixedEnv(_box(1), observation=np.zeros(1))
  setattr(env, method, function)
  task = tasks.Task(env, 'Old-v0', {})
  with pytest.raises(errors.TaskError, match=f"'Old-v0' {reason}|{reason}"):
    task.reset(seed=0) if method == 'reset' else task.step(np.zeros(2))


def test_the_old_interface_is_told_through_gymnasiums_wrappers():
  env = _FixedEnv(_box(1), observation=np.zeros(1))
  env.step = lambda action: _FOUR
  task = tasks.Task(gymnasium.wrappers.TimeLimit(env, 5), 'Old-v0', {})
  task.reset()
  with pytest.raises(errors.TaskError, match='not enough values .*; gymnasium wants step'):
    task.step(np.zeros(2))


def test_unknown_option_is_named_with_its_cause():
  with pytest.raises(errors.TaskError) as error:
    tasks.make_task('latent_hrl/MultiGoal-v0', options={'gravity': 3})
  message = str(error.value).splitlines()[0]
  assert "cannot be made with the options {'gravity': 3}: TypeError: " in message
  assert "unexpected keyword argument 'gravity'" in message


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_observation_that_is_not_finite_names_its_field(bad):
  space = spaces.Dict(collections.OrderedDict(body=_box(2), goal=_box(1)))
  sent = {'body': np.zeros(2), 'goal': np.array([bad])}
  task = tasks.Task(_FixedEnv(space, observation=sent), 'Broken-v0', {})
  expected = "task 'Broken-v0' returned NaN or infinity in observation field goal"
  with pytest.raises(errors.TaskError, match=expected):
    task.reset()
  with pytest.raises(errors.TaskError, match=expected):
    task.step(np.zeros(2))


def test_observation_of_another_size_is_an_error_with_both_sizes():
  task = tasks.Task(_FixedEnv(_box(3), observation=np.zeros(4)), 'Broken-v0', {})
  with pytest.raises(errors.TaskError, match='an observation of 4 entries instead of 3'):
    task.reset()


def test_reward_that_is_not_finite_is_an_error():
  env = _FixedEnv(_box(2), observation=np.zeros(2), reward=np.nan)
  with pytest.raises(errors.TaskError, match="task 'Broken-v0' returned the reward nan"):
    tasks.Task(env, 'Broken-v0', {}).step(np.zeros(2))


@pytest.mark.parametrize(
  ('space', 'observation', 'reward', 'reason'),
  [
    (_box(2), {'body': np.zeros(2)}, 0.0, 'an observation of type dict: TypeError'),
    (spaces.Dict(body=_box(2)), np.zeros(2), 0.0, 'an observation of type ndarray instead'),
    (_box(2), np.zeros(2), None, 'the reward None'),
    (_box(2), np.zeros(2), 'much', "the reward 'much'"),
    (_box(2), np.zeros(2), np.ones(2), r'the reward array\(\[1., 1.\]\)'),
  ],
)
def test_what_is_of_another_type_is_one_error(space, observation, reward, reason):
  env = _FixedEnv(space, observation=observation, reward=reward)
  with pytest.raises(errors.TaskError, match=f"'Broken-v0' returned {reason}"):
    tasks.Task(env, 'Broken-v0', {}).step(np.zeros(2))


def test_an_observation_stays_what_it_was_when_the_task_writes_over_it():
  buffer = np.zeros(2, np.float32)
  task = tasks.Task(_FixedEnv(_box(2), observation=buffer), 'Reused-v0', {})
  first, _ = task.reset()
  second, *_ = task.step(np.zeros(2))
  buffer[:] = 7.0
  np.testing.assert_array_equal([first, second], np.zeros([2, 2]))


def test_action_arrives_unchanged(toy_task):
  task = toy_task()
  task.reset(seed=0)
  *_, info = task.step(helpers.BOX_LOW)
  np.testing.assert_array_equal(info['received'], helpers.BOX_LOW)


def test_a_field_that_is_missing_or_of_another_size_is_named(toy_task):
  task = toy_task()

  for part in ({'goal': np.zeros(2)}, {'body': np.zeros(2), 'goal': np.zeros(3)}):
    with pytest.raises(errors.TaskError, match="no 3 entries for observation field 'body'"):
      task._flatten(part)


@pytest.mark.parametrize(
  ('options', 'reason'),
  [
    ({'goal': 9}, 'with the options .*: ValueError: goal 9 of a maze with 1 goals'),
    ({'goal': 'x'}, 'cannot be made with the options .*: TypeError: '),
    ({'max_episode_steps': -1}, 'max_episode_steps must be a whole number .* got -1'),
    ({'max_episode_steps': 9.5}, 'max_episode_steps must be a whole number .* got 9.5'),
    ({'maze': 'z'}, "there is no maze 'z'; the maps are cross, u, pillars"),
  ],
)
def test_impossible_options_are_one_error(options, reason):
  with pytest.raises(errors.TaskError, match=reason):
    tasks.make_task('latent_hrl/AntUMaze-v0', options=options)


def test_a_task_that_wants_another_one_says_so():
  pytest.importorskip('gymnasium_robotics')
  with pytest.raises(errors.TaskError, match='cannot be made with the options .*Nowhere'):
    tasks.make_task('latent_hrl/RoboticsAntMaze-v0', options={'maze': 'Nowhere'})
