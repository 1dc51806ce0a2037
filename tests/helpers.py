"""A toy task with two fields, small networks and layers, and numbers to compare with."""

import base64
import collections
import copy
import hashlib
import json
import os
import pathlib
import re
import types
from collections.abc import Callable, Iterable
from typing import Any

import gymnasium
import numpy as np
import pytest
import tensorflow as tf
from gymnasium import spaces
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts

from latent_hrl import config
from latent_hrl import observations
from latent_hrl.agents import latent_space_agent
from latent_hrl.agents import latent_space_settings
from latent_hrl.agents import protocol
from latent_hrl.evaluation import plots
from latent_hrl.flows import gaussian
from latent_hrl.flows import real_nvp
from latent_hrl.layers import export
from latent_hrl.layers import load
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.layers import module as module_lib
from latent_hrl.networks import critic as critic_lib
from latent_hrl.networks import policy as policy_lib
from latent_hrl.training import off_policy

BOX_LOW = np.float32([-2.0, -1.0])
BOX_HIGH = np.float32([1.0, 3.0])
# A PNG of one pixel.
DOT = base64.b64decode(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='
)
BODY = observations.ObservationField('body', 3)
GOAL = observations.ObservationField('goal', 2)


class ToyEnv(gymnasium.Env):
  """A point that adds up its actions; fields `body` [3] and `goal` [2]."""

  def __init__(
    self, goal_first: bool = False, end_at: float | None = None, length: int = 7
  ):
    parts = [('body', (3,)), ('goal', (2,))]
    self.observation_space = spaces.Dict(
      collections.OrderedDict(
        (name, spaces.Box(-np.inf, np.inf, shape, np.float64))
        for name, shape in (parts[::-1] if goal_first else parts)
      )
    )
    self.action_space = spaces.Box(BOX_LOW, BOX_HIGH, dtype=np.float32)
    self._end_at = end_at
    self._length = length
    self._steps = 0
    self._position = np.zeros(2)
    self._goal = np.zeros(2)

  def reset(self, *, seed=None, options=None):
    super().reset(seed=seed)
    self._steps = 0
    self._position = np.zeros(2)
    self._goal = self.np_random.uniform(-1, 1, 2)
    return self._observation(), {}

  def step(self, action):
    self._steps += 1
    self._position = self._position + np.asarray(action, np.float64)
    terminated = self._end_at is not None and self._position[0] >= self._end_at
    info = {'x_velocity': float(action[0]), 'received': np.array(action)}
    truncated = self._steps >= self._length
    return self._observation(), float(np.sum(action)), terminated, truncated, info

  def _observation(self):
    return {'goal': self._goal, 'body': np.array([*self._position, self._steps / 10])}


def perturb(variables, scale: float = 0.5, seed: int = 0) -> None:
  """Adds Gaussian noise to variables, the same for the same seed."""
  rng = np.random.default_rng(seed)
  for variable in variables:
    noise = rng.normal(scale=scale, size=variable.shape)
    variable.assign_add(noise.astype(np.float32))


def set_affine(actor, shift, log_scale) -> None:
  """Makes the flow of a two-coupling actor z · exp(log_scale) + shift in every state."""
  bound = actor._flow._config.log_scale_bound  # The raw value behind a bounded log-scale.
  raw = bound * np.arctanh(np.asarray(log_scale, np.float64) / bound)
  first = actor.dimension // 2
  parts = [slice(first, None), slice(None, first)] if first else [slice(None)]
  for conditioner, part in zip(actor._conditioners, parts, strict=True):
    kernel, bias = conditioner._output.kernel, conditioner._output.bias
    kernel.assign(tf.zeros_like(kernel))
    bias.assign(np.float32([*np.asarray(shift)[part], *raw[part]]))


def set_constant(critic, values) -> None:
  """Makes a twin critic return these two values everywhere."""
  kernel, bias = critic.variables[-2:]
  kernel.assign(tf.zeros_like(kernel))
  bias.assign(np.float32(values).reshape(2, 1, 1))


