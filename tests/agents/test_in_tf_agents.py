"""Tests of the agent in TF-Agents' drivers, replay, learner, actor and saved policies."""

import numpy as np
import pytest
import tensorflow as tf
from tf_agents.drivers import dynamic_step_driver
from tf_agents.environments import py_environment
from tf_agents.environments import tf_py_environment
from tf_agents.policies import policy_saver
from tf_agents.policies import py_tf_eager_policy
from tf_agents.replay_buffers import tf_uniform_replay_buffer
from tf_agents.specs import array_spec
from tf_agents.train import actor
from tf_agents.train import learner
from tf_agents.trajectories import time_step as ts

from latent_hrl.networks import encoders
from tests import helpers

EMBEDDINGS = {
  'embeddings': encoders.EmbeddingsConfig(size=4, hidden_units=(5,), projection_units=3),
  'clip_target_values': True,
}


class WalkEnvironment(py_environment.PyEnvironment):
  """A point on a line that ends at 0.5 or after six steps, in TF-Agents' interface."""

  def __init__(self):
    super().__init__()
    self._steps = 0
    self._position = 0.0

  def observation_spec(self):
    return array_spec.ArraySpec((3,), np.float32, 'observation')

  def action_spec(self):
    return array_spec.BoundedArraySpec(
      (2,), np.float32, helpers.BOX_LOW, helpers.BOX_HIGH, 'action'
    )

  def _observation(self):
    return np.float32([self._position, self._steps / 6, 1.0])

  def _reset(self):
    self._steps, self._position = 0, 0.0
    return ts.restart(self._observation())

  def _step(self, action):
    if self._current_time_step.is_last():
      return self.reset()
    assert np.all(action >= helpers.BOX_LOW) and np.all(action <= helpers.BOX_HIGH)
    self._steps += 1
    self._position += float(action[0])
    reward = np.float32(action[0])
    if self._position >= 0.5:
      return ts.termination(self._observation(), reward)
    if self._steps == 6:
      return ts.truncation(self._observation(), reward)
    return ts.transition(self._observation(), reward)


def _agent(**kwargs):
  agent = helpers.make_agent(helpers.action_spec(), **kwargs)
  helpers.perturb(agent.actor_network.variables)
  helpers.perturb(agent.averaged_actor_network.variables, seed=4)
  return agent


@pytest.fixture(name='agent', scope='module')
def _shared_agent():
  """An agent that no test changes."""
  return _agent()


def _replay(agent):
  return tf_uniform_replay_buffer.TFUniformReplayBuffer(
    agent.collect_data_spec, batch_size=1, max_length=100
  )


@pytest.fixture(name='saved_policy', scope='module')
def _saved_policy(agent, tmp_path_factory):
  path = str(tmp_path_factory.mktemp('policy'))
  policy_saver.PolicySaver(agent.policy, batch_size=None, train_step=tf.Variable(7)).save(
    path
  )
  return path


def _observations(size=4):
  return np.random.default_rng(0).normal(size=(size, 3)).astype(np.float32)


def test_saved_policy_acts_by_the_mode_from_tensorflow(agent, saved_policy):
  time_step = ts.restart(tf.constant(_observations()), batch_size=4)
  policy = tf.saved_model.load(saved_policy)
  action = policy.action(time_step).action
  expected = agent.averaged_actor_network(time_step.observation)[0].mode()
  np.testing.assert_allclose(action, expected, rtol=1e-5, atol=1e-6)


def test_saved_policy_loads_as_a_python_policy_with_its_specs(agent, saved_policy):
  policy = py_tf_eager_policy.SavedModelPyTFEagerPolicy(
    saved_policy, load_specs_from_pbtxt=True
  )
  assert policy.time_step_spec.observation.shape == (3,)
  assert policy.get_train_step() == 7
  observation = _observations(1)
  action = policy.action(ts.restart(observation[0])).action
  expected = agent.averaged_actor_network(tf.constant(observation))[0].mode()[0]
  np.testing.assert_allclose(action, expected, rtol=1e-5, atol=1e-6)


def test_collect_policy_can_be_saved_too(agent, tmp_path):
  policy_saver.PolicySaver(agent.collect_policy, batch_size=None).save(str(tmp_path))
  time_step = ts.restart(tf.zeros([200, 3]), batch_size=200)
  policy = tf.saved_model.load(str(tmp_path))
  action = policy.action(time_step).action.numpy()
  assert np.all(action >= helpers.BOX_LOW) and np.all(action <= helpers.BOX_HIGH)
  assert action.std(axis=0).min() > 0.05


@pytest.mark.parametrize('kwargs', [{}, EMBEDDINGS], ids=['plain', 'embeddings'])
def test_step_driver_fills_a_replay_that_the_agent_and_learner_train_on(kwargs, tmp_path):
  agent = _agent(**kwargs)
  environment = tf_py_environment.TFPyEnvironment(WalkEnvironment())
  replay = _replay(agent)
  dynamic_step_driver.DynamicStepDriver(
    environment, agent.collect_policy, observers=[replay.add_batch], num_steps=30
  ).run()
  assert int(replay.num_frames()) >= 30
  run = learner.Learner(
    str(tmp_path),
    agent.train_step_counter,
    agent,
    experience_dataset_fn=lambda: replay.as_dataset(sample_batch_size=4, num_steps=2),
    checkpoint_interval=2,
    summary_interval=1,
  )
  before = [variable.numpy() for variable in agent.actor_network.variables]
  info = run.run(iterations=3)
  assert np.isfinite(float(info.loss))
  assert int(agent.train_step_counter) == 3
  assert any(
    np.any(variable != old)
    for variable, old in zip(agent.actor_network.variables, before, strict=True)
  )
  # The learner's own checkpoints bring back weights and step.
  other = _agent(**kwargs)
  learner.Learner(
    str(tmp_path), other.train_step_counter, other, run_optimizer_variable_init=False
  )
  for mine, theirs in zip(other.state_variables, agent.state_variables, strict=True):
    np.testing.assert_array_equal(mine, theirs, err_msg=mine.name)


def test_actor_collects_episodes_in_a_python_environment(agent):
  replay = _replay(agent)
  seen = []
  run = actor.Actor(
    WalkEnvironment(),
    py_tf_eager_policy.PyTFEagerPolicy(agent.collect_policy, use_tf_function=True),
    agent.train_step_counter,
    episodes_per_run=3,
    observers=[
      seen.append,
      lambda frame: replay.add_batch(
        tf.nest.map_structure(lambda part: tf.expand_dims(part, 0), frame)
      ),
    ],
    metrics=actor.collect_metrics(buffer_size=10),
  )
  run.run()
  metrics = {metric.name: metric.result() for metric in run.metrics}
  assert metrics['NumberOfEpisodes'] == 3
  rewards = [float(frame.reward) for frame in seen if not frame.is_boundary()]
  assert metrics['AverageReturn'] == pytest.approx(sum(rewards) / 3, rel=1e-5)
  assert int(replay.num_frames()) == len(seen)
