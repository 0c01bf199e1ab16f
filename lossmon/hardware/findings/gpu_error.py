"""Rule: a GPU reports a fault or does not answer."""

from __future__ import annotations

from lossmon.hardware.findings.history import GpuHistory
from lossmon.hardware.findings.situation import Situation
from lossmon.types import Confidence, Finding, Severity

FATAL = frozenset({48, 62, 64, 74, 79, 94, 95, 119, 120, 140})
"""Errors of the driver (Xid) that stand for broken hardware or firmware, not for a bug of the
program, by NVIDIA's catalog: memory errors that cannot be corrected (48, 94, 95, 140) or repaired
(64), a halted controller (62), NVLink (74), fallen off the bus (79), its system processor
(119, 120)."""

PATIENCE = 60.0
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
    elif gpu.lost_since is not None and now - gpu.lost_since >= PATIENCE:
        variant = "lost"
    elif details and (details.ecc_uncorrected or 0) > (gpu.ecc or 0):
        variant = "ecc"
        facts["count"] = (details.ecc_uncorrected or 0) - (gpu.ecc or 0)
    elif details and details.remap_failed:
        severity, variant = Severity.WARNING, "remap"
    else:
        return None
    return Finding("gpu_error", severity, step, Confidence.HIGH, facts, variant)
