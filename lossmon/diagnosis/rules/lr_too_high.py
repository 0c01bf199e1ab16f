"""A learning rate too high for the run."""

from __future__ import annotations

from lossmon.diagnosis.facts import facts
from lossmon.diagnosis.rules.healthy import ENOUGH_POINTS
from lossmon.diagnosis.rules.oscillating import eval_swing
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

RAISED_RATE = 1.5
"""Present learning rate over that of the descent: half as much again, while the loss rose."""

ABSURD_RATE = 100.0
"""Learning rate that no optimizer takes; the highest in use, of SGD for recurrent language models,
are about 30."""


def lr_too_high(signals: Signals) -> Finding | None:
    """The learning rate explains the swings or the rise; listed beside the verdict it causes."""
    rate, train = signals.rate, signals.train
    if rate is None or train is None or signals.kind is not LossKind.PLAIN:
        return None
    if train.points >= ENOUGH_POINTS and rate.maximum[0] > ABSURD_RATE:
        return _absurd(signals, *rate.maximum)
    now = float(rate.y[-1])
    lowest = float(train.x[int(train.y.argmin())])
    raised = now > RAISED_RATE * float(rate.y[0]) and signals.now > 1.2 * train.minimum[0]
    then = rate.mean(rate.first, max(lowest, rate.first + rate.gap)) if raised else now
    raised = raised and now > RAISED_RATE * then > 0
    swinging = signals.once(eval_swing) > 0 and now >= 0.5 * rate.maximum[0]
    if not (raised or swinging):
        return None
    evidence = facts(rate=now, rate_then=then)
    variant = "raised" if raised else "swinging"
    return Finding("lr_too_high", Severity.NOTICE, int(lowest), Confidence.LOW, evidence, variant)


def _absurd(signals: Signals, rate: float, step: int) -> Finding:
    """The rate alone says that it is wrong, whatever the loss does."""
    evidence = facts(rate=rate, train=signals.now - signals.offset)
    return Finding("lr_too_high", Severity.WARNING, step, Confidence.HIGH, evidence, "absurd")
