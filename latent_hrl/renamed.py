"""Names in gin files that have changed: the old ones are still read, with a note.

The configurations of old runs and of users bind them. They are exchanged in the text, line
by line, before gin reads it, so everything behind knows the present names alone.
"""

import re

_LOOP = ('eval_interval', 'eval_episodes', 'checkpoint_interval')
_OFF_POLICY = (
  'batch_size',
  'replay_capacity',
  'initial_steps',
  'hold_latent_steps',
  'noise_damping',
  'steps_per_call',
  'updates_per_decision',
)
_REAL_NVP = ('num_couplings', 'conditioner_units', 'log_scale_bound', 'shift_scale')
# Old to new.
NAMES = {
  **{f'Trainer.{name}': f'TrainingLoop.{name}' for name in _LOOP},
  **{f'Trainer.{name}': f'OffPolicy.{name}' for name in _OFF_POLICY},
  **{f'LatentPolicyNetwork.{name}': f'real_nvp.{name}' for name in _REAL_NVP},
}
# A scope such as `base/`, a module before the name, the name, and what is bound to it.
_BINDING = re.compile(r'^(\s*(?:[\w-]+/)*)(?:[\w.]+\.)?(\w+\.\w+)(\s*=)(.*)', re.DOTALL)
_NONE_AT_ALL = re.compile(r'\s*0\s*(#.*)?', re.DOTALL)


def current(line: str) -> tuple[str, str]:
  """Returns a line of a gin file in present names, and a note if it had old ones.

  Args:
    line: The line, its end included.
  """
  found = _BINDING.match(line)
  if not found or found[2] not in NAMES:
    return line, ''
  scope, old, equals, value = found.groups()
  if old == 'LatentPolicyNetwork.num_couplings' and _NONE_AT_ALL.fullmatch(value):
    end = '\n' if value.endswith('\n') else ''
    new, value = 'LatentPolicyNetwork.flow', f' @gaussian(){end}'
  else:
    new = NAMES[old]
  shown = f'{new} = @gaussian()' if new.endswith('.flow') else new
  return f'{scope}{new}{equals}{value}', f'{old} is called {shown} now'
