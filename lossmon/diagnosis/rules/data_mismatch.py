"""Evals far below the train loss: the two sets are not alike."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.facts import facts
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

NAMES = ("distribution_mismatch", "easy_eval")
"""The two verdicts of this module."""

UNLIKE_GAP = 0.45
"""Log of train over eval: below this dropout and augmentation explain why eval is lower."""

HIGH_GAP = 0.18
"""The same where the train loss has hardly fallen: dropout and augmentation let it fall."""

IDLE_SHARE = 0.2
"""Train's log fall as a share of the eval's below which it has hardly fallen."""

UNLIKE_GROWTH = 0.12
"""Log growth of that gap. A constant one is only a different scale (gradient accumulation,
another reduction)."""

UNLIKE_POINTS = 4
"""Train points before its level is set against that of the evals."""

UNLIKE_SHARE = 0.25
"""Least growth of the gap as a share of the eval loss's own fall: both falling alike, with the
train loss above by a regulariser, stays below it."""

VISIBLE_GAP = 0.1
"""Gap as a share of the eval loss's fall, not by logarithms, below which it is hardly visible on
the curve, and not sure: near zero one loss is easily many times the other."""

SPIKE_HIDES = 0.75
"""Share of the run after which a spike still lifts the train level that evals are set against."""

HIGH_SHARE = 0.35
"""Train's log fall as a share of the eval's, both from the common start, around which the train
loss passes from staying high to falling too, only less than the eval loss."""

HIGH_DROP = 0.77
"""Log fall of the train loss at which the same happens: it has lost half of its start. Either
is uncertain by itself, so their mean decides."""


def distribution_mismatch(signals: Signals) -> Finding | None:
    """The eval loss falls while the train loss stays high."""
    found = signals.once(_below_train)
    return found if found is not None and found.code == "distribution_mismatch" else None


def easy_eval(signals: Signals) -> Finding | None:
    """Both losses fall, the eval loss much further."""
    found = signals.once(_below_train)
    return found if found is not None and found.code == "easy_eval" else None


def _below_train(signals: Signals) -> Finding | None:
    """The eval loss falls far below the train loss: which of the two verdicts that is."""
    evals, sensitivity = signals.eval, signals.sensitivity_to(*NAMES)
    if evals is None or signals.common < 3 or signals.kind is not LossKind.PLAIN:
        return None
    if signals.train is None or signals.train.points < UNLIKE_POINTS or signals.start <= 0:
        return None
    if signals.spike is not None and signals.spike.last > signals.at(SPIKE_HIDES):
        return None
    gap = signals.late_gap[0] - 1.5 * signals.late_gap[1]
    if gap < HIGH_GAP / sensitivity / 2:
        return None
    lowest = float(np.min(signals.gap[: max(1, signals.common // 4)]))
    growth, noise = gap - lowest, 2 * signals.eval_noise
    fell = max(signals.eval_drop, 1e-9)
    share = signals.drop / max(signals.drop + gap, 1e-9)
    least = HIGH_GAP if share < IDLE_SHARE and gap > 4 * signals.eval_noise else UNLIKE_GAP
    if gap < least / sensitivity or growth < max(UNLIKE_GROWTH, noise) / sensitivity:
        return None
    if growth < UNLIKE_SHARE * fell or fell < max(0.1, 2 * signals.eval_noise):
        return None
    low = math.exp(signals.eval_now)
    visible = signals.now - low > VISIBLE_GAP * low * math.expm1(min(fell, 700.0))
    high = share / HIGH_SHARE + signals.drop / HIGH_DROP < 2
    evidence = facts(
        train=signals.now - signals.offset,
        eval=low - signals.offset,
        train_drop_percent=signals.fallen(signals.drop),
        eval_drop_percent=signals.fallen(fell),
    )
    return Finding(
        "distribution_mismatch" if high else "easy_eval",
        Severity.WARNING if high else Severity.NOTICE,
        signals.eval_onset(signals.gap > least / 2),
        Confidence.HIGH if visible and gap > 2 * UNLIKE_GAP else Confidence.MEDIUM,
        evidence,
    )
