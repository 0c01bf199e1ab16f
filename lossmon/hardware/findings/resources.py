"""Rules about resources that run out: GPU memory, disk space, processors that load data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from lossmon.fast_dataclass import dataclass
from lossmon.hardware.findings.situation import GpuHistory, Situation, known, mean
from lossmon.types import Confidence, Finding, Severity

MINUTES = 30
"""Minutes of growth that are needed: an allocator grows while a run warms up."""

RISES = 8
"""Minutes in which the memory rose."""

FALLS = 0.05
"""Share of the minutes in which it may fall."""

GROWN = 0.02
"""Share of the memory by which it has grown."""

STEADY = 0.7
"""Growth of the second half, as a share of that of the first: an allocator's growth fades."""

FULL = 0.98
"""Share of the memory at which an allocation fails."""

HORIZON = 24 * 3600.0
"""Seconds ahead that are judged where the end of the run is not known."""

SOON = 1800.0
"""Seconds below which it is critical."""


@dataclass(frozen=True, slots=True)
class _Growth:
    gpu: GpuHistory
    used: int
    total: int
    per_second: float

    @property
    def left(self) -> float:
        """Seconds until the memory is full."""
        return max(0.0, FULL * self.total - self.used) / self.per_second


def memory_growth(situation: Situation) -> Finding | None:
    """The memory of a GPU has grown steadily and will be full before the run ends."""
    if situation.run.step is None or not situation.advances(600.0):
        return None
    found = [growth for gpu in situation.gpus if (growth := _growth(gpu)) is not None]
    if not found:
        return None
    first = min(found, key=lambda growth: growth.left)
    end = situation.run.remaining
    if first.left > min(HORIZON, HORIZON if end is None else end):
        return None
    rate = situation.run.steps_per_second
    facts: dict[str, float | int | str] = {
        "gpu": first.gpu.label,
        "used_gib": first.used / (1 << 30),
        "total_gib": first.total / (1 << 30),
        "per_hour_gib": first.per_second * 3600 / (1 << 30),
        "minutes": round(first.left / 60),
    }
    if rate:
        facts["full_step"] = situation.step + round(rate * first.left)
    severity = Severity.CRITICAL if first.left < SOON else Severity.WARNING
    return Finding(
        *("memory_growth", severity, situation.step, Confidence.MEDIUM, facts),
        variant="" if rate else "no_rate",
    )


def _growth(gpu: GpuHistory) -> _Growth | None:
    """How the memory of a GPU grows, None where that is not steady."""
    # The last minute is not over.
    points, total = list(gpu.memory)[-4 * MINUTES : -1], gpu.reading.memory_total
    if not total or len(points) < MINUTES or points[-1][0] - points[0][0] < MINUTES * 60:
        return None
    used = [one for _, one in points]
    steps = [b - a for a, b in pairwise(used)]
    rises, falls = sum(one > 0 for one in steps), sum(one < 0 for one in steps)
    if rises < RISES or falls > FALLS * len(steps) or used[-1] - used[0] < GROWN * total:
        return None
    half = len(points) // 2
    early, late = _slope(points[:half]), _slope(points[half:])
    if early <= 0 or late < STEADY * early:
        return None
    return _Growth(gpu, used[-1], total, late)


def _slope(points: Sequence[tuple[float, int]]) -> float:
    """Least-squares slope in bytes per second."""
    middle = sum(time for time, _ in points) / len(points)
    spread = sum((time - middle) ** 2 for time, _ in points)
    return sum((time - middle) * used for time, used in points) / spread if spread else 0.0


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


WINDOW = 600.0
"""Seconds that are judged: longer than most evals and checkpoints."""

ADVANCES = 10
"""Steps that must be logged meanwhile: the run itself goes on."""

MOST = 60.0
"""Mean utilization above which the GPU is not held back much."""

LOW, HIGH, SHARE = 20.0, 80.0, 0.25
"""Utilizations below `LOW` and above `HIGH`, each in this share of the samples, are a saw-tooth."""

SATURATED = 90.0
"""Mean use of the processors that leaves none for more data loading."""


def input_bound(situation: Situation) -> Finding | None:
    """Every GPU works and idles in turns, and the processors of a host are saturated."""
    if situation.advances(WINDOW) < ADVANCES:
        return None
    used = [known(samples, lambda one: one.utilization) for _, samples in situation.windows(WINDOW)]
    if not used or not all(map(_is_saw_tooth, used)):
        return None
    busiest = max(
        (cpu for host in situation.hosts if (cpu := host.cpu(situation.now, WINDOW)) is not None),
        default=0.0,
    )
    if busiest < SATURATED:
        return None
    facts = {
        "utilization_percent": sum(map(sum, used)) / sum(map(len, used)),
        "cpu_percent": busiest,
        "minutes": round(WINDOW / 60),
    }
    return Finding("input_bound", Severity.NOTICE, situation.step, Confidence.MEDIUM, facts)


def _is_saw_tooth(used: list[float]) -> bool:
    middle = mean(used)
    return (
        middle is not None
        and middle <= MOST
        and sum(one <= LOW for one in used) >= SHARE * len(used)
        and sum(one >= HIGH for one in used) >= SHARE * len(used)
    )
