"""A saved layer as a policy of TF-Agents: in its actors, over time, and saved by it."""

import numpy as np
import pytest
import tensorflow as tf
from tf_agents.drivers import dynamic_episode_driver
from tf_agents.environments import tf_py_environment
from tf_agents.policies import policy_saver
from tf_agents.policies import py_tf_eager_policy
from tf_agents.train import actor as actor_lib
from tf_agents.trajectories import time_step as ts

from latent_hrl import errors
from latent_hrl.environments import tf_environment
from latent_hrl.evaluation import rollout
from latent_hrl.layers import tf_policy
from tests import helpers


def _observations(size=3, seed=0):
  rng = np.random.default_rng(seed)
  return rng.normal(size=(size, 5)).astype(np.float32)


def _play(policy, environment, steps):
  """What a policy did in an environment, as TF-Agents' actor sees it."""
  seen = []
  actor = actor_lib.Actor(
    environment, policy, tf.Variable(0, dtype=tf.int64), steps, observers=[seen.append]
  )
  actor.run()
  return [trajectory for trajectory in seen if not trajectory.is_boundary()]


def test_the_mode_has_no_state_and_is_that_of_the_layer(saved_stack):
  policy = tf_policy.LayerPolicy(saved_stack.top.saved)
  assert policy.policy_state_spec == ()
  layers = (saved_stack.top, saved_stack.middle, saved_stack.base)
  weights = [value.numpy() for layer in layers for value in layer.actor.variables]
  for mine, theirs in zip(policy.variables(), weights, strict=True):
    np.testing.assert_array_equal(mine, theirs)
  observation = _observations()
  step = policy.action(ts.restart(tf.constant(observation), batch_size=3))
  mode = saved_stack.top.saved.mode(observation)
  np.testing.assert_allclose(step.action, mode, atol=1e-6)


def test_samples_follow_their_seed_and_differ_from_step_to_step(saved_stack):
  policy = tf_policy.LayerPolicy(saved_stack.top.saved, 'sample')
  time_step = ts.restart(tf.constant(_observations()), batch_size=3)
  first, again, other = (
    policy.action(time_step, seed=tf.constant(seed)).action
    for seed in ([1, 2], [1, 2], [1, 3])
  )
  np.testing.assert_array_equal(first, again)
  assert np.abs(first - other).min() > 1e-4


def test_a_held_latent_and_held_outputs_last_as_long_as_they_should(slow_stack, toy_task):
  layer = slow_stack[1].saved
  task = toy_task(goal_first=True)
  policy = tf_policy.LayerPolicy(layer, 'hold', fields=task.fields)
  where = [2, 3, 4, 0, 1]  # The task has the goal first.
  environment = tf_environment.GymnasiumEnvironment(task, seed=1)
  state = policy.get_initial_state(1)
  time_step = environment.reset()
  stepped = layer.policy()
  latents = []
  for i in range(14):  # Two episodes of 7 steps.
    if time_step.is_first():
      step = 0
    batched = tf.nest.map_structure(lambda x: tf.constant(x)[tf.newaxis], time_step)
    action, state, _ = policy.action(batched, state)
    latents.append(state['latent'].numpy())
    _, expected = stepped(
      time_step.observation[np.newaxis, where], latents[-1], np.int32([step])
    )
    np.testing.assert_allclose(action, expected, rtol=1e-4, atol=1e-5, err_msg=str(i))
    time_step = environment.step(action[0].numpy())
    if time_step.is_last():
      time_step = environment.step(action[0].numpy())
    step += 1
  np.testing.assert_array_equal(latents[0], latents[6])
  np.testing.assert_array_equal(latents[7], latents[13])
  assert np.abs(latents[6] - latents[7]).max() > 1e-3


def test_it_runs_in_tf_agents_drivers_and_comes_back_from_its_policy_saver(
  saved_base, toy_task, tmp_path
):
  task = toy_task()
  environment = tf_environment.GymnasiumEnvironment(task, seed=1)
  policy = tf_policy.LayerPolicy(saved_base.saved, 'hold', fields=task.fields)
  _, state = dynamic_episode_driver.DynamicEpisodeDriver(
    tf_py_environment.TFPyEnvironment(environment), policy, num_episodes=1
  ).run()
  assert state['step'].numpy() == [8]  # It asks once more, at the end of the episode.

  policy_saver.PolicySaver(policy, batch_size=None).save(str(tmp_path / 'policy'))
  loaded = py_tf_eager_policy.SavedModelPyTFEagerPolicy(
    str(tmp_path / 'policy'), load_specs_from_pbtxt=True
  )
  seen = _play(loaded, environment, 7)
  actions = np.stack([trajectory.action for trajectory in seen])
  observation = np.stack([trajectory.observation for trajectory in seen])[:, :3]
  latents = saved_base.saved.encode(observation, actions)['latent']
  # One latent for the whole episode.
  np.testing.assert_allclose(latents, np.tile(latents[:1], [len(latents), 1]), atol=1e-2)


def test_ways_to_choose_latents_are_those_of_evaluation(saved_base):
  # Commands come with a task's reward, which a policy of TF-Agents does not know.
  assert (*tf_policy.LATENTS, 'command') == rollout.LATENT_MODES
  with pytest.raises(errors.ConfigError, match="did you mean 'sample'"):
    tf_policy.LayerPolicy(saved_base.saved, 'samples')


def test_a_field_that_is_missing_is_named(saved_base):
  with pytest.raises(errors.StackError, match="'body'"):
    tf_policy.LayerPolicy(saved_base.saved, fields=(helpers.GOAL,))
