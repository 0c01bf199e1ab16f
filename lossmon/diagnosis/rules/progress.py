"""What the loss has done so far: flat, swinging, done, or on its way."""

from __future__ import annotations

import math

from lossmon.diagnosis.rules.stuck import LEARNT, little_learnt
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

ENOUGH_POINTS = 5
"""Train points before anything but a fatal fault is said: the least in which a fall of all
neighbours is no accident (1 in 120)."""

FLAT_GAIN = 0.02
"""Log gain over the second half of the run below which a loss is flat: under 2 %."""

FLAT_SHARE = 0.03
"""The same as a share of the whole fall, for train losses that fell by orders of magnitude."""

CONVERGED_SWING = 0.03
"""Scatter of neighbouring evals, as a share of the fall, above which nothing has settled."""

CONVERGED_POINTS = 20
"""Train points before convergence is claimed."""


SLACK = 3.0
"""Standard errors by which the train loss may seem to move beside evals that do not: the error
itself is known from few points."""

FLAT_ERROR = 0.06
"""Standard error of the gain, as a share of the fall, above which flatness cannot be told."""


def flat(curves: Signals) -> bool:
    """Neither loss has gained anything over the second half of the run, as far as can be told."""
    gain, error = curves.late_gain
    least = max(FLAT_GAIN, FLAT_SHARE * abs(curves.drop))
    eval_gain, eval_error = curves.late_eval_gain
    if not math.isfinite(eval_error):
        told = error <= FLAT_ERROR * max(curves.drop, 1.0)
        return told and abs(gain) <= least + min(2 * error, least)
    # Where evals tell the level, the noise of the batches need not.
    still = max(FLAT_GAIN, FLAT_SHARE * curves.eval_fall)
    return abs(eval_gain) - 2 * eval_error < still and abs(gain) <= least + SLACK * error


def converged(curves: Signals, sensitivity: float) -> Finding | None:
    """Both losses are flat after a real descent."""
    del sensitivity
    train = curves.train
    if train is None or curves.evidence < CONVERGED_POINTS or little_learnt(curves):
        return None
    if not curves.settled:
        return None
    if not flat(curves) or _evals_to_come(curves) or _shaken(curves):
        return None
    if curves.eval_noise > CONVERGED_SWING * max(curves.drop, 1.0):
        return None
    gain, error = curves.late_gain
    facts: dict[str, float | int | str] = {
        "train": curves.now - curves.lift,
        "change_percent": 100 * (1 - math.exp(-gain)),
        "error_percent": 100 * min(error, 9.99),
        "drop_percent": 100 * (1 - math.exp(-curves.drop)),
    }
    return Finding("converged", Severity.OK, int(curves.at(0.5)), Confidence.MEDIUM, facts)


def _evals_to_come(curves: Signals) -> bool:
    """The run has an eval loss, but not enough of it to see a plateau."""
    return curves.eval is not None and len(curves.eval) < 2


ABOVE_START = 1.5
"""Times the starting level that no point of a settled run reaches."""


def _shaken(curves: Signals) -> bool:
    """A spike lies in the half of the run that is judged, or a point far above the start."""
    if curves.spike is not None and curves.spike.last > curves.at(0.5):
        return True
    train = curves.train
    if train is None:
        return False
    late = train.highs[train.x > curves.at(0.5)]
    return len(late) > 0 and float(late.max()) > ABOVE_START * curves.start


EVAL_SWING = 0.05
"""Scatter of neighbouring evals as a share of the whole fall: the eval loss is a mean over many
examples, so when it swings the weights do."""

SWING_EVALS = 8
"""Evals before their scatter is told from one odd eval."""

TURNING = 0.35
"""Share of the evals at which their course turns round: two thirds for pure noise, next to none
for a curve that bends, or jumps once and comes back."""

EVAL_SWING_LEAST = 0.02
"""Least scatter of neighbouring evals: below it swings do not matter."""

TRAIN_SWING = 0.55
"""Relative scatter of single train points at which one says nothing about the level."""

TRAIN_SWING_SHARE = 0.4
"""The same as a share of the whole fall: the noise swallows the progress."""


