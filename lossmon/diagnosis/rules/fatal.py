"""What breaks a run or shakes it: values that are no numbers, and spikes."""

from __future__ import annotations

from lossmon.diagnosis.rules.divergence import level_error, present_level
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity


def non_finite(curves: Signals, sensitivity: float) -> Finding | None:
    """A loss was NaN or infinite, or printed as 0.0 while its gradient was NaN."""
    del sensitivity
    broken = curves.broken
    if broken is None:
        return _bad_gradients(curves)
    masked = broken.what == "masked"
    facts: dict[str, float | int | str] = {
        "series": "train loss" if masked else broken.what,
        "step": broken.step,
        "times": broken.times,
    }
    return Finding(
        "non_finite",
        Severity.CRITICAL,
        broken.step,
        Confidence.HIGH,
        facts,
        "masked" if masked else "",
    )


BAD_GRADIENTS = 9
"""Three gradient norms that are no numbers among ten: fp16 loss scaling skips a lone one."""


def _bad_gradients(curves: Signals) -> Finding | None:
    """The gradients are no numbers while the loss still is one."""
    if curves.bad_gradients < BAD_GRADIENTS:
        return None
    facts: dict[str, float | int | str] = {
        "series": "gradient norm",
        "step": curves.step,
        "times": 3,
    }
    return Finding(
        "non_finite", Severity.WARNING, curves.step, Confidence.MEDIUM, facts, "gradient"
    )


SPIKE_FRESH = 0.05
"""Share of the run for which a spike that has passed stays on the badge."""

SPIKE_BACK = 1.25
"""Present level over that before the spike below which the run has recovered."""

SPIKE_LOST = 0.1
"""Share of the run's progress that may still be lost then: near zero a loss of 0.13 after 0.09
is no setback for a run that came from 1."""


def spike(curves: Signals, sensitivity: float) -> Finding | None:
    """Single train points far above their surroundings, as a bad batch leaves them."""
    del sensitivity
    seen = curves.spike
    if seen is None or curves.kind is not LossKind.PLAIN:
        return None
    train = curves.train
    assert train is not None
    level = present_level(curves)
    near = SPIKE_BACK * seen.before * (1 + level_error(curves))
    back = level <= max(near, seen.before + SPIKE_LOST * (curves.start - seen.before))
    fresh = max(SPIKE_FRESH * curves.span, 3 * train.gap)
    old = curves.step - seen.last > fresh
    facts: dict[str, float | int | str] = {
        "peak": seen.peak - curves.lift,
        "before": seen.before - curves.lift,
        "ratio_times": seen.peak / seen.before,
        "spike_step": seen.step,
        "train": level - curves.lift,
    }
    variant = "recovered" if back and old else "" if back else "open"
    severity = Severity.OK if variant == "recovered" else Severity.NOTICE
    return Finding("spike", severity, seen.step, Confidence.MEDIUM, facts, variant)
