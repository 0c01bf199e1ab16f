"""What holds where no other rule does: `healthy`, `too_few_evals` or `warming_up`."""

from __future__ import annotations

import math

from lossmon.diagnosis.facts import facts, fall_percent
from lossmon.diagnosis.policy_curves import PolicyQuantity
from lossmon.diagnosis.rules.converged import FLAT_GAIN
from lossmon.diagnosis.rules.stuck import LEARNT, SLOW_POINTS
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

SURELY = 2.0
"""Standard errors of a fall from which the evidence says that the loss falls."""

ENOUGH_POINTS = 5
"""Train points before anything but a NaN is reported: the least in which a fall at every point
is not chance (1 in 120)."""

ENOUGH_EVALS = 3
"""Evals before a run without train loss is judged: two are not a trend."""


def healthy(signals: Signals) -> Finding | None:
    """The run has points enough to judge."""
    points, needed = _progress(signals)
    if points < needed or signals.kind in UNJUDGED_KINDS:
        return None
    if signals.train is None:
        level, drop = math.exp(signals.eval_now), signals.eval_drop
        start = math.exp(float(signals.eval_log[0]))
    else:
        level, drop, start = signals.now, signals.drop, signals.start
    evidence = facts(
        level=level - signals.offset,
        start=start - signals.offset,
        drop_percent=signals.share(fall_percent(drop)),
        points=points,
    )
    variant = _variant(signals)
    confidence = Confidence.LOW if variant or drop < LEARNT else Confidence.MEDIUM
    severity = Severity.NEUTRAL if variant in ("so_far", "warm_up") else Severity.OK
    return Finding("healthy", severity, signals.first, confidence, evidence, variant)


UNJUDGED_KINDS = {
    LossKind.REWARD: "reward",
    LossKind.ADVERSARIAL: "adversarial",
    LossKind.SUMMED: "summed",
}
"""Kinds of loss that say little, and the variant that says what to look at instead."""


def not_judged(signals: Signals) -> Finding | None:
    """The loss of this kind of training says little, and nothing else is wrong."""
    points, needed = _progress(signals)
    variant = UNJUDGED_KINDS.get(signals.kind)
    if variant is None or points < needed:
        return None
    reward = signals.policy.get(PolicyQuantity.REWARD)
    if reward is not None and len(reward) >= ENOUGH_POINTS:
        evidence = facts(start=reward.start, now=reward.now)
    else:
        variant, evidence = variant + "_unlogged" * (variant == "reward"), facts(points=points)
    return Finding(
        "not_judged", Severity.NEUTRAL, signals.first, Confidence.MEDIUM, evidence, variant
    )


def _progress(signals: Signals) -> tuple[int, int]:
    """Points of the loss that is judged, and how many are needed: more of a run that is over and
    never clearly fell."""
    if signals.train is not None:
        is_unclear = signals.ended and not _is_falling(signals)
        return signals.logged_steps, SLOW_POINTS if is_unclear else ENOUGH_POINTS
    reward = signals.policy.get(PolicyQuantity.REWARD)
    if signals.kind is LossKind.REWARD and reward is not None:
        return len(reward), ENOUGH_POINTS
    return (signals.eval.points if signals.eval else 0), ENOUGH_EVALS


def _is_falling(signals: Signals) -> bool:
    """The train loss fell by more than chance."""
    return signals.drop > max(FLAT_GAIN, SURELY * signals.drop_error)


def _variant(signals: Signals) -> str:
    if signals.is_early:
        return "so_far"
    if signals.eval is None and signals.is_warming_up:
        return "warm_up"
    if signals.train is None:
        return "eval_only" if signals.eval_drop > FLAT_GAIN else "watching_eval"
    if not _is_falling(signals):
        return "watching"
    return "train_only" if signals.eval is None else ""


def too_few_evals(signals: Signals) -> Finding | None:
    """Too few evals to judge by; beside a train loss, too few to see overfitting."""
    if signals.eval is None or signals.eval.points >= ENOUGH_EVALS:
        return None
    points, alone = signals.eval.points, signals.train is None
    if alone and points < 2:
        return None
    variant = "aside" if not alone else "ended" if signals.ended else ""
    return _too_few("too_few_evals", signals, points, ENOUGH_EVALS, variant)


def warming_up(signals: Signals) -> Finding | None:
    """Too few points to judge by."""
    points, needed = _progress(signals)
    if points >= needed or (needed == ENOUGH_EVALS and points > 1):
        return None
    if signals.non_finite is not None:
        # That needs no more points.
        return None
    variant = "ended" if signals.ended else ""
    if signals.train is None and signals.eval is None and _has_metrics(signals):
        # More points of what is logged would change nothing.
        variant = "no_loss"
    return _too_few("warming_up", signals, points, needed, variant)


def _has_metrics(signals: Signals) -> bool:
    curves = (one.curve for one in signals.metrics)
    return any(curve is not None and curve.points >= ENOUGH_POINTS for curve in curves)


def _too_few(code: str, signals: Signals, points: int, needed: int, variant: str = "") -> Finding:
    evidence = facts(points=points, needed=needed)
    # More points will tell, but not of a run that is over.
    confidence = Confidence.LOW if variant == "ended" else Confidence.HIGH
    return Finding(code, Severity.NEUTRAL, signals.first, confidence, evidence, variant)
