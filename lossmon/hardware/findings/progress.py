"""Rules about runs that do not go on: a hung collective, no first step, processes that ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lossmon.hardware.findings.situation import (
    GpuHistory,
    GpuSample,
    Situation,
    known,
    mean,
    median,
)
from lossmon.types import Confidence, Finding, Severity

SILENCE = 300.0
"""Seconds without a step: half of the time after which PyTorch aborts NCCL operations."""

INTERVALS = 10.0
"""Usual intervals between steps without one."""

IDLE_WINDOW = 180.0
"""Seconds that the GPUs are judged by."""

SPINNING = 95.0
"""Least utilization of a GPU that waits inside of a kernel."""

LOW_SHARE = 0.35
"""Share of the power limit that a waiting GPU stays below; evals that generate take more."""

FLAT_SHARE = 0.1
"""Share of the power limit within which the power of a waiting GPU stays."""

EARLIER_SHARE = 0.6
"""Share of its power while steps advanced, which a waiting GPU stays below too."""


def hung_collective(situation: Situation) -> Finding | None:
    """Steps stopped, most GPUs are at 100 %, and none of them draws the power of work."""
    silence, interval = situation.steps.silence(situation.now), situation.steps.interval
    if silence is None or interval is None or silence < max(SILENCE, INTERVALS * interval):
        return None
    found = list(situation.windows(IDLE_WINDOW))
    if len(found) < 2 or len(found) < sum(gpu.kept > 0 for gpu in situation.gpus):
        return None
    powers = [_idle_power(situation, gpu, samples) for gpu, samples in found]
    watts = [power for power in powers if power is not None]
    used = [known(samples, lambda one: one.utilization) for _, samples in found]
    waiting = sum(min(values, default=0.0) >= SPINNING for values in used)
    if len(watts) < len(found) or waiting < max(2, len(found) / 2):
        return None
    facts = {
        "step": situation.step,
        "minutes": round(silence / 60),
        "waiting": waiting,
        "gpus": len(found),
        "watts": round(mean(watts) or 0.0),
    }
    return Finding("hung_collective", Severity.CRITICAL, situation.step, Confidence.HIGH, facts)


def _idle_power(
    situation: Situation, gpu: GpuHistory, samples: Sequence[GpuSample]
) -> float | None:
    """Mean watts of a GPU that does not work; None where it works, or nothing is known."""
    limit = gpu.reading.power_limit
    power = known(samples, lambda one: one.power)
    if not limit or not power or max(power) > LOW_SHARE * limit:
        return None
    if max(power) - min(power) > FLAT_SHARE * limit or _worked(situation, gpu.samples, power):
        return None
    return mean(power)


def _worked(situation: Situation, samples: Iterable[GpuSample], power: list[float]) -> bool:
    """Whether the power is that of the time while steps advanced, as far as that is known."""
    last = situation.steps.samples[-1].time
    before = [one for one in samples if one.time < last]
    usual = median(known(before, lambda one: one.power))
    return usual is not None and max(power) > EARLIER_SHARE * usual


FIRST_STEP_PATIENCE = 1800.0
"""Seconds until a first step: sharded weights are loaded and graphs compiled in less, and PyTorch's
default time-out of collective operations other than NCCL's ends by then."""

FIRST_STEP_WINDOW = 300.0
"""Seconds that the GPUs are judged by."""


def no_first_step(situation: Situation) -> Finding | None:
    """The run has held GPU memory for half an hour and logged nothing."""
    since = situation.on_gpu_since
    if (
        situation.run.step is not None
        or since is None
        or situation.now - since < FIRST_STEP_PATIENCE
    ):
        return None
    used = [
        utilization
        for _, samples in situation.windows(FIRST_STEP_WINDOW)
        if (utilization := mean(known(samples, lambda one: one.utilization))) is not None
    ]
    if not used:
        return None
    facts = {
        "minutes": round((situation.now - since) / 60),
        "utilization_percent": sum(used) / len(used),
    }
    return Finding("no_first_step", Severity.WARNING, 0, Confidence.MEDIUM, facts)


GONE_PATIENCE = 60.0
"""Seconds that processes must be gone: a launcher starts failed workers again, and the last lines
of a log reach a network file system later than the process ends."""


def process_gone(situation: Situation) -> Finding | None:
    """Processes were seen and are gone; no step was logged since, and the run is not at its end."""
    run, now = situation.run, situation.now
    gone = [one for one in situation.gone if now - one.since >= GONE_PATIENCE]
    if not gone or not situation.is_unfinished:
        return None
    last = situation.steps.samples[-1].time if situation.steps.samples else run.last_time
    if last is not None and last > gone[0].since:
        return None
    first = gone[0]
    name = " ".join(part for part in (first.node, first.name) if part)
    facts: dict[str, float | int | str] = {
        "process": name,
        "step": situation.step,
        "minutes": max(1, round((now - first.since) / 60)),
    }
    if run.total_steps is None:
        # A run whose length is not known has probably just ended.
        severity, confidence, variant = Severity.NOTICE, Confidence.MEDIUM, "unknown_end"
    else:
        # Early stopping ends a run like that too, and not every trainer says so.
        severity, confidence, variant = Severity.WARNING, Confidence.HIGH, ""
        facts["total"] = run.total_steps
    return Finding("process_gone", severity, situation.step, confidence, facts, variant)