def critic_in_numpy(critic, observation, output, spec) -> np.ndarray:
  """Two separate perceptrons with the weights of a twin critic; float64 [B, 2]."""
  if isinstance(spec, tensor_spec.BoundedTensorSpec):
    low, high = np.float64(spec.minimum), np.float64(spec.maximum)
    output = 2 * (output - low) / (high - low) - 1
  weights = [np.float64(variable.numpy()) for variable in critic.variables]
  values = []
  for member in (0, 1):
    hidden = np.concatenate([observation, output], axis=-1).astype(np.float64)
    for layer in range(0, len(weights), 2):
      hidden = hidden @ weights[layer][member] + weights[layer + 1][member]
      if layer + 2 < len(weights):
        hidden = np.maximum(hidden, 0)
    values.append(hidden[:, 0])
  return np.stack(values, axis=-1)


def action_spec(low=BOX_LOW, high=BOX_HIGH) -> tensor_spec.BoundedTensorSpec:
  """The action box of a task as a spec."""
  low, high = np.float32(low), np.float32(high)
  return tensor_spec.BoundedTensorSpec(low.shape, tf.float32, low, high, 'action')


def latent_spec(dimension: int = 2) -> tf.TensorSpec:
  """The latent of a layer below as a spec."""
  return tf.TensorSpec([dimension], tf.float32, 'latent')


def make_actor(spec, observation_size: int = 3, **kwargs) -> policy_lib.LatentPolicyNetwork:
  """A small actor with its variables, drawn from a fixed seed."""
  tf.keras.utils.set_random_seed(1)
  observation_spec = tf.TensorSpec([observation_size], tf.float32, 'observation')
  config = policy_config(**{'embedding_units': (8,), 'conditioner_units': None, **kwargs})
  actor = policy_lib.LatentPolicyNetwork(observation_spec, spec, config)
  actor.create_variables()
  return actor


def policy_config(num_couplings: int = 2, **kwargs) -> policy_lib.PolicyConfig:
  """The configuration of a policy; none of the couplings make it a Gaussian one."""
  of_policy = {
    name: kwargs.pop(name)
    for name in ('embedding_units', 'embedding_size')
    if name in kwargs
  }
  if num_couplings:
    flow = real_nvp.RealNvpConfig(num_couplings=num_couplings, **kwargs)
  else:
    kwargs.pop('conditioner_units', None)
    flow = gaussian.GaussianConfig(**kwargs)
  return policy_lib.PolicyConfig(flow=flow, **of_policy)


def make_agent(
  spec,
  observation_size: int = 3,
  optimizer=None,
  embedding_units=(8,),
  embedding_size=None,
  embeddings=None,
  command_size=0,
  **kwargs,
) -> latent_space_agent.LatentSpaceAgent:
  """A small agent, its weights drawn from a fixed seed."""
  tf.keras.utils.set_random_seed(3)
  own_spec = tf.TensorSpec([observation_size], tf.float32, 'observation')
  observation_spec = tf.TensorSpec([observation_size + command_size], tf.float32)
  optimizer = optimizer or (lambda: tf.keras.optimizers.Adam(0.01))
  optimizers = latent_space_agent.Optimizers(
    *(
      kwargs.pop(f'{name}_optimizer', None) or optimizer()
      for name in latent_space_agent.Optimizers._fields
    )
  )
  executed = kwargs.pop('executed_action', None)
  judged_spec = spec if executed is None else executed.spec
  policy = policy_lib.PolicyConfig(
    embedding_units=embedding_units, embedding_size=embedding_size
  )
  critic = critic_lib.CriticConfig(hidden_units=(8,), layer_norm=False)
  seed = kwargs.pop('seed', 0)
  jit_compile = kwargs.pop('jit_compile', False)
  enable_summaries = kwargs.pop('enable_summaries', False)
  return latent_space_agent.LatentSpaceAgent(
    ts.time_step_spec(observation_spec),
    spec,
    policy_lib.LatentPolicyNetwork(own_spec, spec, policy, embeddings),
    critic_lib.TwinCriticNetwork((observation_spec, judged_spec), critic, embeddings),
    latent_space_settings.Settings(
      **{'policy_average_tau': 1.0, 'initial_temperature': 1.0, **kwargs}
    ),
    optimizers,
    executed,
    seed,
    jit_compile=jit_compile,
    enable_summaries=enable_summaries,
  )


