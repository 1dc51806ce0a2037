"""Tests of checkpoints: everything comes back, and damage is told by path and cause."""

import shutil
import types

import gin
import numpy as np
import pytest

from latent_hrl import errors
from latent_hrl.agents import entropy
from latent_hrl.training import checkpoints as checkpoints_lib
from latent_hrl.training import replay as replay_lib
from tests import helpers


def _replay(capacity=20, seed=0):
  return replay_lib.ReplayBuffer(capacity, observation_size=3, output_size=2, seed=seed)


def _trained(updates=2):
  """An agent after some updates, and a replay with some rows."""
  agent = helpers.make_agent(helpers.action_spec())
  for step in range(updates):
    agent.update(helpers.make_batch(seed=step))
  replay = _replay()
  rng = np.random.default_rng(0)
  observations = rng.normal(size=(9, 3)).astype(np.float32)
  for i in range(8):
    replay.add(observations[i], np.zeros(2), float(i), 1.0, observations[i + 1], i % 4 == 3)
  return agent, replay


def _values(agent):
  return [variable.numpy() for variable in agent.state_variables]


@pytest.fixture(name='saved', scope='module')
def _saved(tmp_path_factory):
  """Agent and replay, with a checkpoint of them at step 16."""
  gin.clear_config()
  directory = tmp_path_factory.mktemp('checkpoints') / 'base'
  agent, replay = _trained()
  state = {'wall_s': 1.5, 'rng': np.random.default_rng(0).bit_generator.state}
  arrays = {'losses': np.float32([[0.1, 0.2]])}
  checkpoints_lib.Checkpoints(directory, agent, replay).save(16, state, arrays)
  return directory, agent, replay, state


def test_nothing_to_restore_is_none(tmp_path):
  checkpoints = checkpoints_lib.Checkpoints(tmp_path / 'none', None, _replay())
  assert checkpoints.restore() is None


def test_restored_run_goes_on_exactly_as_the_saved_one(saved):
  directory, agent, replay, state = saved
  other, other_replay = helpers.make_agent(helpers.action_spec()), _replay(seed=9)
  helpers.perturb(other.actor_network.variables)
  content, arrays = checkpoints_lib.Checkpoints(directory, other, other_replay).restore()
  np.testing.assert_array_equal(arrays['losses'], np.float32([[0.1, 0.2]]))
  assert content['env_steps'] == 16
  assert {key: content[key] for key in state} == state
  for mine, theirs in zip(_values(agent), _values(other), strict=True):
    np.testing.assert_array_equal(mine, theirs)
  assert int(other.train_step_counter) == 2
  for mine, theirs in zip(replay.sample(2, 8), other_replay.sample(2, 8), strict=True):
    np.testing.assert_array_equal(mine, theirs)
  # The optimisers and the noise go on as well.
  for one in (agent, other):
    one.update(helpers.make_batch(seed=5))
  for mine, theirs in zip(_values(agent), _values(other), strict=True):
    np.testing.assert_array_equal(mine, theirs)


def test_a_run_goes_on_with_the_fixed_temperature_that_it_is_given(tmp_path):
  first, other = (
    helpers.make_agent(helpers.action_spec(), temperature=value) for value in (0.5, 0.2)
  )
  checkpoints_lib.Checkpoints(tmp_path, first, _replay()).save(16, {})

  checkpoints_lib.Checkpoints(tmp_path, other, _replay()).restore()

  assert float(other.temperature) == pytest.approx(0.2)
  adapting = helpers.make_agent(helpers.action_spec())
  with pytest.raises(errors.ConfigError, match='configuration: log_temperature has other'):
    checkpoints_lib.Checkpoints(tmp_path, adapting, _replay()).restore()


def test_state_covers_weights_optimisers_temperature_and_step():
  agent = helpers.make_agent(helpers.action_spec())
  before = _values(agent)
  agent.update(helpers.make_batch())
  changed = [np.any(a != b) for a, b in zip(before, _values(agent), strict=True)]
  names = [variable.name for variable in agent.state_variables]
  weights = 12 + 12 + 4 + 4 + 1  # Actor and its average, critics and targets, temperature.
  # Adam has two moments a weight and an iteration counter.
  assert len(names) == weights + 2 * (12 + 4 + 1) + 3 + 1
  unchanged = {name for name, moved in zip(names, changed, strict=True) if not moved}
  # A fresh coupling has no gradient beyond its last layer yet.
  assert not [
    n for n in unchanged if 'value' in n or 'iteration' in n or 'temperature' in n
  ]


