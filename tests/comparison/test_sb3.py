"""Evaluations of Stable-Baselines3, in files as its callback writes them."""

import numpy as np
import pytest

from latent_hrl import errors
from latent_hrl.comparison import outside
from latent_hrl.comparison import sb3


def _evaluations(path, offset=0.0):
  results = np.array([[1.0, 3.0], [5.0, 7.0]]) + offset
  lengths = np.full((2, 2), 1000)
  np.savez(path, timesteps=np.array([1000, 2000]), results=results, ep_lengths=lengths)
  return path


def test_each_file_is_a_seed(tmp_path):
  paths = [_evaluations(tmp_path / f'{i}.npz', offset=i) for i in range(2)]
  outside.write(sb3.convert(paths, 'SB3 SAC', 'Toy-v0'), tmp_path / 'sb3.json')
  converted = outside.read(tmp_path / 'sb3.json')

  assert converted.system == 'SB3 SAC'
  assert [(run.task, run.seed) for run in converted.results] == [
    ('Toy-v0', 0),
    ('Toy-v0', 1),
  ]
  assert converted.results[1].curve.env_steps.tolist() == [1000, 2000]
  assert converted.results[1].curve.returns.tolist() == [3.0, 7.0]  # Means of episodes.


def test_what_is_no_such_file_is_named(tmp_path):
  (tmp_path / 'text.npz').write_text('no archive')
  np.savez(tmp_path / 'other.npz', timesteps=np.array([1]))
  np.savez(tmp_path / 'ragged.npz', timesteps=np.arange(3), results=np.ones((2, 2)))
  unsafe = np.array([print], dtype=object)
  np.savez(tmp_path / 'unsafe.npz', timesteps=unsafe, results=unsafe)

  for name in ('text', 'other', 'unsafe'):
    with pytest.raises(errors.ConfigError, match=f'{name}.npz is no evaluations.npz'):
      sb3.read(tmp_path / f'{name}.npz')
  with pytest.raises(errors.ConfigError, match='ragged.npz: .*same length'):
    sb3.read(tmp_path / 'ragged.npz')
  with pytest.raises(errors.ConfigError, match='none.npz cannot be read'):
    sb3.read(tmp_path / 'none.npz')
