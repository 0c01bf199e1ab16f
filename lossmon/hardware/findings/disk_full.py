"""Rule: the next checkpoint does not fit on the disk."""

from __future__ import annotations

from lossmon.hardware.findings.situation import Situation
from lossmon.types import Confidence, Finding, Severity


def disk_full(situation: Situation) -> Finding | None:
    """The free space is less than the size of a checkpoint, and another one is to come."""
    run, size = situation.run, situation.checkpoint_size
    steps = [step for step, _ in run.checkpoints]
    if not size or len(steps) < 2 or not situation.is_unfinished or run.step is None:
        return None
    next_step = max(steps[-1] + max(1, steps[-1] - steps[-2]), run.step + 1)
    if run.total_steps is not None and next_step > run.total_steps:
        return None
    free = [
        host.reading.disk_free for host in situation.hosts if host.reading.disk_free is not None
    ]
    if not free or min(free) >= size:
        return None
    facts = {
        "free_gib": min(free) / (1 << 30),
        "size_gib": size / (1 << 30),
        "next_step": next_step,
    }
    return Finding("disk_full", Severity.CRITICAL, run.step, Confidence.HIGH, facts)
