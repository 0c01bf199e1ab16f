"""Fast memorisation: the train loss collapses, and the eval loss gains nothing from it."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.facts import facts, fall_percent
from lossmon.diagnosis.rules.converged import CONVERGED_POINTS, flat
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.signals.run_curves import ENOUGH_STEPS
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

UNSEEN_DROP = 2.0
"""Log fall of the train loss from which memorisation is suspected where no eval shows it: a
seventh of the start is left."""

UNSEEN_START = 1.5
"""Nats at which such a run starts at least, as of a language model: two or three classes are soon
told apart."""

FINE_TUNE_STEPS = 600
"""Planned steps of a run for which that is suspected: training from scratch takes longer."""


def fast_memorisation(signals: Signals) -> Finding | None:
    """The train loss collapsed while the eval loss gained nothing from it, or no eval is logged."""
    evals, sensitivity = signals.eval, signals.sensitivity
    if evals is None:
        return _unseen(signals)
    if signals.common < 2 or signals.kind is not LossKind.PLAIN or signals.offset:
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


def _unseen(signals: Signals) -> Finding | None:
    """The train loss of a short run collapsed and still falls, and no eval shows what it learns."""
    train = signals.train
    planned = signals.total or (signals.step if signals.ended else math.inf)
    if train is None or signals.kind is not LossKind.PLAIN or signals.offset:
        return None
    if not ENOUGH_STEPS <= planned <= FINE_TUNE_STEPS or train.points < CONVERGED_POINTS:
        return None
    if signals.start < UNSEEN_START or signals.drop < UNSEEN_DROP / signals.sensitivity:
        return None
    if flat(signals) or not _collapsed(signals):
        return None
    evidence = facts(train=signals.now, drop_percent=fall_percent(signals.drop))
    return Finding(
        "fast_memorisation", Severity.NOTICE, signals.first, Confidence.LOW, evidence, "unseen"
    )


def _collapsed(signals: Signals) -> bool:
    """The train loss fell by `MEMORISED_DROP` within the first `FAST_STEPS`."""
    train = signals.train
    assert train is not None
    low = train.y < signals.start * math.exp(-MEMORISED_DROP)
    return bool(np.any(low)) and float(train.x[int(low.argmax())]) - signals.first <= FAST_STEPS