def oscillating(curves: Signals, sensitivity: float) -> Finding | None:
    """The losses swing by much of what they have gained."""
    train = curves.train
    if train is None or train.points < CONVERGED_POINTS or curves.kind is not LossKind.PLAIN:
        return None
    fell = max(curves.drop, curves.eval_drop, 0.05)
    noise = curves.late_noise
    by_train = noise > TRAIN_SWING / sensitivity and noise > TRAIN_SWING_SHARE * fell
    if curves.eval is not None and len(curves.eval) >= SWING_EVALS:
        # Where evals stand still, the batches differ, not the weights.
        by_train = by_train and curves.eval_noise > EVAL_SWING_LEAST / sensitivity
    swing = _eval_swing(curves, sensitivity)
    by_eval = swing > 0
    if not (by_train or by_eval):
        return None
    facts: dict[str, float | int | str] = {
        "noise_percent": 100 * noise,
        "swing_percent": 100 * swing,
        "drop_percent": 100 * (1 - math.exp(-fell)),
        "train": curves.now - curves.lift,
    }
    return Finding(
        "oscillating",
        Severity.NOTICE,
        int(curves.at(0.5)),
        Confidence.MEDIUM,
        facts,
        "eval" if by_eval else "train",
    )


def _eval_swing(curves: Signals, sensitivity: float) -> float:
    """Scatter of neighbouring evals where it is too large for a run that settles, else 0."""
    if curves.eval is None or len(curves.eval) < SWING_EVALS or _shaken(curves):
        return 0.0
    fell = max(curves.eval_fall, 0.05)
    if curves.eval_turns < TURNING:
        return 0.0
    swing = curves.eval_noise
    large = swing > EVAL_SWING_LEAST / sensitivity and swing > EVAL_SWING * fell
    return swing if large else 0.0


def lr_too_high(curves: Signals, sensitivity: float) -> Finding | None:
    """The learning rate explains the swings or the rise; told beside the verdict it causes."""
    rate, train = curves.rate, curves.train
    if rate is None or train is None or curves.kind is not LossKind.PLAIN:
        return None
    now = float(rate.y[-1])
    lowest = float(train.x[int(train.y.argmin())])
    raised = now > RAISED_RATE * float(rate.y[0]) and curves.now > 1.2 * train.minimum[0]
    then = rate.mean(rate.first, max(lowest, rate.first + rate.gap)) if raised else now
    raised = raised and now > RAISED_RATE * then > 0
    swinging = now >= 0.5 * rate.maximum[0] and _eval_swing(curves, sensitivity) > 0
    if not (raised or swinging):
        return None
    facts: dict[str, float | int | str] = {"rate": now, "rate_then": then}
    return Finding("lr_too_high", Severity.NOTICE, int(lowest), Confidence.LOW, facts, "aside")


RAISED_RATE = 1.5
"""Present learning rate over that of the descent: half as much again, while the loss rose."""


def calm(curves: Signals, sensitivity: float) -> Finding:
    """`warming_up`, `too_few_evals` or `healthy`: what holds when nothing else does."""
    del sensitivity
    curve = curves.train or curves.eval
    needed = ENOUGH_POINTS if curves.train is not None else ENOUGH_EVALS
    points = curves.evidence if curves.train is not None else curve.points if curve else 0
    if curve is None or points < needed:
        code = "too_few_evals" if curves.train is None and points > 1 else "warming_up"
        return Finding(
            code,
            Severity.NEUTRAL,
            curves.first,
            Confidence.HIGH,
            {"points": points, "needed": needed},
        )
    if curves.train is None:
        level, drop = math.exp(curves.eval_now), curves.eval_drop
    else:
        level, drop = curves.now, curves.drop
    facts: dict[str, float | int | str] = {
        "level": level - curves.lift,
        "drop_percent": 100 * (1 - math.exp(-drop)),
        "points": points,
    }
    variant = _calm_variant(curves)
    sure = Confidence.LOW if variant or drop < LEARNT else Confidence.MEDIUM
    return Finding("healthy", Severity.OK, curves.first, sure, facts, variant)


ENOUGH_EVALS = 3
"""Evals before anything is said of a run that logs no train loss: two make no trend."""


def _calm_variant(curves: Signals) -> str:
    if curves.kind is LossKind.REWARD:
        return "reward"
    if curves.kind is LossKind.ADVERSARIAL:
        return "adversarial"
    if curves.train is None:
        return "eval_only"
    if curves.eval is None:
        return "train_only"
    return "" if curves.drop > FLAT_GAIN else "watching"


def too_few_evals(curves: Signals, sensitivity: float) -> Finding | None:
    """Train loss enough to judge, but too few evals to see overfitting."""
    del sensitivity
    if curves.train is None or curves.eval is None or curves.eval.points >= ENOUGH_EVALS:
        return None
    facts: dict[str, float | int | str] = {
        "points": curves.eval.points,
        "needed": ENOUGH_EVALS,
    }
    return Finding("too_few_evals", Severity.NEUTRAL, curves.first, Confidence.HIGH, facts, "aside")
