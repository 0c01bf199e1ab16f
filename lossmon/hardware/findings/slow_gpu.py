"""Rule: one GPU is slower than its peers, and every synchronous step waits for it."""

from __future__ import annotations

from collections import defaultdict

from lossmon.hardware.findings.history import GpuHistory, known, mean, median
from lossmon.hardware.findings.situation import Situation
from lossmon.types import Confidence, Finding, Severity

WINDOW = 300.0
"""Seconds that are judged."""

LEAST = 4
"""GPUs of one kind that are needed to say what is usual."""

BUSY = 50.0
"""Least mean utilization of a GPU that is compared: an idle one lowers its clock."""

SLOW = 0.85
"""Share of the usual clock below which a GPU is slow."""

ALIKE = 0.95
"""Share of the usual clock that all of the others reach."""


def slow_gpu(situation: Situation) -> Finding | None:
    """One GPU of a kind runs at a clock far below that of all others, which work as it does."""
    kinds: dict[str, list[tuple[float, GpuHistory]]] = defaultdict(list)
    for gpu, samples in situation.windows(WINDOW):
        used = mean(known(samples, lambda one: one.utilization))
        clock = median(known(samples, lambda one: one.sm_clock))
        if used is not None and used >= BUSY and clock is not None:
            kinds[gpu.reading.name].append((clock, gpu))
    for peers in kinds.values():
        peers.sort(key=lambda one: one[0])
        usual = median(clock for clock, _ in peers)
        if len(peers) < LEAST or not usual:
            continue
        (slowest, gpu), (second, _) = peers[0], peers[1]
        if slowest <= SLOW * usual and second >= ALIKE * usual:
            facts: dict[str, float | int | str] = {
                "gpu": gpu.label,
                "mhz": round(slowest / 1e6),
                "usual_mhz": round(usual / 1e6),
                "count": len(peers) - 1,
                "below_percent": 100 * (1 - slowest / usual),
            }
            severity, since = Severity.WARNING, situation.step
            return Finding("slow_gpu", severity, since, Confidence.MEDIUM, facts)
    return None
