"""Rule: heat or a power brake slows the GPUs, and the run with them."""

from __future__ import annotations

from lossmon.hardware.findings.history import GpuHistory, GpuSample, known, mean, median
from lossmon.hardware.findings.situation import Situation
from lossmon.types import Confidence, Finding, Severity

WINDOW = 300.0
"""Seconds that are judged."""

ACTIVE = 0.8
"""Share of the samples in which a GPU is slowed down."""

REASONS = ("HW thermal", "SW thermal", "power brake", "HW slowdown")
"""Reasons that are faults. A power cap is none: large GPUs reach it whenever they work."""

DROP = 0.15
"""Share by which the run is slower than usual."""

WINDOWS = 3
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
    if recent is None or not usual or len(known_rates) < WINDOWS:
        return None
    return 1 - recent / usual