def make_batch(size: int = 6, seed: int = 0, observation_size: int = 3) -> protocol.Batch:
  """Random transitions inside the toy's box, every third one terminal."""
  rng = np.random.default_rng(seed)
  arrays = protocol.Batch(
    observation=rng.normal(size=(size, observation_size)),
    output=rng.uniform(BOX_LOW, BOX_HIGH, size=(size, 2)),
    reward=rng.normal(size=size),
    discount=np.where(np.arange(size) % 3 == 2, 0.0, 1.0),
    next_observation=rng.normal(size=(size, observation_size)),
  )
  return protocol.Batch(*[tf.constant(array.astype(np.float32)) for array in arrays])


def make_record(name: str, reads: tuple[str, ...], **kwargs) -> manifest_lib.LayerRecord:
  """What a manifest says of one layer."""
  values = {
    'name': name,
    'reads': reads,
    'task': 'Toy-v0',
    'task_options': {},
    'reward': 'task_reward',
    'reward_arguments': {'scale': 1.0},
    'env_steps': 1000,
    'seed': 0,
    'evaluation': {'return_mean': 1.5, 'return_std': 0.5, 'episodes': 2},
  }
  return manifest_lib.LayerRecord(**{**values, **kwargs})


def make_manifest(fields, layers) -> manifest_lib.Manifest:
  """The manifest of a layer in the toy's box, as training would fill it in."""
  return manifest_lib.Manifest(
    fields=tuple(fields),
    action_low=tuple(BOX_LOW.tolist()),
    action_high=tuple(BOX_HIGH.tolist()),
    layers=tuple(layers),
    config='train_stack.task = "Toy-v0"\n',
  )


def sealed(content: dict) -> str:
  """The text of a manifest whose SHA-256 of itself is right, whatever else it says."""
  content = {key: value for key, value in content.items() if key != 'sha256'}
  seal = hashlib.sha256((json.dumps(content, indent=2) + '\n').encode()).hexdigest()
  return json.dumps({**content, 'sha256': seal}, indent=2) + '\n'


def read_manifest(path) -> manifest_lib.Manifest:
  """The manifest of a layer, whatever else is there."""
  return manifest_lib.parse(path, (path / manifest_lib.PATH).read_bytes())


def claim(path, **changes) -> None:
  """Makes the manifest of a layer match the files that are there, as a forger would."""
  content = json.loads((path / manifest_lib.PATH).read_text(encoding='utf-8'))
  content.update(files=manifest_lib.file_digests(path), **changes)
  (path / manifest_lib.PATH).write_text(sealed(content), encoding='utf-8')


def make_training_quick(monkeypatch: pytest.MonkeyPatch) -> None:
  """Leaves out what takes most of the time of a short training: XLA, pictures, the disk.

  Tests of the compiled updates, of the launchers, of the plots and of the files have them.
  """
  function = tf.function

  def uncompiled(*args, jit_compile=None, **kwargs):
    return function(*args, **kwargs)

  monkeypatch.setattr(tf, 'function', uncompiled)
  monkeypatch.setattr(
    plots, 'learning_curve', lambda rows, title, path: path.write_bytes(DOT)
  )
  monkeypatch.setattr(os, 'fsync', lambda descriptor: None)


