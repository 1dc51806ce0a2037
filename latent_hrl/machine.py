"""Describes the machine and the packages, for whoever reads a figure."""

import os
import pathlib
import platform

import latent_hrl
from latent_hrl.layers import manifest as manifest_lib


def describe() -> dict[str, str]:
  """Returns processor, cores, memory, system, and the versions of what matters."""
  model = platform.processor() or platform.machine()
  flags: set[str] = set()
  cpuinfo = pathlib.Path('/proc/cpuinfo')
  if cpuinfo.exists():
    for line in cpuinfo.read_text(encoding='utf-8').splitlines():
      name, _, value = line.partition(':')
      if name.strip() == 'model name':
        model = value.strip()
      if name.strip() == 'flags':
        flags = set(value.split())
  vector = next((name for name in ('avx512f', 'avx2', 'avx') if name in flags), 'unknown')
  if hasattr(os, 'sysconf'):
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
  else:
    memory = float('nan')
  return {
    'processor': f'{model} ({vector})',
    'cores': str(os.cpu_count()),
    'memory': f'{memory:.0f} GiB',
    'system': platform.system(),
    'latent_hrl': latent_hrl.__version__,
    **manifest_lib.package_versions(),
  }
