"""TF-Agents' SAC with its own actor, learner and replay, as its examples wire them."""

import tempfile

import latent_hrl  # noqa: F401  prepares TensorFlow  # isort: skip
import tensorflow as tf
from absl import app
from absl import flags
from tf_agents.agents.ddpg import critic_network
from tf_agents.agents.sac import sac_agent
from tf_agents.agents.sac import tanh_normal_projection_network
from tf_agents.networks import actor_distribution_network
from tf_agents.policies import py_tf_eager_policy
from tf_agents.policies import random_py_policy
from tf_agents.replay_buffers import tf_uniform_replay_buffer
from tf_agents.specs import tensor_spec
from tf_agents.train import actor as actor_lib
from tf_agents.train import learner as learner_lib
from tf_agents.train.utils import train_utils
from tf_agents.utils import common
from tf_agents.utils import nest_utils

from benchmarks.workers import protocol
from latent_hrl.environments import tasks
from latent_hrl.environments import tf_environment

_TASK = flags.DEFINE_string('task', 'HalfCheetah-v5', 'Gymnasium id.')
_SECONDS = flags.DEFINE_float('seconds', 5.0, 'Length of a measurement.')
_INITIAL_STEPS = 1000
_BATCH_SIZE = 256
_CAPACITY = 1_000_000
_WIDTHS = (256, 256)


def make_agent(env: tf_environment.GymnasiumEnvironment) -> sac_agent.SacAgent:
  """Returns SAC with the numbers of TF-Agents' own MuJoCo example."""
  time_step_spec = tensor_spec.from_spec(env.time_step_spec())
  observation_spec = tensor_spec.from_spec(env.observation_spec())
  action_spec = tensor_spec.from_spec(env.action_spec())
  critic = critic_network.CriticNetwork(
    (observation_spec, action_spec),
    joint_fc_layer_params=_WIDTHS,
    kernel_initializer='glorot_uniform',
    last_kernel_initializer='glorot_uniform',
  )
  actor = actor_distribution_network.ActorDistributionNetwork(
    observation_spec,
    action_spec,
    fc_layer_params=_WIDTHS,
    continuous_projection_net=tanh_normal_projection_network.TanhNormalProjectionNetwork,
  )
  agent = sac_agent.SacAgent(
    time_step_spec,
    action_spec,
    critic_network=critic,
    actor_network=actor,
    actor_optimizer=tf.keras.optimizers.Adam(3e-4),
    critic_optimizer=tf.keras.optimizers.Adam(3e-4),
    alpha_optimizer=tf.keras.optimizers.Adam(3e-4),
    target_update_tau=0.005,
    target_update_period=1,
    td_errors_loss_fn=tf.math.squared_difference,
    gamma=0.99,
    train_step_counter=train_utils.create_train_step(),
  )
  agent.initialize()
  return agent


def main(_) -> None:
  """Measures until the input ends."""
  # TensorFlow's own threads: TF-Agents chooses none.
  env = tf_environment.GymnasiumEnvironment(tasks.make_task(_TASK.value))
  agent = make_agent(env)
  replay = tf_uniform_replay_buffer.TFUniformReplayBuffer(
    agent.collect_data_spec, batch_size=1, max_length=_CAPACITY
  )

  @common.function
  def add(trajectories) -> None:
    replay.add_batch(trajectories)

  def observe(trajectory) -> None:
    add(nest_utils.batch_nested_array(trajectory))

  first = actor_lib.Actor(
    env,
    random_py_policy.RandomPyPolicy(env.time_step_spec(), env.action_spec()),
    agent.train_step_counter,
    steps_per_run=_INITIAL_STEPS,
    observers=[observe],
  )
  first.run()
  collect = actor_lib.Actor(
    env,
    py_tf_eager_policy.PyTFEagerPolicy(agent.collect_policy, use_tf_function=True),
    agent.train_step_counter,
    steps_per_run=1,
    observers=[observe],
  )

  def dataset() -> tf.data.Dataset:
    return replay.as_dataset(
      num_parallel_calls=2, sample_batch_size=_BATCH_SIZE, num_steps=2
    ).prefetch(2)

  with tempfile.TemporaryDirectory() as root:
    learner = learner_lib.Learner(
      root, agent.train_step_counter, agent, experience_dataset_fn=dataset
    )

    def step() -> int:
      collect.run()
      learner.run(iterations=1)
      return 1

    for _ in range(100):
      step()
    protocol.serve(protocol.rate(step, _SECONDS.value))


if __name__ == '__main__':
  app.run(main)
