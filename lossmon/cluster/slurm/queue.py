"""Slurm's queue as a watcher sees it: asked rarely, and remembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from lossmon.cluster.slurm.commands import Slurm, SlurmError
from lossmon.cluster.slurm.jobs import SlurmJob
from lossmon.types import JobState

INTERVAL = 60.0
"""Seconds between two questions: limits and nodes of jobs do not change more often."""

SHARE = 100.0
"""Questions may take a hundredth of the time, however slow the controller is."""

MOST_SINGLE = 4
"""Jobs of others or of the past that are asked for, one by one, per interval."""

LIVE = frozenset({JobState.PENDING, JobState.RUNNING, JobState.SUSPENDED})


class Queue:
    """Jobs of this user, and others that were asked for. One thread calls it.

    Args:
        slurm: Whom to ask.
        monotonic: Seconds that never go back.

    Attributes:
        error: Why the last question was not answered, or empty.
    """

    def __init__(
        self, slurm: Slurm | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._slurm = slurm or Slurm()
        self._monotonic = monotonic
        self._jobs: dict[str, SlurmJob] = {}
        self._asked: set[str] = set()
        self._due = -1.0
        self.error = ""

    def jobs(self, wanted: Iterable[str] = ()) -> dict[str, SlurmJob]:
        """The jobs that are known, by their ids; asks Slurm where that is due.

        Args:
            wanted: Ids that may be those of other users' jobs, or of jobs of the past.
        """
        begin = self._monotonic()
        if begin >= self._due:
            try:
                self._ask(wanted)
            except SlurmError as error:
                self.error = str(error)
            else:
                self.error = ""
            took = self._monotonic() - begin
            self._due = begin + max(INTERVAL, SHARE * took)
        return self._jobs

    def pause(self) -> float:
        """Seconds until the next question is due."""
        return max(0.0, self._due - self._monotonic())

    def _ask(self, wanted: Iterable[str]) -> None:
        mine = {job.job.id: job for job in self._slurm.mine()}
        left = [one for one, job in self._jobs.items() if one not in mine and job.job.state in LIVE]
        self._jobs = {**self._jobs, **mine}
        unknown = [one for one in wanted if one not in self._jobs and one not in self._asked]
        for number in [*left, *unknown][:MOST_SINGLE]:
            self._asked.add(number)
            self._jobs |= self._single(number)

    def _single(self, number: str) -> dict[str, SlurmJob]:
        """A job that is not in this user's queue; one that has left it without a trace ended."""
        try:
            return {job.job.id: job for job in self._slurm.job(number)}
        except SlurmError:
            known = self._jobs.get(number)
            if known is None:
                return {}
            ended = replace(known.job, state=JobState.UNKNOWN, reason="left the queue")
            return {number: replace(known, job=ended)}
