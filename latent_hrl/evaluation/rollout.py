"""Plays episodes with a layer and measures them; the one protocol of all results.

Episodes run side by side in lock-step, so that the policy is called once for all of them.
Episode i starts from a seed that depends on the evaluation seed and on i alone, and draws
its latents from a generator of its own: the number of slots changes nothing but the time.
"""

import collections
import dataclasses
import sys
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import rewards
from latent_hrl import stack
from latent_hrl.environments import layer_reward
from latent_hrl.environments import making
from latent_hrl.environments import tasks
from latent_hrl.evaluation import progress
from latent_hrl.layers import load

# How the top latent is chosen: 0, which is the mode policy; drawn from the prior once an
# episode; drawn from the prior every step.
LATENT_MODES = ('mode', 'hold', 'sample')

# Maps observations [E, O], latents [E, D], both float32, and the steps of the episodes [E],
# int32, to actions [E, D].
Decode = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

_NUMBER = (int, float, np.bool_, np.number)


@dataclasses.dataclass
class Episode:
  """One episode.

  Attributes:
    task_return: Undiscounted sum of the task's own reward.
    layer_return: Undiscounted sum of the layer's reward; None if that is not known here.
    terms: Undiscounted sum of each term of the layer's reward and, after `task/`, of the
      task's, where it has several.
    length: Environment steps.
    latent: The first top latent, [D].
    success: The task's last `info['success']`, or `is_success`; None if it has no goals.
    goal: The task's last `info['goal']`, the index of the goal reached (-1 for none); None
      if it has none.
    start_seed: Seed of the task's reset.
    actions: Actions [length, D], if recorded.
    positions: x and y in m, [length + 1, 2], if recorded and the task tells them.
  """

  task_return: float = 0.0
  layer_return: float | None = 0.0
  terms: collections.Counter = dataclasses.field(default_factory=collections.Counter)
  length: int = 0
  latent: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
  success: bool | None = None
  goal: int | None = None
  start_seed: int = 0
  actions: list[np.ndarray] = dataclasses.field(default_factory=list)
  positions: list[np.ndarray] = dataclasses.field(default_factory=list)

  def add_step(self, reward: float, info: dict[str, Any]) -> None:
    """Counts a step with its layer reward."""
    if self.layer_return is not None:
      self.layer_return += reward
    self.task_return += info.get('task_reward', reward)
    self.terms.update(_terms(info, reward))
    self.length += 1

  def end(self, info: dict[str, Any]) -> None:
    """Takes what the last step tells of the whole episode."""
    goal = info.get('goal')
    # Tasks of others may call something else so, such as the goal's coordinates.
    told = [info.get(name) for name in ('success', 'is_success')]
    numbers = [value for value in told if isinstance(value, _NUMBER)]
    self.success = bool(numbers[0]) if numbers else None
    self.goal = int(goal) if isinstance(goal, int | np.integer) else None

  def measures(self) -> dict[str, Any]:
    """Returns what `summarize` needs, as JSON types; arguments of another `Episode`."""
    names = ('task_return', 'layer_return', 'length', 'success', 'goal')
    return {**{name: getattr(self, name) for name in names}, 'terms': dict(self.terms)}

  def record(self, env: gymnasium.Env, observation: np.ndarray, info: dict) -> None:
    """Keeps where the episode is."""
    position = env.get_wrapper_attr('position')(observation, info)
    if position is not None:
      self.positions.append(position)


