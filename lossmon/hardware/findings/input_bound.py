"""Rule: the GPU waits for data."""

from __future__ import annotations

from lossmon.hardware.findings.history import known, mean
from lossmon.hardware.findings.situation import Situation
from lossmon.types import Confidence, Finding, Severity

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
