"""What is no fault: too little to judge, or a healthy descent."""

from __future__ import annotations

from lossmon.diagnosis.curves import Curves
from lossmon.types import Confidence, Finding, Severity

ENOUGH_POINTS = 6
"""Train points before anything but a fatal fault is said: the least on which a trend of block
means has any power."""


def calm(curves: Curves, sensitivity: float) -> Finding:
    """`warming_up` or `healthy`: what holds when nothing else does."""
    del sensitivity
    train = curves.train
    if train is None or train.points < ENOUGH_POINTS:
        points = train.points if train else 0
        return Finding(
            "warming_up",
            Severity.NEUTRAL,
            curves.first,
            Confidence.HIGH,
            {"points": points, "needed": ENOUGH_POINTS},
        )
    facts = {"train": float(train.y[-1]), "drop": curves.drop}
    return Finding("healthy", Severity.OK, curves.first, Confidence.LOW, facts)