def test_old_checkpoints_are_pruned_and_the_newest_is_restored(tmp_path):
  agent, replay = _trained(updates=0)
  checkpoints = checkpoints_lib.Checkpoints(tmp_path, agent, replay, keep=2)
  for step in (999_999_999, 5, 10):  # Order is by number of steps.
    checkpoints.save(step, {})
  names = sorted(path.name for path in tmp_path.iterdir())
  assert names == ['replay', 'step_0000000010', 'step_0999999999']
  assert checkpoints.restore()[0]['env_steps'] == 999_999_999


def _add(replay, count, seed=1):
  rng = np.random.default_rng(seed)
  for _ in range(count):
    replay.add(rng.normal(size=3), np.zeros(2), 0.0, 1.0, rng.normal(size=3), True)


def _rows(directory):
  return sorted((directory / 'replay').iterdir())


def test_a_row_of_the_replay_is_written_once(tmp_path):
  agent, replay = _trained(updates=0)
  checkpoints = checkpoints_lib.Checkpoints(tmp_path, agent, replay, keep=1)
  checkpoints.save(8, {})
  [first] = _rows(tmp_path)
  written = first.stat().st_mtime_ns
  _add(replay, 2)
  checkpoints.save(16, {})
  checkpoints.save(17, {})  # Nothing is new.

  assert len(_rows(tmp_path)) == 2
  assert first.stat().st_mtime_ns == written
  with np.load(_rows(tmp_path)[1]) as rows:
    assert len(rows['rewards']) == 4  # Two transitions, each with a closing row.
  # What the ring has overwritten is removed, once no checkpoint needs it.
  _add(replay, 20)
  checkpoints.save(24, {})
  [only] = _rows(tmp_path)
  other = _replay()
  checkpoints_lib.Checkpoints(tmp_path, agent, other).restore()
  np.testing.assert_array_equal(
    other.sample(1, 50).observation, replay.sample(1, 50).observation
  )


def test_a_resumed_run_goes_on_writing_where_it_was(tmp_path):
  agent, replay = _trained(updates=0)
  checkpoints_lib.Checkpoints(tmp_path, agent, replay).save(8, {})
  other = _replay()
  checkpoints = checkpoints_lib.Checkpoints(tmp_path, agent, other)
  checkpoints.restore()
  _add(other, 2)
  checkpoints.save(16, {})

  assert [path.name[:31] for path in _rows(tmp_path)] == [
    'rows_000000000000_000000000010_',
    'rows_000000000010_000000000014_',
  ]


def test_a_damaged_checkpoint_is_set_aside_for_the_one_before(tmp_path, capsys):
  agent, replay = _trained(updates=0)
  checkpoints = checkpoints_lib.Checkpoints(tmp_path, agent, replay)
  checkpoints.save(8, {'wall_s': 1.0})
  _add(replay, 2)
  checkpoints.save(16, {'wall_s': 2.0})
  path = tmp_path / 'step_0000000016' / 'agent.npz'
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(content)
  other = _replay()

  state, _ = checkpoints_lib.Checkpoints(tmp_path, agent, other).restore()

  assert state['wall_s'] == 1.0
  assert len(other) == 8
  assert (tmp_path / 'damaged_step_0000000016').is_dir()
  assert 'set aside as damaged_step_0000000016' in capsys.readouterr().out


def test_what_a_killed_process_left_is_swept(tmp_path):
  agent, replay = _trained(updates=0)
  checkpoints_lib.Checkpoints(tmp_path, agent, replay).save(8, {})
  (tmp_path / '.latent_hrl_unfinished.abc').mkdir()
  (tmp_path / 'replay' / '.latent_hrl_unfinished.def').write_bytes(b'x')

  checkpoints_lib.Checkpoints(tmp_path, agent, _replay()).restore()

  assert not list(tmp_path.rglob('.*'))


def _damaged(saved, tmp_path, change):
  directory = tmp_path / 'base'
  shutil.copytree(saved[0], directory)
  change(directory / 'step_0000000016')
  return checkpoints_lib.Checkpoints(directory, saved[1], _replay())


def _truncate(name, size=100):
  def change(path):
    (path / name).write_bytes((path / name).read_bytes()[:size])

  return change


def _write(name, content):
  return lambda path: (path / name).write_bytes(content)


