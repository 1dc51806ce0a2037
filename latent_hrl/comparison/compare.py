"""The whole comparison: check, run, report."""

import pathlib
import signal
from collections.abc import Sequence

from latent_hrl import errors
from latent_hrl import files
from latent_hrl import threads
from latent_hrl.comparison import child
from latent_hrl.comparison import plan
from latent_hrl.comparison import progress
from latent_hrl.comparison import report
from latent_hrl.comparison import results as results_lib
from latent_hrl.comparison import runner
from latent_hrl.comparison import tables


def compare(
  comparison: plan.Comparison, root_dir: pathlib.Path, jobs: int, cores: int, command: str
) -> None:
  """Runs what is not finished yet, and writes the report.

  Args:
    comparison: What to compare.
    root_dir: Directory of all runs and of the report.
    jobs: How many runs at a time.
    cores: Cores of each.
    command: How this was called, for the report.

  Raises:
    LatentHrlError: If something is missing in the report; it is written before. If no run
      can start and there is nothing to report, nothing is created.
  """
  runs = comparison.runs(root_dir)
  with child.interrupted_by(signal.SIGTERM, signal.SIGHUP):
    open_runs, failures = _sort(runs)
    wrong = _check(open_runs)
    failures += wrong
    open_runs = _without(open_runs, wrong)
    if len(failures) == len(runs):
      raise errors.ConfigError(f'no run can start; {failures[0].run}: {failures[0].reason}')
    _check_cores(min(jobs, len(open_runs)), cores)
    for failure in failures:
      print(f'{failure.run}: left out, {failure.reason}', flush=True)
    with files.told(root_dir):
      root_dir.mkdir(parents=True, exist_ok=True)
    # A launcher that was just killed may leave runs that are about to end.
    with files.lock(root_dir, patience=5.0) as lock:
      finished = len(runs) - len(open_runs) - len(failures)
      view = progress.View(open_runs, finished)
      failures += runner.run_all(open_runs, jobs, cores, lock, view)
      used = _without(runs, failures)
      results, unreadable = results_lib.collect(comparison, used)
      content = report.Content(
        results=results,
        runs=used,
        missing=[
          *(report.Missing(str(f.run), f.reason, _log(f.run, root_dir)) for f in failures),
          *(report.Missing('a file', reason) for reason in unreadable),
        ],
        command=command,
        commands=[run.command_line(cores) for run in runs],
      )
      shown = report.write(content, root_dir)
  print(tables.as_text(shown[:1]), flush=True)
  print(f'\nreport: {root_dir / "report.html"}, {root_dir / "report.md"}', flush=True)
  if content.missing:
    first = content.missing[0]
    raise errors.LatentHrlError(
      f'{len(content.missing)} of {len(runs) + len(comparison.references)} runs and files '
      f'are missing in the report, the first: {first.what}: {first.why}'
    )


def _check_cores(jobs: int, cores: int) -> None:
  """Refuses to start runs that would fail at once, their cores taken by others."""
  free = threads.free_cores()
  if jobs * cores > free:
    raise errors.ConfigError(
      f'--jobs={jobs} with --cores={cores} needs {jobs * cores} cores, but other runs have '
      f'claimed all but {free}; wait for them, or take fewer --jobs'
    )


def _sort(runs: Sequence[plan.Run]) -> tuple[list[plan.Run], list[runner.Failure]]:
  """Returns the runs to do, and those whose directories hold something else."""
  open_runs, failures = [], []
  for run in runs:
    try:
      if not run.finished():
        open_runs.append(run)
    except errors.ConfigError as error:
      failures.append(runner.Failure(run, str(error)))
  return open_runs, failures


def _check(runs: Sequence[plan.Run]) -> list[runner.Failure]:
  """Returns the runs that cannot start: what is wrong with one is so with every seed."""
  first: dict[tuple[str, str], plan.Run] = {}
  for run in runs:
    first.setdefault((run.system, run.task), run)
  if not first:
    return []
  print(f'checking {len(first)} pairs of system and task', flush=True)
  found = {(f.run.system, f.run.task): f.reason for f in runner.check(list(first.values()))}
  return [
    runner.Failure(run, found[run.system, run.task])
    for run in runs
    if (run.system, run.task) in found
  ]


def _without(
  runs: Sequence[plan.Run], failures: Sequence[runner.Failure]
) -> list[plan.Run]:
  failed = {id(failure.run) for failure in failures}
  return [run for run in runs if id(run) not in failed]


def _log(run: plan.Run, root_dir: pathlib.Path) -> str:
  return str(run.log.relative_to(root_dir)) if run.log.exists() else ''
