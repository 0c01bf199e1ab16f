"""Fast memorisation: the train loss collapses, and the eval loss gains nothing from it."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.facts import facts, fall_percent
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

MEMORISED_GAP = 1.6
"""Log of eval over train that learning cannot explain: the train loss is a fifth of the eval's."""

MEMORISED_DROP = 1.5
"""Log fall of the train loss that a small set learnt by heart shows at least."""

FAST_STEPS = 300
"""Steps within which the collapse has come: over a longer time it is called training."""

GENERALISED = 0.35
"""The eval loss's fall as a share of the train loss's, both from the common start: above it the
descent was learning, however small the train loss is by now."""

STEADY_EVAL = 0.1
"""Scatter of neighbouring evals above which the weights swing rather than memorise."""

EVAL_IDLE = 0.03
"""Log gain of the eval loss over the second half below which it no longer learns anything."""


def fast_memorisation(signals: Signals) -> Finding | None:
    """The train loss collapsed while the eval loss gained nothing from it."""
    evals, sensitivity = signals.eval, signals.sensitivity
    if evals is None or signals.common < 2 or signals.kind is not LossKind.PLAIN or signals.offset:
        return None
    if signals.drop < MEMORISED_DROP or signals.eval_noise > STEADY_EVAL:
        return None
    gap = -float(signals.gap[-1])
    if gap < MEMORISED_GAP / sensitivity:
        return None
    gained = float(np.min(signals.eval_log[: (len(evals) + 1) // 2])) - signals.eval_now
    if gained > EVAL_IDLE:
        return None
    if signals.drop - gap > GENERALISED * signals.drop or not _collapsed(signals):
        return None
    evidence = facts(
        train=signals.now,
        eval=math.exp(signals.eval_now),
        drop_percent=fall_percent(signals.drop),
    )
    return Finding(
        "fast_memorisation",
        Severity.WARNING,
        signals.eval_onset(signals.gap < -MEMORISED_GAP / 2),
        Confidence.HIGH if gap > 2 * MEMORISED_GAP else Confidence.MEDIUM,
        evidence,
    )


def _collapsed(signals: Signals) -> bool:
    """The train loss fell by `MEMORISED_DROP` within the first `FAST_STEPS`."""
    train = signals.train
    assert train is not None
    low = train.y < signals.start * math.exp(-MEMORISED_DROP)
    return bool(np.any(low)) and float(train.x[int(low.argmax())]) - signals.first <= FAST_STEPS