_DAMAGE = {
  'agent cut': _truncate('agent.npz'),
  'arrays cut': _truncate('state.npz'),
  'rows missing': lambda path: shutil.rmtree(path.parent / 'replay'),
  'rows cut': lambda path: _truncate(_rows(path.parent)[0].name)(path.parent / 'replay'),
  'state cut': _truncate('state.json'),
  'state empty': _write('state.json', b'{}'),
  'state no text': _write('state.json', b'\xff\xfe'),
  'state a list': _write('state.json', b'[]'),
  'agent empty': _truncate('agent.npz', size=0),
  'agent missing': lambda path: (path / 'agent.npz').unlink(),
  'mixed up': lambda path: shutil.copy(path / 'agent.npz', path / 'state.npz'),
}


@pytest.mark.parametrize('label', _DAMAGE)
def test_without_an_intact_checkpoint_a_run_stops_once(saved, tmp_path, label, capsys):
  checkpoints = _damaged(saved, tmp_path, _DAMAGE[label])
  with pytest.raises(errors.ConfigError) as error:
    checkpoints.restore()
  message = str(error.value)
  assert 'no checkpoint in' in message and 'starts this layer again' in message
  assert '\n' not in message
  assert 'step_0000000016 is damaged (' in capsys.readouterr().out
  # Nothing is thrown away, and the next start is a new one.
  assert (tmp_path / 'base' / 'damaged_step_0000000016').is_dir()
  assert checkpoints.restore() is None


@pytest.mark.parametrize('kind', ['shapes', 'fewer', 'more'])
def test_checkpoint_of_another_network_is_refused_and_stays(saved, tmp_path, kind):
  directory, agent, _, _ = saved
  own = {key: list(part) for key, part in agent.state_parts.items()}
  if kind == 'shapes':
    own = helpers.make_agent(helpers.latent_spec(3)).state_parts
  elif kind == 'fewer':
    own['actor'].pop()
  else:
    own['actor'].append(own['actor'][0])
  other = types.SimpleNamespace(state_parts=own)
  with pytest.raises(errors.ConfigError, match='another configuration'):
    checkpoints_lib.Checkpoints(directory, other, _replay()).restore()
  assert (directory / 'step_0000000016').is_dir()


def test_checkpoint_of_another_run_is_refused(saved, tmp_path):
  _, agent, replay, _ = saved
  checkpoints_lib.Checkpoints(tmp_path, agent, replay, run={'seed': 1}).save(8, {})
  same = checkpoints_lib.Checkpoints(tmp_path, agent, _replay(), run={'seed': 1})
  assert same.restore()[0]['env_steps'] == 8
  other = checkpoints_lib.Checkpoints(tmp_path, agent, _replay(), run={'seed': 2})
  with pytest.raises(
    errors.ConfigError, match="by a run with {'seed': 1}, this one has {'seed': 2}"
  ):
    other.restore()


CRITIC = {'hidden_units': (8,), 'value_scale': 10.0}


def _checkpoint_of_a_lower_layer(directory, judged='action', updates=2):
  agent, replay = _trained(updates)
  run = {'judged': judged, 'critic_network': CRITIC}
  checkpoints_lib.Checkpoints(directory, agent, replay, run=run).save(16, {})
  return agent, replay


# What a layer picks from the embedding is its own, and may be more than the one below has.
@pytest.mark.parametrize('embedding_size', [None, 9])
def test_a_layer_inherits_embedding_critic_and_replay_but_not_what_to_do(
  embedding_size, tmp_path
):
  lower, replay = _checkpoint_of_a_lower_layer(tmp_path)
  own = _replay(seed=9)
  upper = helpers.make_agent(helpers.action_spec(), embedding_size=embedding_size)
  helpers.perturb(upper.state_variables)
  actor = [variable.numpy() for variable in upper.state_parts['actor']]

  parts = checkpoints_lib.inherit(tmp_path, 16, upper, own, CRITIC)

  for part in (
    'embedding',
    'averaged_embedding',
    'critic',
    'target_critic',
    'critic_optimizer',
  ):
    assert part in parts
    assert lower.state_parts[part]
    for mine, theirs in zip(upper.state_parts[part], lower.state_parts[part], strict=True):
      np.testing.assert_array_equal(mine, theirs)
  for before, variable in zip(actor, upper.state_parts['actor'], strict=True):
    np.testing.assert_array_equal(before, variable)
  assert len(own) == len(replay) == 8
  # Its own noise: the lower layer's goes on where it was.
  assert np.any(own.sample(1, 8).reward != replay.sample(1, 8).reward)


def test_a_policy_that_embeds_in_another_way_keeps_its_own(tmp_path):
  _checkpoint_of_a_lower_layer(tmp_path, updates=0)
  upper = helpers.make_agent(helpers.action_spec(), embedding_units=(9,))
  before = [variable.numpy() for variable in upper.state_parts['embedding']]
  parts = checkpoints_lib.inherit(tmp_path, 16, upper, _replay(), CRITIC)
  assert 'critic' in parts
  assert 'embedding' not in parts
  for mine, variable in zip(before, upper.state_parts['embedding'], strict=True):
    np.testing.assert_array_equal(mine, variable)


