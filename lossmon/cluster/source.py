"""Source of runs with the jobs that they belong to."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lossmon.cluster.environment import job_of
from lossmon.cluster.slurm.commands import Queue
from lossmon.cluster.slurm.jobs import SlurmJob, expected, outputs
from lossmon.monitor import RunSource
from lossmon.types import Job, JobState, MetricNames, RunSnapshot, RunState, Snapshot

Added = Callable[[Sequence[Path]], None]
"""Takes the output files of new jobs."""


class JobSource:
    """The runs of a source, each with its job as far as one is known.

    Slurm is asked by a thread, at most once a minute, and only while a live run looks like the
    output of a job or jobs were named.

    Args:
        source: Where the runs come from.
        queue: The queue of Slurm; None where there is no Slurm.
        environment: Variables of this process, which may run inside a job.
        named: Jobs that the user named.
        follow: Takes the outputs of further jobs of the user; None where those are not wanted.
    """

    def __init__(
        self,
        source: RunSource,
        queue: Queue | None,
        environment: Mapping[str, str],
        named: Sequence[SlurmJob] = (),
        follow: Added | None = None,
    ) -> None:
        self.changed = source.changed
        self.prioritise: Callable[[Collection[Path]], None] = source.prioritise
        self.set_metric_names: Callable[[MetricNames], None] = source.set_metric_names
        self.load_settings: Callable[[Collection[Path]], None] = source.load_settings
        self._source, self._queue, self._follow = source, queue, follow
        self._own = job_of(environment)
        self._jobs: Mapping[str, SlurmJob] = {job.job.id: job for job in named}
        self._always = {job.job.id for job in named}
        self._outputs = by_output((job, expected(job)) for job in named)
        self._wanted: frozenset[str] = frozenset(self._always)
        self._asks = bool(self._always)
        self._error = ""
        self._wake, self._ended = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._plain: Snapshot | None = None
        self._stamp: object = None
        self._shown = Snapshot()
        self._runs: dict[Path, tuple[RunSnapshot, Mapping[str, SlurmJob], RunSnapshot]] = {}
        """What was matched: the run, the jobs known then, and the run with its job."""

    # --------------------------------------------------------------------------- any thread

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        """Read what is new, and add the jobs."""
        return self._with_jobs(self._source.poll(budget, judge=judge))

    def drain(self) -> Snapshot:
        """Read everything, and add the jobs."""
        return self._with_jobs(self._source.drain())

    def begin(self) -> None:
        """Begin what may wait for the first frame; Slurm is asked from now on."""
        self._source.begin()
        if self._queue is not None and self._thread is None and not self._ended.is_set():
            self._thread = threading.Thread(
                target=self._ask, args=(self._queue,), name="Slurm", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End it; a question that is on its way is not waited for."""
        self._ended.set()
        self._wake.set()
        self._source.stop()

    def _with_jobs(self, snapshot: Snapshot) -> Snapshot:
        stamp = (self._jobs, self._error)
        if snapshot is self._plain and stamp == self._stamp:
            return self._shown
        self._plain, self._stamp = snapshot, stamp
        self._want(snapshot.runs)
        runs = tuple(map(self._with_job, snapshot.runs))
        notes = (*snapshot.notes, *((self._error,) if self._error else ()))
        same = all(one is other for one, other in zip(runs, snapshot.runs, strict=True))
        self._shown = (
            snapshot
            if same and notes == snapshot.notes
            else replace(snapshot, runs=runs, notes=notes)
        )
        return self._shown

    def _with_job(self, run: RunSnapshot) -> RunSnapshot:
        known, jobs = self._runs.get(run.path), self._jobs
        if known is not None and known[0] is run and known[1] is jobs:
            return known[2]
        job = matched(run, jobs, self._outputs, self._own)
        made = run if job is None else replace(run, job=job, name=renamed(run, job))
        if known is not None and known[0] is run and known[2].job == made.job:
            # The very same object while its job did not change.
            made = known[2]
        self._runs[run.path] = (run, jobs, made)
        return made

    def _want(self, runs: Sequence[RunSnapshot]) -> None:
        """Ask Slurm while there is a run that may be the output of a job."""
        self._wanted = frozenset(wanted(runs) | self._always)
        self._asks = bool(self._wanted) or any(map(may_belong, runs))
        if self._asks:
            self._wake.set()

    # --------------------------------------------------------------------------- its thread

    def _ask(self, queue: Queue) -> None:
        while not self._ended.is_set():
            if self._asks or self._follow is not None:
                self._update(queue)
                self._ended.wait(max(1.0, queue.pause()))
            else:
                self._wake.wait()
                self._wake.clear()

    def _update(self, queue: Queue) -> None:
        """Read the queue."""
        jobs = dict(queue.jobs(self._wanted))
        if jobs == self._jobs and queue.error == self._error:
            return
        fresh = [job for one, job in jobs.items() if one not in self._jobs]
        self._outputs |= by_output((job, outputs(job)) for job in jobs.values() if _writes(job))
        self._jobs, self._error = jobs, queue.error
        self.changed.set()
        if self._follow is not None and fresh:
            self._follow([path for job in fresh for path in expected(job)])


def _writes(job: SlurmJob) -> bool:
    return job.job.state in (JobState.RUNNING, JobState.SUSPENDED)


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
