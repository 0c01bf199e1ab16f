"""Rules about GPUs: slowed down, at fault, slower than their peers, or badly connected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lossmon.hardware.findings.situation import (
    GpuHistory,
    GpuSample,
    Situation,
    known,
    mean,
    median,
)
from lossmon.types import Confidence, Finding, Severity

WINDOW = 300.0
"""Seconds that are judged."""

ACTIVE = 0.8
"""Share of the samples in which a GPU is slowed down."""

REASONS = ("HW thermal", "SW thermal", "power brake", "HW slowdown")
"""Reasons that are faults. A power cap is not: large GPUs reach it whenever they work."""

DROP = 0.15
"""Share by which the run is slower than usual."""

EARLIER = 3
"""Earlier windows that say what is usual."""


def throttling(situation: Situation) -> Finding | None:
    """A GPU is slowed down by heat or power, and the steps per second fell."""
    slowed = [
        (gpu, samples, reason)
        for gpu, samples in situation.windows(WINDOW)
        if (reason := _reason(samples))
    ]
    drop = _drop(situation) if slowed else None
    if drop is None or drop < DROP:
        return None
    gpu, samples, reason = max(slowed, key=lambda one: _temperature(one[1]))
    facts: dict[str, float | int | str] = {
        "gpu": gpu.label,
        "count": len(slowed),
        "reason": reason,
        "degrees": round(_temperature(samples)),
        "mhz": round((median(known(samples, lambda one: one.sm_clock)) or 0.0) / 1e6),
        "usual_mhz": round(_usual_clock(situation, gpu) / 1e6),
        "drop_percent": 100 * drop,
    }
    return Finding("throttling", Severity.WARNING, situation.step, Confidence.HIGH, facts)


def _reason(samples: list[GpuSample]) -> str:
    """The reason that slows a GPU down for most of the time, or empty."""
    for reason in REASONS:
        if sum(reason in one.throttle_reasons for one in samples) >= ACTIVE * len(samples):
            return reason
    return ""


def _temperature(samples: list[GpuSample]) -> float:
    return mean(known(samples, lambda one: one.temperature)) or 0.0


def _usual_clock(situation: Situation, gpu: GpuHistory) -> float:
    earlier = [one for one in gpu.samples if one.time < situation.now - WINDOW]
    free = [one for one in earlier if not one.throttle_reasons]
    return median(known(free or earlier, lambda one: one.sm_clock)) or 0.0


def _drop(situation: Situation) -> float | None:
    """Share by which the steps per second are below the usual, None where that is not known."""
    now, steps = situation.now, situation.steps
    recent = steps.rate(now - WINDOW, now)
    windows = range(1, 12)
    earlier = [steps.rate(now - (n + 1) * WINDOW, now - n * WINDOW) for n in windows]
    known_rates = [one for one in earlier if one is not None]
    usual = median(known_rates)
    if recent is None or not usual or len(known_rates) < EARLIER:
        return None
    return 1 - recent / usual


FATAL = frozenset({48, 62, 64, 74, 79, 94, 95, 119, 120, 140})
"""Errors of the driver (Xid) that stand for broken hardware or firmware, not for a bug of the
program, by NVIDIA's catalog: memory errors that cannot be corrected (48, 94, 95, 140) or repaired
(64), a halted controller (62), NVLink (74), fallen off the bus (79), its system processor
(119, 120)."""

LOST_PATIENCE = 60.0
"""Seconds without an answer: a driver under load may take several."""


def gpu_error(situation: Situation) -> Finding | None:
    """A GPU of the run is lost, or reported what a process does not survive."""
    found = (_fault(gpu, situation.step, situation.now) for gpu in situation.gpus)
    return min((one for one in found if one), key=lambda one: -one.severity, default=None)


def _fault(gpu: GpuHistory, step: int, now: float) -> Finding | None:
    details = gpu.reading.details
    facts: dict[str, float | int | str] = {"gpu": gpu.label}
    fatal = [code for code in details.xids if code in FATAL] if details else []
    severity, variant = Severity.CRITICAL, ""
    if fatal:
        facts["xid"] = fatal[-1]
    elif gpu.lost_since is not None and now - gpu.lost_since >= LOST_PATIENCE:
        variant = "lost"
    elif details and (details.ecc_uncorrected or 0) > (gpu.ecc or 0):
        variant = "ecc"
        facts["count"] = (details.ecc_uncorrected or 0) - (gpu.ecc or 0)
    elif details and details.remap_failed:
        severity, variant = Severity.WARNING, "remap"
    else:
        return None
    return Finding("gpu_error", severity, step, Confidence.HIGH, facts, variant)


PEERS = 4
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
        if len(peers) < PEERS or not usual:
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


LINK_BUSY = 30.0
"""Least mean utilization: an idle link may be narrowed to save power."""

LINK_PEERS = 3
"""GPUs of one kind in one machine that are needed to say what is usual."""


def link_degraded(situation: Situation) -> Finding | None:
    """A GPU has fewer lanes or NVLink connections than it can have and than its peers have."""
    machines: dict[tuple[str, str], list[GpuHistory]] = defaultdict(list)
    for gpu, samples in situation.windows(WINDOW):
        if (mean(known(samples, lambda one: one.utilization)) or 0.0) >= LINK_BUSY:
            machines[gpu.node, gpu.reading.name].append(gpu)
    for peers in machines.values():
        if len(peers) >= LINK_PEERS:
            for gpu in peers:
                if found := _narrow(gpu, peers, situation.step) or _cut(gpu, peers, situation.step):
                    return found
    return None


def _narrow(gpu: GpuHistory, peers: list[GpuHistory], step: int) -> Finding | None:
    link = gpu.reading.details.pcie if gpu.reading.details else None
    if link is None or link.width >= link.max_width:
        return None
    widths = (p.reading.details.pcie for p in peers if p.reading.details)
    usual = median(float(one.width) for one in widths if one is not None) or 0.0
    if link.width >= usual:
        return None
    return _finding(gpu, step, {"now": link.width, "usual": round(usual)}, "")


def _cut(gpu: GpuHistory, peers: list[GpuHistory], step: int) -> Finding | None:
    usual = median(_links(peers))
    up = gpu.reading.details.nvlinks if gpu.reading.details else None
    if usual is None or up is None or up >= usual:
        return None
    return _finding(gpu, step, {"now": up, "usual": round(usual)}, "nvlink")


def _links(peers: Iterable[GpuHistory]) -> Iterable[float]:
    for peer in peers:
        if peer.reading.details and peer.reading.details.nvlinks is not None:
            yield float(peer.reading.details.nvlinks)


def _finding(gpu: GpuHistory, step: int, facts: dict[str, int], variant: str) -> Finding:
    numbers: dict[str, float | int | str] = {"gpu": gpu.label, **facts}
    return Finding("link_degraded", Severity.NOTICE, step, Confidence.HIGH, numbers, variant)