def test_a_temperature_of_the_same_entropy_is_inherited_too(tmp_path):
  lower, _ = _checkpoint_of_a_lower_layer(tmp_path)
  lower.state_parts['log_temperature'][0].assign(-0.7)
  checkpoints_lib.Checkpoints(
    tmp_path, lower, _replay(), run={'judged': 'action', 'critic_network': CRITIC}
  ).save(24, {})
  temperatures = {}
  for entropy_of in entropy.KINDS:
    below = entropy.ExecutedAction(lambda _, u: (u, u[:, 0]), helpers.action_spec())
    upper = helpers.make_agent(
      helpers.latent_spec(), entropy_of=entropy_of, executed_action=below
    )
    checkpoints_lib.inherit(tmp_path, 24, upper, _replay(), CRITIC)
    temperatures[entropy_of] = float(upper.temperature)
    mine, theirs = (agent.state_parts['temperature_optimizer'] for agent in (upper, lower))
    inherited = all(map(np.array_equal, mine, theirs))
    assert inherited == (entropy_of == 'action')
  assert temperatures == {'output': 1.0, 'action': pytest.approx(np.exp(-0.7))}


@pytest.mark.parametrize('changes', [{'target_entropy': -5.0}, {'temperature': 0.3}])
def test_a_temperature_of_another_target_stays_below(tmp_path, changes):
  _checkpoint_of_a_lower_layer(tmp_path)
  below = entropy.ExecutedAction(lambda _, u: (u, u[:, 0]), helpers.action_spec())
  upper = helpers.make_agent(
    helpers.latent_spec(), entropy_of='action', executed_action=below, **changes
  )
  before = float(upper.temperature)
  checkpoints_lib.inherit(tmp_path, 16, upper, _replay(), CRITIC)
  assert float(upper.temperature) == before
  moments = upper.state_parts['temperature_optimizer'][1:]
  assert not any(np.any(moment.numpy()) for moment in moments)


def test_values_of_another_discount_are_no_heritage(tmp_path):
  _checkpoint_of_a_lower_layer(tmp_path, updates=0)
  agent = helpers.make_agent(helpers.action_spec(), gamma=0.9)
  with pytest.raises(errors.ConfigError, match='its gamma is 0.99, here it is 0.9'):
    checkpoints_lib.inherit(tmp_path, 16, agent, _replay(), CRITIC)


def test_a_replay_of_another_capacity_is_no_heritage(tmp_path):
  _checkpoint_of_a_lower_layer(tmp_path, updates=0)
  agent = helpers.make_agent(helpers.action_spec())
  with pytest.raises(errors.ConfigError, match='a capacity of 20, not 4'):
    checkpoints_lib.inherit(tmp_path, 16, agent, _replay(capacity=4), CRITIC)


def test_values_of_another_scale_are_no_heritage(tmp_path):
  _checkpoint_of_a_lower_layer(tmp_path, updates=0)
  agent = helpers.make_agent(helpers.action_spec())
  own = {**CRITIC, 'value_scale': 1.0}
  reason = "its critic has {'value_scale': 10.0}, this one {'value_scale': 1.0}"
  with pytest.raises(errors.ConfigError, match=reason):
    checkpoints_lib.inherit(tmp_path, 16, agent, _replay(), own)


@pytest.mark.parametrize(
  ('judged', 'env_steps', 'reason'),
  [('output', 16, 'does not judge the action'), ('action', 24, 'No such file')],
)
def test_what_cannot_be_inherited_is_told(tmp_path, judged, env_steps, reason):
  _checkpoint_of_a_lower_layer(tmp_path, judged, updates=0)
  agent = helpers.make_agent(helpers.action_spec())
  with pytest.raises(errors.ConfigError, match=f'nothing to inherit in .*{reason}'):
    checkpoints_lib.inherit(tmp_path, env_steps, agent, _replay(), CRITIC)


def test_failing_save_keeps_the_last_checkpoint(tmp_path):
  agent, replay = _trained(updates=0)
  checkpoints = checkpoints_lib.Checkpoints(tmp_path, agent, replay)
  checkpoints.save(8, {})
  with pytest.raises(TypeError):
    checkpoints.save(16, {'not json': object()})
  assert sorted(path.name for path in tmp_path.iterdir()) == ['replay', 'step_0000000008']
