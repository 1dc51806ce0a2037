"""Skills: headings by hand, and what a task must tell."""

import numpy as np
import pytest

from latent_hrl import errors
from latent_hrl.environments import layer_reward
from latent_hrl.environments import tasks
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import rollout
from latent_hrl.evaluation import skills


def _episode(angle_degrees, distance=3.0, latent=(0.0, 0.0)):
  angle = np.radians(angle_degrees)
  end = distance * np.array([np.cos(angle), np.sin(angle)])
  start = np.array([0.5, -0.5])
  return episodes_lib.Episode(
    latent=np.array(latent), positions=[start, start + end / 2, start + end]
  )


def test_a_sector_lies_around_its_heading():
  found = skills.headings([_episode(a) for a in (-22, 22, 23, 180, -157, 337)])

  np.testing.assert_allclose(np.array(found['sectors']) * 6, [2, 1, 0, 0, 1, 1, 0, 1])
  assert found['covered'] == 5
  assert found['moved'] == 1.0
  assert found['distance_mean'] == pytest.approx(3.0)


def test_who_stays_has_no_heading():
  found = skills.headings([_episode(0), _episode(90, distance=0.9)])

  assert found['covered'] == 1 and found['moved'] == 0.5
  assert sum(found['sectors']) == 0.5


def test_steering_finds_the_part_of_the_latent_that_matters():
  rng = np.random.default_rng(0)
  latents = rng.normal(size=(200, 5))
  episodes = [
    _episode(np.degrees(np.arctan2(z[3], z[1])), np.hypot(z[1], z[3]), z) for z in latents
  ]

  part = skills.steering(episodes)

  for mine, expected in zip(part.T, latents[:, [1, 3]].T, strict=True):
    assert np.corrcoef(mine, expected)[0, 1] > 0.99


def test_a_task_that_does_not_tell_its_position_is_an_error():
  with pytest.raises(errors.TaskError, match="field 'position'"):
    skills.headings([episodes_lib.Episode(latent=np.zeros(2))])


def test_what_cannot_be_drawn_is_told_before_it_is_played():
  skills.check_task(tasks.make_task('HalfCheetah-v5'))
  with pytest.raises(errors.TaskError, match="headings and ways need .* field 'position'"):
    skills.check_task(tasks.make_task('Pendulum-v1'))


# A field, two entries of info, and one of a robot that moves along a line.
@pytest.mark.parametrize(
  'task_id', ['latent_hrl/SwimmerDirections-v0', 'Ant-v5', 'HalfCheetah-v5']
)
def test_positions_are_recorded_from_start_to_end(task_id):
  task = tasks.make_task(task_id)
  reward = layer_reward.rewards.bind(layer_reward.rewards.task_reward)
  env = layer_reward.LayerReward(task, reward)
  seen = []

  def decode(observation, latent, step):
    data = env.unwrapped.simulation.data if 'latent' in task_id else env.unwrapped.data
    seen.append(data.qpos[:2].copy())
    return np.ones((1, env.action_space.shape[0]), np.float32)

  with np.errstate(all='ignore'):
    (episode,) = rollout.run_episodes([env], decode, 6, 1, seed=0, record=True)
  env.close()

  assert len(episode.positions) == episode.length + 1
  where = np.stack(episode.positions[:-1])
  np.testing.assert_allclose(where[:, 0], np.stack(seen)[:, 0], atol=1e-5)
  if task_id == 'HalfCheetah-v5':
    assert not where[:, 1].any()  # Its second coordinate is the height.
  else:
    np.testing.assert_allclose(where[:, 1], np.stack(seen)[:, 1], atol=1e-5)
