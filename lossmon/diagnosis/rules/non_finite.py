"""NaN and infinite losses and gradients."""

from __future__ import annotations

from lossmon.diagnosis.facts import facts
from lossmon.diagnosis.signals import Signals
from lossmon.types import Confidence, Finding, Severity


def non_finite(signals: Signals) -> Finding | None:
    """A loss was NaN or infinite, or printed as 0.0 while its gradient was NaN."""
    seen = signals.non_finite
    if seen is None:
        return _gradients(signals)
    masked = seen.what == "masked"
    evidence = facts(
        series="train loss" if masked else seen.what,
        step=seen.step,
        times=seen.times,
    )
    variant = "masked" if masked else ""
    return Finding("non_finite", Severity.CRITICAL, seen.step, Confidence.HIGH, evidence, variant)


BAD_GRADIENTS = 9
"""Three non-finite gradient norms among ten: fp16 loss scaling skips a lone one."""


def _gradients(signals: Signals) -> Finding | None:
    """The gradients are not finite while the loss still is."""
    if signals.bad_gradients < BAD_GRADIENTS:
        return None
    evidence = facts(
        series="gradient norm",
        step=signals.step,
        times=3,
    )
    return Finding(
        "non_finite", Severity.WARNING, signals.step, Confidence.MEDIUM, evidence, "gradient"
    )
