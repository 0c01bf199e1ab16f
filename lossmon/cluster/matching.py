"""Matching of runs to jobs: by the files that a job writes, by its nodes, by its name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from lossmon.cluster.slurm.jobs import SlurmJob
from lossmon.types import Job, RunSnapshot, RunState

LIVE = frozenset({RunState.WAITING, RunState.RUNNING, RunState.STALLED})
"""States of runs whose jobs are asked for: a directory may hold the logs of years."""

_SLURM = re.compile(r"slurm-(\d+)(?:_(\d+))?\.(?:out|err|log)(?:\.\d+)?")
"""Slurm's default name of an output."""

_NUMBERED = re.compile(r"(?:^|[-_.])j?(\d{1,10})(?:_(\d{1,7}))?(?:\.(?:out|err|log|txt))+$")
"""A file named after a number, which is that of a job only if the queue has one."""


def slurm_id(run: RunSnapshot) -> str:
    """Id of the Slurm job whose default output a run is, or empty."""
    for name in (run.path.name, run.log_name):
        if found := _SLURM.fullmatch(name):
            return _id(found)
    return ""


def matched(
    run: RunSnapshot, jobs: Mapping[str, SlurmJob], outputs: Mapping[str, str], own: Job | None
) -> Job | None:
    """The job of a run, None where none is known.

    Args:
        run: The run.
        jobs: Slurm's jobs by their ids.
        outputs: Ids of jobs by the files that they write.
        own: The job that this process runs in, if any.
    """
    # Links are resolved only where there is an output: each part of a path asks the file system.
    for path in (run.path, run.path / run.log_name) if outputs else ():
        if (known := jobs.get(outputs.get(os.path.realpath(path), ""))) is not None:
            return known.job
    recorded = next((node.job for node in run.nodes if node.job is not None), None)
    if recorded is not None:
        # The queue knows the limit, and what has become of it.
        known = jobs.get(recorded.id) if recorded.scheduler == "Slurm" else None
        return recorded if known is None else known.job
    if identity := slurm_id(run):
        known = jobs.get(identity)
        return Job("Slurm", identity) if known is None else known.job
    for identity in _numbers(run):
        if identity in jobs:
            return jobs[identity].job
    return own if own is not None and run.state in LIVE else None


def wanted(runs: Iterable[RunSnapshot]) -> set[str]:
    """Ids of the Slurm jobs of live runs."""
    found: set[str] = set()
    for run in runs:
        if run.state in LIVE:
            found.update(
                node.job.id
                for node in run.nodes
                if node.job is not None and node.job.scheduler == "Slurm"
            )
            found.add(slurm_id(run))
    return found - {""}


def may_belong(run: RunSnapshot) -> bool:
    """Whether the name of a live run may be that of the output of a job."""
    return run.state in LIVE and bool(slurm_id(run) or _numbers(run))


def renamed(run: RunSnapshot, job: Job) -> str:
    """Name of a run: that of its job where the path says only the number of the job."""
    if job.name and _SLURM.fullmatch(run.path.name):
        return f"{job.name} {job.id}"
    return run.name


def _numbers(run: RunSnapshot) -> list[str]:
    names = (run.path.name, run.log_name)
    return [_id(found) for name in names if (found := _NUMBERED.search(name))]


def _id(found: re.Match[str]) -> str:
    return f"{found[1]}_{found[2]}" if found[2] else found[1]


def by_output(jobs: Iterable[tuple[SlurmJob, list[Path]]]) -> dict[str, str]:
    """Ids of jobs by the files that they write."""
    return {os.path.realpath(path): job.job.id for job, paths in jobs for path in paths}
