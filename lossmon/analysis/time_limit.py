"""The end of a run against the time limit of its job."""

from __future__ import annotations

from lossmon.fast_dataclass import dataclass
from lossmon.types import JobState, RunSnapshot, RunState

LIVE = frozenset({JobState.RUNNING, JobState.SUSPENDED, JobState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """How a job's time limit compares with the run.

    Attributes:
        left: Seconds to the limit.
        overrun: Seconds from the limit to the expected end of the run, negative where it ends
            before; None where its end is not known.
    """

    left: float
    overrun: float | None


def time_limit(run: RunSnapshot, now: float) -> TimeLimit | None:
    """Compare the limit with the expected end; None where no limit is ahead or the run ended.

    Args:
        run: The run.
        now: Seconds since the Unix epoch.
    """
    job = run.job
    if job is None or job.limit is None or job.state not in LIVE or job.limit <= now:
        return None
    if run.state in (RunState.FINISHED, RunState.FAILED):
        return None
    if run.remaining is None:
        return TimeLimit(job.limit - now, None)
    # What remains was estimated when the newest point came.
    end = max(now, (run.last_time or now) + run.remaining)
    return TimeLimit(job.limit - now, end - job.limit)
