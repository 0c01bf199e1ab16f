"""Spikes: a few train points far above their surroundings."""

from __future__ import annotations

from lossmon.diagnosis.facts import facts
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

SPIKE_FRESH = 0.05
"""Share of the run for which a spike that has passed stays on the badge."""

SPIKE_BACK = 1.25
"""Present level over that before the spike below which the run has recovered."""

SPIKE_LOST = 0.1
"""Share of the run's progress that may still be lost then: near zero a loss of 0.13 after 0.09
is not a setback for a run that started at 1."""


SWINGS = 4
"""Bursts in the second half of the run from which one more is part of an oscillation."""


def spike(signals: Signals) -> Finding | None:
    """The train loss jumped for a few points, as a bad batch leaves it."""
    seen = signals.spike
    if seen is None or signals.kind is not LossKind.PLAIN:
        return None
    train = signals.train
    assert train is not None
    level = signals.present_level
    near = SPIKE_BACK * seen.before * (1 + signals.level_error)
    back = level <= max(near, seen.before + SPIKE_LOST * (signals.start - seen.before))
    fresh = max(SPIKE_FRESH * signals.span, 3 * train.gap)
    old = signals.step - seen.last > fresh
    evidence = facts(
        peak=seen.peak - signals.offset,
        before=seen.before - signals.offset,
        spike_step=seen.step,
        train=level - signals.offset,
    )
    swings = signals.spike_bursts >= SWINGS
    variant = "recovered" if back and (old or swings) else "" if back else "open"
    severity = Severity.OK if variant == "recovered" else Severity.NOTICE
    return Finding("spike", severity, seen.step, Confidence.MEDIUM, evidence, variant)


ABOVE_START = 1.5
"""Times the starting level that no point of a settled run reaches."""


def shaken(signals: Signals) -> bool:
    """A spike, or a point far above the start, is in the second half of the run."""
    if signals.spike is not None and signals.spike.last > signals.at(0.5):
        return True
    train = signals.train
    if train is None:
        return False
    late = train.highs[int(train.x.searchsorted(signals.at(0.5), side="right")) :]
    return len(late) > 0 and float(late.max()) > ABOVE_START * signals.start
