"""Whether the layers of a stack fit their tasks and each other."""

from collections.abc import Sequence

from latent_hrl import errors
from latent_hrl import observations
from latent_hrl import stack
from latent_hrl.environments import tasks
from latent_hrl.layers import manifest as manifest_lib
from latent_hrl.plan import layer as layer_lib


def check_stack(
  layers: Sequence[layer_lib.Layer | manifest_lib.Manifest],
  layer_tasks: Sequence[tasks.Task],
) -> None:
  """Checks a stack, bottom first, before anything trains.

  A trained layer embeds all layers below it, so it can only be the bottom entry.

  Args:
    layers: The stack.
    layer_tasks: The task of each layer to train; the stack's for a trained one.

  Raises:
    ConfigError: If the list is empty, holds a name twice, or an interval does not fit.
    StackError: If the layers do not fit their tasks or each other.
  """
  if not layers:
    raise errors.ConfigError('train_stack.layers is empty; list the layers, bottom first')
  names = [layer.name for layer in layers]
  for name in names:
    if names.count(name) > 1:
      raise errors.ConfigError(f'two layers of the stack are called {name!r}')
  below: list[stack.Interface] = []
  interval = 1
  for position, (layer, task) in enumerate(zip(layers, layer_tasks, strict=True)):
    if isinstance(layer, layer_lib.Layer):
      for interface in below:
        interface.check(task)
      try:
        fields = observations.select(task.fields, layer.observation_fields)
      except errors.StackError as error:
        raise errors.StackError(f'{layer.name}/Layer.observation_fields: {error}') from None
      box = (task.action_space.low, task.action_space.high)
      if layer.critic == 'action':
        _check_sees(layer.name, fields, below)
      below.append(stack.Interface(layer.name, task.task_id, fields, *box))
      if not position and layer.interval > 1:
        raise errors.ConfigError(
          f'{layer.name}/Layer.interval is {layer.interval}, but a bottom layer acts every '
          'step'
        )
      if layer.interval % interval:
        raise errors.ConfigError(
          f'{layer.name}/Layer.interval is {layer.interval}, no multiple of the {interval} '
          'steps of the layer below'
        )
      interval = layer.interval
    elif position:
      raise errors.StackError(
        f'the trained layer {layer.name!r} stands above {names[position - 1]!r}; a trained '
        'layer brings its lower layers along and can only be the first of the list'
      )
    else:
      below.append(stack.interface(layer))
      if len(layers) == 1:
        stack.check_fits(layer, task)  # Layers on top of it have tasks of their own to fit.
      interval = layer.layers[-1].interval


def _check_sees(
  name: str, fields: observations.Fields, below: Sequence[stack.Interface]
) -> None:
  """Checks that a layer reads all that the layers below do."""
  for interface in below:
    try:
      observations.indices(fields, interface.fields)
    except errors.StackError as error:
      raise errors.StackError(
        f"layer {name!r} with critic = 'action' must read what layer {interface.name!r} "
        f'below it reads: {error}'
      ) from None
