"""Slurm's commands and its queue: run without a shell, asked rarely, bounded in time and output."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from lossmon.cluster.slurm.jobs import (
    ACCOUNT_FIELDS,
    QUEUE_FIELDS,
    SEPARATOR,
    SlurmJob,
    from_accounts,
    from_json,
    from_queue,
)
from lossmon.errors import LossmonError
from lossmon.types import JobState

TIMEOUT = 15.0
"""Seconds that a command may take: a busy controller answers within a few."""

LARGEST = 32 << 20
"""Bytes of an answer that are read."""

JSON_SINCE = (23, 2)
"""Version from which `--json` keeps to the jobs that are asked for; before it the whole queue of
the cluster would be sent."""

Runner = Callable[[Sequence[str]], str]


class SlurmError(LossmonError):
    """A command of Slurm failed; says which and why."""


def run(arguments: Sequence[str]) -> str:
    """Run a command and return what it prints.

    Raises:
        SlurmError: It is not installed, fails, or takes too long.
    """
    # The first frame of a machine with Slurm need not wait for this module.
    import subprocess

    name = arguments[0]
    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            env={**os.environ, "SLURM_TIME_FORMAT": "%s", "LC_ALL": "C.UTF-8"},
        )
    except FileNotFoundError:
        raise SlurmError(f"{name} is not installed here") from None
    except subprocess.TimeoutExpired:
        raise SlurmError(f"{name} did not answer within {TIMEOUT:.0f} s") from None
    except OSError as error:
        raise SlurmError(f"{name}: {error.strerror or error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise SlurmError(said[-1][:200] if said else f"{name} failed ({done.returncode})")
    return done.stdout[:LARGEST].decode(errors="replace")


def is_installed() -> bool:
    """Whether this machine has Slurm's commands."""
    return shutil.which("squeue") is not None


class Slurm:
    """Asks Slurm about jobs, each question at most once in a while.

    Args:
        run: Runs a command and returns what it prints, or raises `SlurmError`.
    """

    def __init__(self, run: Runner = run) -> None:
        self._run = run
        self._version: tuple[int, int] | None = None

    def mine(self) -> list[SlurmJob]:
        """The jobs of this user that wait, run or ended within the last minutes.

        Raises:
            SlurmError: Slurm does not answer.
        """
        return self._queue("--me")

    def named(self, name: str) -> list[SlurmJob]:
        """The jobs of this user of one name.

        Raises:
            SlurmError: Slurm does not answer.
        """
        return [job for job in self.mine() if job.job.name == name]

    def job(self, number: str) -> list[SlurmJob]:
        """One job, or the tasks of an array; of one that ended long ago what was accounted.

        Raises:
            SlurmError: Slurm does not answer, or does not know the job.
        """
        try:
            found = self._queue(f"--jobs={number}")
        except SlurmError as error:
            if "Invalid job id" not in str(error):
                raise
            found = []
        return found or self.accounted(number)

    def accounted(self, number: str) -> list[SlurmJob]:
        """What is known of a job that has left the queue.

        Raises:
            SlurmError: Nothing is, or accounting is not set up.
        """
        which = ("sacct", "--allocations", f"--jobs={number}")
        try:
            if self._has_json():
                found = _parsed(self._run((*which, "--json")))
            else:
                fields = ",".join(ACCOUNT_FIELDS)
                shape = ("--noheader", "--parsable2", f"--delimiter={SEPARATOR}")
                found = from_accounts(self._run((*which, *shape, f"--format={fields}")))
        except SlurmError as error:
            raise SlurmError(f"job {number} is not in the queue, and {error}") from None
        if not found:
            raise SlurmError(f"Slurm knows no job {number}")
        return found

    def _queue(self, which: str) -> list[SlurmJob]:
        question = ("squeue", which, "--states=all")
        if self._has_json():
            return _parsed(self._run((*question, "--json")))
        fields = ",".join(f"{name}:{SEPARATOR}" for name in QUEUE_FIELDS)
        return from_queue(self._run((*question, "--noheader", f"--Format={fields}")))

    def _has_json(self) -> bool:
        if self._version is None:
            found = re.search(r"(\d+)\.(\d+)", self._run(("squeue", "--version")))
            self._version = (int(found[1]), int(found[2])) if found else (0, 0)
        return self._version >= JSON_SINCE


def _parsed(text: str) -> list[SlurmJob]:
    try:
        return from_json(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise SlurmError(f"Slurm's answer is not JSON: {error}") from None


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
