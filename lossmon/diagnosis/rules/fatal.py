"""What ends a run: values that are no numbers."""

from __future__ import annotations

from lossmon.diagnosis.curves import Curves
from lossmon.types import Confidence, Finding, Severity


def non_finite(curves: Curves, sensitivity: float) -> Finding | None:
    """A loss was NaN or infinite, or printed as 0.0 while its gradient was NaN."""
    del sensitivity
    broken = curves.broken
    if broken is None:
        return None
    facts = {"series": "train loss", "step": broken.step, "times": broken.times}
    variant = "masked" if broken.what == "masked" else ""
    if broken.what == "eval loss":
        facts["series"] = "eval loss"
    return Finding("non_finite", Severity.CRITICAL, broken.step, Confidence.HIGH, facts, variant)
