"""The job of a scheduler that a run belongs to."""

from __future__ import annotations

from enum import StrEnum

from lossmon.fast_dataclass import dataclass


class JobState(StrEnum):
    """What a job is doing."""

    PENDING = "pending"
    RUNNING = "running"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    """It reached its time limit."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Job:
    """One job, or one task of an array job.

    Attributes:
        scheduler: Name of what runs it: `Slurm`, `PBS`, `LSF`, `Kubernetes`.
        id: As the scheduler spells it, a task of an array behind an underscore: `12345_7`.
        name: What the user calls it, or empty.
        state: What it is doing.
        reason: Why it is in this state (`Resources`, `OUT_OF_MEMORY`), or empty.
        user: Whose it is, or empty.
        partition: Partition or queue, or empty.
        nodes: Node list as the scheduler writes it (`gpu[01-04]`), or empty.
        started: Seconds since the Unix epoch of the latest start, None before.
        limit: Seconds since the Unix epoch at which the time limit ends it, None where there is
            none or it has not started.
        restarts: Times that it was requeued.
    """

    scheduler: str
    id: str
    name: str = ""
    state: JobState = JobState.UNKNOWN
    reason: str = ""
    user: str = ""
    partition: str = ""
    nodes: str = ""
    started: float | None = None
    limit: float | None = None
    restarts: int = 0