def save_layer(
  path, name, fields, reads, lower=None, fresh=False, seed=0, interval=1, actor=None
):
  """Exports a small layer on `lower`; returns it loaded, with its network and module."""
  spec = action_spec() if lower is None else latent_spec()
  actor = actor or make_actor(spec, observations.total_size(reads))
  if not fresh:
    perturb(actor.variables, seed=seed)
  module = module_lib.LayerModule(
    actor,
    tuple(fields),
    tuple(reads),
    lower=None if lower is None else lower.module,
    lower_fields=() if lower is None else lower.fields,
    interval=interval,
    held_below=0 if lower is None else lower.manifest.held_outputs,
  )
  below = () if lower is None else lower.records()
  reads = tuple(field.name for field in reads)
  record = make_record(name, reads, interval=interval)
  export.export_layer(module, make_manifest(fields, (*below, record)), path)
  return types.SimpleNamespace(
    saved=load.load_layer(path), path=path, actor=actor, module=module
  )


def file_bytes(directory) -> dict[str, bytes]:
  """The content of every file below a directory, by relative path."""
  return {
    file.relative_to(directory).as_posix(): file.read_bytes()
    for file in directory.rglob('*')
    if file.is_file()
  }


def saved_weights(path: pathlib.Path) -> dict[str, np.ndarray]:
  """The variables of a saved layer by name."""
  reader = tf.train.load_checkpoint(str(path / 'variables' / 'variables'))
  names = reader.get_variable_to_shape_map()
  return {name: reader.get_tensor(name) for name in names if 'OBJECT_GRAPH' not in name}


def metrics(root_dir: pathlib.Path) -> list[dict[str, Any]]:
  """The rows of a run's metrics.jsonl."""
  with (root_dir / 'metrics.jsonl').open(encoding='utf-8') as lines:
    return [json.loads(line) for line in lines]


def act_at(
  steps: Iterable[int],
  monkeypatch: pytest.MonkeyPatch,
  act: Callable[[off_policy.OffPolicyLearning], object],
) -> None:
  """Makes learning call `act` once for each of `steps`, when it has taken that many."""
  advance = off_policy.OffPolicyLearning.advance
  waiting = list(steps)

  def acting(self: off_policy.OffPolicyLearning, env_steps: int) -> int:
    if waiting and env_steps >= waiting[0]:
      waiting.pop(0)
      act(self)
    return advance(self, env_steps)

  monkeypatch.setattr(off_policy.OffPolicyLearning, 'advance', acting)


def documented_metrics() -> set[str]:
  """The entries of a line of metrics.jsonl that docs/metrics.md tells of."""
  text = (config.PROJECT_ROOT / 'docs' / 'metrics.md').read_text(encoding='utf-8')
  rows = [line for line in text.splitlines() if line.startswith('| `')]
  return set(re.findall('`([a-z_]+)`', ' '.join(rows)))


def save_task_layer(path, task, lower=None, **recorded) -> load.SavedLayer:
  """Exports a fresh layer without couplings, at the bottom or on `lower`, for a real task.

  `recorded` is what its record tells otherwise than `make_record`.
  """
  box = task.action_space
  spec = action_spec(box.low, box.high) if lower is None else latent_spec(box.shape[0])
  actor = make_actor(spec, observations.total_size(task.fields), num_couplings=0)
  module = module_lib.LayerModule(
    actor,
    task.fields,
    task.fields,
    lower=None if lower is None else lower.module,
    lower_fields=() if lower is None else lower.fields,
  )
  reads = tuple(field.name for field in task.fields)
  told = {'task': task.task_id, 'task_options': task.options, **recorded}
  record = make_record(path.name, reads, **told)
  manifest = manifest_lib.Manifest(
    fields=task.fields,
    action_low=tuple(box.low.tolist()),
    action_high=tuple(box.high.tolist()),
    layers=(*(() if lower is None else lower.records()), record),
  )
  export.export_layer(module, manifest, path)
  return load.load_layer(path)


def compiled_once(layer: load.SavedLayer) -> load.SavedLayer:
  """A copy of a layer whose policies of one size share what is compiled."""
  layer, make, compiled = copy.copy(layer), layer.policy, {}

  def policy(batch: int = 1):
    if batch not in compiled:
      compiled[batch] = make(batch)
    fresh = copy.copy(compiled[batch])
    fresh.held = np.zeros_like(fresh.held)
    return fresh

  layer.policy = policy
  return layer
