"""Rule: processes hold the GPU, but no step is logged."""

from __future__ import annotations

from lossmon.hardware.findings.history import known, mean
from lossmon.hardware.findings.situation import Situation
from lossmon.types import Confidence, Finding, Severity

PATIENCE = 1800.0
"""Seconds until a first step: sharded weights are loaded and graphs compiled in less, and PyTorch's
default time-out of collective operations other than NCCL's ends by then."""

WINDOW = 300.0
"""Seconds that the GPUs are judged by."""


def no_first_step(situation: Situation) -> Finding | None:
    """The run has held GPU memory for half an hour and logged nothing."""
    since = situation.on_gpu_since
    if situation.run.step is not None or since is None or situation.now - since < PATIENCE:
        return None
    used = [
        utilization
        for _, samples in situation.windows(WINDOW)
        if (utilization := mean(known(samples, lambda one: one.utilization))) is not None
    ]
    if not used:
        return None
    facts = {
        "minutes": round((situation.now - since) / 60),
        "utilization_percent": sum(used) / len(used),
    }
    return Finding("no_first_step", Severity.WARNING, 0, Confidence.MEDIUM, facts)