def run_episodes(
  envs: Sequence[gymnasium.Env],
  decode: Decode,
  dimension: int,
  episodes: int,
  seed: int,
  latents: str = 'mode',
  record: bool = False,
  max_steps: int | None = None,
) -> list[Episode]:
  """Plays episodes.

  Args:
    envs: Environments of the same task, one a slot; the number of rows that `decode` sees.
    decode: The policy.
    dimension: D, the size of the latent.
    episodes: How many to play.
    seed: Seed of starts and latents.
    latents: One of `LATENT_MODES`.
    record: Whether to keep actions and positions.
    max_steps: Steps after which an episode ends at the latest; None for the task's own
      limit. What has no end is told every minute on standard error.

  Returns:
    The episodes in order.
  """
  if latents not in LATENT_MODES:
    raise errors.ConfigError(
      f'there is no latent mode {latents!r}; there are {", ".join(LATENT_MODES)}'
    )
  results = [Episode() for _ in range(episodes)]
  waiting = iter(range(episodes))
  playing: list[int | None] = [None] * len(envs)
  generators: list[np.random.Generator] = [np.random.default_rng(0)] * len(envs)
  size = envs[0].observation_space.shape[0]
  observation = np.zeros((len(envs), size), np.float32)
  latent = np.zeros((len(envs), dimension), np.float32)
  step = np.zeros(len(envs), np.int32)

  def begin(slot: int) -> None:
    playing[slot] = index = next(waiting, None)
    step[slot] = 0
    if index is None:
      return
    sequence = np.random.SeedSequence([seed, index])
    generators[slot] = np.random.default_rng(sequence)
    results[index].start_seed = int(sequence.generate_state(1)[0])
    observation[slot], info = envs[slot].reset(seed=results[index].start_seed)
    if latents != 'mode':
      latent[slot] = generators[slot].standard_normal(dimension)
    results[index].latent = latent[slot].copy()
    if record:
      results[index].record(envs[slot], observation[slot], info)

  for slot in range(len(envs)):
    begin(slot)
  reminder = progress.Reminder()
  while any(index is not None for index in playing):
    if reminder.due():
      still = [results[index].length for index in playing if index is not None]
      begun = max(index for index in playing if index is not None) + 1
      print(
        f'still playing: {begun - len(still)} of {episodes} '
        f'episodes done, the longest of the others has {max(still):,} steps so far',
        file=sys.stderr,
        flush=True,
      )
    actions = decode(observation, latent, step)
    for slot, index in enumerate(playing):
      if index is None:
        continue
      episode = results[index]
      observation[slot], reward, terminated, truncated, info = envs[slot].step(
        actions[slot]
      )
      episode.add_step(reward, info)
      step[slot] += 1
      if record:
        episode.actions.append(actions[slot].copy())
        episode.record(envs[slot], observation[slot], info)
      if terminated or truncated or episode.length == max_steps:
        episode.end(info)
        begin(slot)
      elif latents == 'sample':
        latent[slot] = generators[slot].standard_normal(dimension)
  return results


def _terms(info: dict[str, Any], reward: float) -> dict[str, float]:
  """Returns the terms of a step's rewards; nothing for a reward that has but one."""
  layer = info.get('layer_terms', {})
  task = rewards.task_terms(info, info.get('task_reward', reward))
  terms = dict(layer) if len(layer) > 1 else {}
  if len(task) > 1:
    terms |= {f'task/{name}': value for name, value in task.items()}
  return terms


def summarize(episodes: Sequence[Episode]) -> dict[str, Any]:
  """Returns the measures of some episodes as JSON types.

  `return_mean` and `return_std` are of the task's own reward, `layer_return_*` of the
  layer's, None where that is not known; `terms` has the mean of each term of rewards with
  several. `success_rate` and `goal_rates` (goal index to share of episodes) are there where
  the task has goals.
  """
  returns = [episode.task_return for episode in episodes]
  known = [e.layer_return for e in episodes if e.layer_return is not None]
  layer_returns = known if len(known) == len(episodes) else None
  summary: dict[str, Any] = {
    'return_mean': float(np.mean(returns)),
    'return_std': float(np.std(returns)),
    'layer_return_mean': None if layer_returns is None else float(np.mean(layer_returns)),
    'layer_return_std': None if layer_returns is None else float(np.std(layer_returns)),
    'length_mean': float(np.mean([episode.length for episode in episodes])),
    'episodes': len(episodes),
  }
  names = dict.fromkeys(name for episode in episodes for name in episode.terms)
  if names:
    summary['terms'] = {
      name: float(np.mean([episode.terms[name] for episode in episodes])) for name in names
    }
  successes = [e.success for e in episodes if e.success is not None]
  if len(successes) == len(episodes):
    summary['success_rate'] = float(np.mean(successes))
  goals = [episode.goal for episode in episodes if episode.goal is not None]
  if len(goals) == len(episodes):
    summary['goal_rates'] = {
      str(goal): goals.count(goal) / len(goals) for goal in sorted(set(goals)) if goal >= 0
    }
  return summary


def make_slots(
  task_id: str, options: dict[str, Any], reward: rewards.BoundReward, slots: int
) -> list[layer_reward.LayerReward]:
  """Makes environments of one task with a layer's reward, for `run_episodes`."""
  return [
    layer_reward.LayerReward(tasks.make_task(task_id, options=options), reward)
    for _ in range(slots)
  ]


