"""What holds where no other rule does: `healthy`, `too_few_evals` or `warming_up`."""

from __future__ import annotations

import math

from lossmon.diagnosis.facts import facts, fall_percent
from lossmon.diagnosis.rules.converged import FLAT_GAIN
from lossmon.diagnosis.rules.stuck import LEARNT
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

ENOUGH_POINTS = 5
"""Train points before anything but a NaN is reported: the least in which a fall at every point
is not chance (1 in 120)."""

ENOUGH_EVALS = 3
"""Evals before a run without train loss is judged: two are not a trend."""


EARLY_SHARE = 0.05
"""Share of the plan below which a run without an eval is not called healthy: everything that goes
wrong later begins like this."""

EARLY_POINTS = 20
"""The same in train points where no plan is known: a twentieth of the few hundred that a run
usually logs."""


def healthy(signals: Signals) -> Finding | None:
    """The run has points enough to judge."""
    points, needed = _progress(signals)
    if points < needed:
        return None
    if signals.train is None:
        level, drop = math.exp(signals.eval_now), signals.eval_drop
    else:
        level, drop = signals.now, signals.drop
    evidence = facts(
        level=level - signals.offset,
        drop_percent=fall_percent(drop),
        points=points,
    )
    variant = _variant(signals)
    confidence = Confidence.LOW if variant or drop < LEARNT else Confidence.MEDIUM
    severity = Severity.NEUTRAL if variant == "so_far" else Severity.OK
    return Finding("healthy", severity, signals.first, confidence, evidence, variant)


def _is_early(signals: Signals) -> bool:
    """No eval has been seen since the start, and too little of the run for an all-clear."""
    if signals.eval is not None:
        return False
    if signals.total:
        return signals.step - signals.first < EARLY_SHARE * signals.total
    return signals.logged_steps < EARLY_POINTS


def _progress(signals: Signals) -> tuple[int, int]:
    """Points of the loss that is judged, and how many are needed."""
    if signals.train is not None:
        return signals.logged_steps, ENOUGH_POINTS
    return (signals.eval.points if signals.eval else 0), ENOUGH_EVALS


def _variant(signals: Signals) -> str:
    if _is_early(signals):
        return "so_far"
    if signals.kind is LossKind.REWARD:
        return "reward"
    if signals.kind is LossKind.ADVERSARIAL:
        return "adversarial"
    if signals.train is None:
        return "eval_only"
    if signals.eval is None:
        return "train_only"
    return "" if signals.drop > FLAT_GAIN else "watching"


def too_few_evals(signals: Signals) -> Finding | None:
    """Too few evals to judge by; beside a train loss, too few to see overfitting."""
    if signals.eval is None or signals.eval.points >= ENOUGH_EVALS:
        return None
    points, alone = signals.eval.points, signals.train is None
    if alone and points < 2:
        return None
    return _too_few("too_few_evals", signals, points, ENOUGH_EVALS, "" if alone else "aside")


def warming_up(signals: Signals) -> Finding | None:
    """Too few points to judge by."""
    points, needed = _progress(signals)
    if points >= needed or (signals.train is None and points > 1):
        return None
    return _too_few("warming_up", signals, points, needed)


def _too_few(code: str, signals: Signals, points: int, needed: int, variant: str = "") -> Finding:
    evidence = facts(points=points, needed=needed)
    return Finding(code, Severity.NEUTRAL, signals.first, Confidence.HIGH, evidence, variant)
