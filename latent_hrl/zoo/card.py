"""The page of a layer of the zoo."""

from typing import Any

from latent_hrl.zoo import entry as entry_lib
from latent_hrl.zoo import listing

CURVE = 'learning_curve.png'
LATENTS = 'latents.png'
# Facts that the page tells in words, or that depend on the machine.
_ELSEWHERE = ('name', 'for', 'path', 'card')


def page(entry: entry_lib.Entry, curve: bool) -> str:
  """Returns the model card as Markdown.

  Args:
    entry: The layer.
    curve: Whether there is a picture of its learning curve.
  """
  facts = listing.facts(entry)
  rows = '\n'.join(
    f'| {name} | {_cell(name, text)} |'
    for name, text in facts.items()
    if name not in _ELSEWHERE
  )
  pictures = f'![What its latents do]({LATENTS})\n'
  if curve:
    pictures += f'![Return over environment steps]({CURVE})\n'
  return f"""# zoo:{entry.name}

{entry.purpose}

{pictures}
| what | |
| --- | --- |
{rows}

Its return again; another machine rounds otherwise, and differs:

```
python -m launchers.eval --layer=zoo:{entry.name} --episodes={entry.evaluation['episodes']}
```

## What its latents do

{latents(entry)}

## Stand on it

In a gin file of your own, with a reward of yours:

```
{gin_file(entry)}```

```
python -m launchers.train --root_dir=runs/mine --gin_file=mine.gin
```

In Python, for any agent of gymnasium, which then acts with latents:

```python
{python(entry)}```

## Limits

{limits(entry)}
"""


def _cell(name: str, text: str) -> str:
  return f'`{text}`' if name in ('command', 'commit', 'sha256') else text


def latents(entry: entry_lib.Entry) -> str:
  """Returns what was measured of the latents, in sentences."""
  found: dict[str, Any] = entry.latents
  slopes = found['slopes']
  text = (
    f'A latent that moves by one standard deviation moves the action by {slopes[0]:.2f} '
    f'half-widths of its box in the widest direction, by {slopes[-1]:.2f} in the narrowest '
    '(slope at latent 0, mean over states of an episode).'
  )
  if 'distance' in found:
    near, middle, far = found['distance']
    text += (
      f' Episodes of 500 steps that each hold a latent end {near:g} to {far:g} m away (the '
      f'middle 80% of 60 episodes, median {middle:g} m), in {found["headings"]} of 8 '
      'headings.'
    )
  if 'commands' in found:
    told = found['commands']
    text += (
      f' Told to go at {told["asked"]:.2f} {told["unit"]} for 200 steps it goes at '
      f'{told["reached_mean"]:.2f} {told["unit"]} along the command in the mean of '
      f'{told["directions"]} directions, {told["reached_min"]:.2f} in the worst; what is '
      f'reached and what is asked for correlate at {told["correlation"]:.2f}, and '
      f'{told["ended_early"]:.0%} of {told["commands"]} episodes end early. The command is '
      'the first part of its latent: see the card of the layer itself, in its directory.'
    )
  return text


def gin_file(entry: entry_lib.Entry) -> str:
  """Returns a gin file that trains a layer on it."""
  options = f'make_task.options = {entry.task_options}\n' if entry.task_options else ''
  interval = f'upper/Layer.interval = {entry.interval}\n' if entry.interval > 1 else ''
  return (
    "include 'gin/defaults.gin'\n"
    f"train_stack.task = '{entry.task}'\n{options}"
    f"train_stack.layers = ['zoo:{entry.name}', @upper/Layer()]\n"
    f'upper/Layer.reward_fn = @task_reward\n{interval}'
  )


def python(entry: entry_lib.Entry) -> str:
  """Returns a program that makes its latents the actions of its task."""
  return f"""import latent_hrl

layer = latent_hrl.load_layer('zoo:{entry.name}')
task = latent_hrl.make_task(layer.manifest.task, options=layer.manifest.task_options)
env = latent_hrl.LatentActionWrapper(task, layer)
observation, _ = env.reset(seed=0)
observation, reward, *_ = env.step(env.action_space.sample())
"""


def limits(entry: entry_lib.Entry) -> str:
  """Returns what to know before one stands on it, as a list."""
  every = (
    'One seed a layer: an anecdote, not a mean.',
    f'A task above it needs the fields {", ".join(entry.reads)} in the same sizes, and the '
    'same action box.',
    'Its critic and its replay are not shipped: `upper/Layer.inherit` has to stay False.',
  )
  return '\n'.join(f'- {sentence}' for sentence in (*entry.limits, *every))