def layer_decoder(
  layer: load.SavedLayer, fields: observations.Fields, slots: int
) -> Decode:
  """Returns a saved layer as a policy on observations of a task with these fields."""
  where = observations.indices(fields, layer.fields)
  policy = layer.policy(slots)
  return lambda observation, latent, step: policy(observation[:, where], latent, step)[1]


def recorded_reward(layer: load.SavedLayer) -> rewards.BoundReward | None:
  """Returns the reward that a saved layer was trained on, as its manifest records it.

  None if it is of a module that was not imported.
  """
  record = layer.manifest.layers[-1]
  reward = rewards.REWARDS.get(record.reward)
  if reward is None or not reward.is_known(record.reward_arguments):
    return None
  return rewards.BoundReward(reward, dict(record.reward_arguments))


def task_and_options(
  layer: load.SavedLayer, task_id: str | None, task_options: dict[str, Any] | None
) -> tuple[str, dict[str, Any]]:
  """Returns the task to evaluate on: the layer's own, unless told otherwise."""
  top = layer.manifest.layers[-1]
  recorded = top.task_options if task_id in (None, top.task) else {}
  return task_id or top.task, {**recorded, **(task_options or {})}


def evaluate(
  layer: load.SavedLayer,
  task_id: making.Source | None = None,
  episodes: int = 10,
  seed: int = 0,
  latents: str = 'mode',
  record: bool = False,
  task_options: dict[str, Any] | None = None,
  max_steps: int | None = None,
) -> list[Episode]:
  """Evaluates a saved layer on a task.

  Args:
    layer: The layer.
    task_id: A gymnasium id, an environment of gymnasium or a function that makes one;
      None for the task the layer was trained on.
    episodes: How many to play.
    seed: Seed of starts and latents.
    latents: How the top latent is chosen, one of `LATENT_MODES`.
    record: Whether to keep actions and positions.
    task_options: Keyword arguments of the task, on top of those the layer was trained with
      on the same task.
    max_steps: See `run_episodes`.

  Raises:
    TaskError: If there is no such task.
    StackError: If the layer does not fit it.
  """
  asked = None if task_id is None else making.registered(task_id)
  known_id, options = task_and_options(layer, asked, task_options)
  slots = max(1, min(episodes, 10))
  bare = [tasks.make_task(known_id, options=options) for _ in range(slots)]
  try:
    stack.check_fits(layer.manifest, bare[0])
    # Only now: making the task may have imported the module of the reward.
    reward = _reward_on(layer, bare[0])
    envs = (
      bare if reward is None else [layer_reward.LayerReward(one, reward) for one in bare]
    )
    decode = layer_decoder(layer, bare[0].fields, slots)
    played = run_episodes(
      envs, decode, layer.dimension, episodes, seed, latents, record, max_steps
    )
  finally:
    for env in bare:
      env.close()
  if reward is None:
    for episode in played:
      episode.layer_return = None
  return played


def _reward_on(layer: load.SavedLayer, task: tasks.Task) -> rewards.BoundReward | None:
  """Returns the reward of a layer; None, with a note, where it cannot be told."""
  reward = recorded_reward(layer)
  record = layer.manifest.layers[-1]
  if reward is None:
    reason = f'reward {record.reward!r} is of a module that is not imported'
  else:
    try:
      if task.task_id != record.task:
        layer_reward.probe(task, reward)
      return reward
    except errors.TaskError as error:
      if not isinstance(error.__cause__, rewards.MissingQuantityError):
        raise
      reason = str(error)
  print(f'note: {reason}; the layer return is not known', flush=True)
  return None


def evaluate_random(task_id: str, episodes: int = 10, seed: int = 0) -> list[Episode]:
  """Plays episodes with uniformly random actions, as a floor for comparisons.

  Args:
    task_id: A gymnasium id.
    episodes: How many to play.
    seed: Seed of starts and actions.
  """
  reward = rewards.bind(rewards.task_reward)
  envs = make_slots(task_id, {}, reward, slots=max(1, min(episodes, 10)))
  box = envs[0].action_space
  generator = np.random.default_rng(seed)

  def act(observation: np.ndarray, latent: np.ndarray, step: np.ndarray) -> np.ndarray:
    return generator.uniform(box.low, box.high, latent.shape).astype(np.float32)

  try:
    return run_episodes(envs, act, box.shape[0], episodes, seed)
  finally:
    for env in envs:
      env.close()
