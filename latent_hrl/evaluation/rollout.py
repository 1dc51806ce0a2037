"""Plays episodes with a layer and measures them; the one protocol of all results.

Episodes run side by side in lock-step, so that the policy is called once for all of them.
Episode i starts from a seed that depends on the evaluation seed and on i alone, and draws
its latents from a generator of its own: the number of slots changes nothing but the time.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np

from latent_hrl import commanded_rewards  # noqa: F401, for saved layers to name them.
from latent_hrl import commands
from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import rewards
from latent_hrl import stack
from latent_hrl.environments import layer_reward
from latent_hrl.environments import making
from latent_hrl.environments import tasks
from latent_hrl.evaluation import episodes as episodes_lib
from latent_hrl.evaluation import progress
from latent_hrl.layers import load

# How the top latent is chosen: 0, which is the mode policy; drawn from the prior once an
# episode; drawn from the prior every step; a command drawn as in training, and 0 behind it.
LATENT_MODES = ('mode', 'hold', 'sample', 'command')

# Maps observations [E, O], latents [E, D], both float32, and the steps of the episodes [E],
# int32, to actions [E, D].
Decode = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def run_episodes(
  envs: Sequence[gymnasium.Env],
  decode: Decode,
  dimension: int,
  episodes: int,
  seed: int,
  latents: str | np.ndarray = 'mode',
  record: bool = False,
  max_steps: int | None = None,
  commander: commands.Commander | None = None,
) -> list[episodes_lib.Episode]:
  """Plays episodes.

  Args:
    envs: Environments of the same task, one a slot; the number of rows that `decode` sees.
    decode: The policy.
    dimension: D, the size of the latent.
    episodes: How many to play.
    seed: Seed of starts and latents.
    latents: One of `LATENT_MODES`; or the latent to hold in each episode, float32
      [episodes, D].
    record: Whether to keep actions and positions.
    max_steps: Steps after which an episode ends at the latest; None for the task's own
      limit. What has no end is told every minute on standard error.
    commander: What draws commands; None for a layer without. The environments' reward
      looks at the command, the first entries of the latent, however that is chosen.

  Returns:
    The episodes in order.

  Raises:
    ConfigError: If there is no such latent mode, or no command to draw.
  """
  chosen = None if isinstance(latents, str) else np.asarray(latents, np.float32)
  if chosen is not None and chosen.shape != (episodes, dimension):
    raise ValueError(
      f'latents of shape {chosen.shape} are not one of {dimension} entries for each of '
      f'{episodes} episodes'
    )
  mode = latents if isinstance(latents, str) else 'chosen'
  if chosen is None and mode not in LATENT_MODES:
    raise errors.ConfigError(
      f'there is no latent mode {latents!r}; there are {", ".join(LATENT_MODES)}'
    )
  if mode == 'command' and commander is None:
    raise errors.ConfigError(
      "latents 'command' are for a layer that was trained with a command"
    )
  results = [episodes_lib.Episode() for _ in range(episodes)]
  waiting = iter(range(episodes))
  playing: list[int | None] = [None] * len(envs)
  generators: list[np.random.Generator] = [np.random.default_rng(0)] * len(envs)
  size = envs[0].observation_space.shape[0]
  observation = np.zeros((len(envs), size), np.float32)
  latent = np.zeros((len(envs), dimension), np.float32)
  step = np.zeros(len(envs), np.int32)

  def choose_latent(slot: int) -> None:
    if mode == 'sample' or (mode == 'hold' and step[slot] == 0):
      latent[slot] = generators[slot].standard_normal(dimension)
    elif chosen is not None:
      latent[slot] = chosen[playing[slot]]
    if commander is None:
      return
    command = latent[slot, : commander.size]
    if mode == 'command':
      command[:] = commander.next(command, int(step[slot]), generators[slot])
    commander.tell(envs[slot], command.copy())

  def begin(slot: int) -> None:
    playing[slot] = index = next(waiting, None)
    step[slot] = 0
    if index is None:
      return
    sequence = np.random.SeedSequence([seed, index])
    generators[slot] = np.random.default_rng(sequence)
    results[index].start_seed = int(sequence.generate_state(1)[0])
    observation[slot], info = envs[slot].reset(seed=results[index].start_seed)
    choose_latent(slot)
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
      else:
        choose_latent(slot)
  return results


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


def default_latents(layer: load.SavedLayer) -> str:
  """Returns how the top latent is chosen unless told: commands where it takes any."""
  return 'mode' if layer.manifest.layers[-1].command is None else 'command'


def commander_of(layer: load.SavedLayer) -> commands.Commander | None:
  """Returns what draws the commands of a layer as in its training; None without any."""
  record = layer.manifest.layers[-1]
  if record.command is None:
    return None
  return commands.Commander(
    record.command_size, record.command['redraw_probability'], record.interval
  )


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
  latents: str | None = None,
  record: bool = False,
  task_options: dict[str, Any] | None = None,
  max_steps: int | None = None,
) -> list[episodes_lib.Episode]:
  """Evaluates a saved layer on a task.

  Args:
    layer: The layer.
    task_id: A gymnasium id, an environment of gymnasium or a function that makes one;
      None for the task the layer was trained on.
    episodes: How many to play.
    seed: Seed of starts and latents.
    latents: How the top latent is chosen, one of `LATENT_MODES`; None for
      `default_latents`.
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
  if latents == 'command' and commander_of(layer) is None:
    known = ', '.join(mode for mode in LATENT_MODES if mode != 'command')
    raise errors.ConfigError(
      f'layer {layer.manifest.name!r} takes no command; its latents are {known}'
    )
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
      envs,
      decode,
      layer.dimension,
      episodes,
      seed,
      latents or default_latents(layer),
      record,
      max_steps,
      commander_of(layer),
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


def evaluate_random(
  task_id: str, episodes: int = 10, seed: int = 0
) -> list[episodes_lib.Episode]:
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
