"""What the loss has done so far: flat, swinging, done, or on its way."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.curves import Curves
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

ENOUGH_POINTS = 5
"""Train points before anything but a fatal fault is said: the least in which a fall of all
neighbours is no accident (1 in 120)."""

FLAT_GAIN = 0.02
"""Log gain over the second half of the run below which a loss is flat: under 2 %."""

FLAT_SHARE = 0.05
"""The same as a share of the whole fall, for train losses that fell by orders of magnitude."""

LEARNT = 0.22
"""Log fall of the loss below which next to nothing was learnt: healthy fine-tunes fall by more
than 20 %."""

LEARNT_EVAL = 0.16
"""The same for the eval loss, which is first logged when part of the fall is over."""

SLOW_POINTS = 8
"""Train points before a loss that does not move is called stuck."""

ALONE_POINTS = 40
"""The same where no eval loss tells the level without the noise of single batches."""

STUCK_GAIN = 0.03
"""Log gain over the second half of the run below which a loss that never fell is stuck."""

CONVERGED_POINTS = 20
"""Train points before convergence is claimed."""


FLAT_ERROR = 0.05
"""Standard error of the gain, as a share of the fall, above which flatness cannot be told."""


def flat(curves: Curves) -> bool:
    """Neither loss has gained anything over the second half of the run, as far as can be told."""
    gain, error = curves.late_gain
    eval_gain, eval_error = curves.late_eval_gain
    least = max(FLAT_GAIN, FLAT_SHARE * abs(curves.drop))
    if abs(gain) > least + min(2 * error, least) or error > FLAT_ERROR * max(curves.drop, 1.0):
        return False
    if not math.isfinite(eval_error):
        return True
    return abs(eval_gain) - 2 * eval_error < FLAT_GAIN


def little_learnt(curves: Curves) -> bool:
    """Neither loss has come down noticeably since the start."""
    return curves.drop < LEARNT and curves.eval_drop < LEARNT_EVAL


def converged(curves: Curves, sensitivity: float) -> Finding | None:
    """Both losses are flat after a real descent."""
    del sensitivity
    train = curves.train
    if train is None or train.points < CONVERGED_POINTS or little_learnt(curves):
        return None
    if not flat(curves) or _evals_to_come(curves):
        return None
    gain, error = curves.late_gain
    facts: dict[str, float | int | str] = {
        "train": curves.now - curves.lift,
        "change_percent": 100 * (1 - math.exp(-gain)),
        "error_percent": 100 * min(error, 9.99),
        "drop_percent": 100 * (1 - math.exp(-curves.drop)),
    }
    return Finding(
        "converged", Severity.OK, int(curves.at(0.5)), Confidence.MEDIUM, facts
    )


def _evals_to_come(curves: Curves) -> bool:
    """The run has an eval loss, but not enough of it to see a plateau."""
    return curves.eval is not None and len(curves.eval) < 3


def stuck(curves: Curves, sensitivity: float) -> Finding | None:
    """The loss has hardly moved: `underfitting`, `plateau` or `lr_too_low`."""
    del sensitivity
    train = curves.train
    if train is None or train.points < SLOW_POINTS or curves.kind is not LossKind.PLAIN:
        return None
    if not little_learnt(curves) or (curves.eval is not None and len(curves.eval) < 3):
        return None
    gain, error = curves.late_gain
    if gain > STUCK_GAIN + 2 * error or curves.late_eval_gain[0] > STUCK_GAIN:
        return None
    if curves.eval is None and (train.points < ALONE_POINTS or error > STUCK_GAIN):
        return None
    facts: dict[str, float | int | str] = {
        "train": curves.now - curves.lift,
        "start": curves.start - curves.lift,
        "drop_percent": 100 * (1 - math.exp(-curves.drop)),
    }
    code = "plateau" if curves.drop > 0.1 else "underfitting"
    return Finding(code, Severity.NOTICE, int(curves.at(0)), Confidence.MEDIUM, facts)


EVAL_SWING = 0.05
"""Scatter of neighbouring evals as a share of the whole fall: the eval loss is a mean over many
examples, so when it swings the weights do."""

SWING_EVALS = 8
"""Evals before their scatter is told from one odd eval."""

EVAL_SWING_LEAST = 0.02
"""Least scatter of neighbouring evals: below it swings do not matter."""

TRAIN_SWING = 0.55
"""Relative scatter of single train points at which one says nothing about the level."""

TRAIN_SWING_SHARE = 0.4
"""The same as a share of the whole fall: the noise swallows the progress."""


def oscillating(curves: Curves, sensitivity: float) -> Finding | None:
    """The losses swing by much of what they have gained."""
    train = curves.train
    if train is None or train.points < CONVERGED_POINTS or curves.kind is not LossKind.PLAIN:
        return None
    fell = max(curves.drop, curves.eval_drop, 0.05)
    noise = curves.late_noise
    by_train = noise > TRAIN_SWING / sensitivity and noise > TRAIN_SWING_SHARE * fell
    swing = curves.eval_noise if curves.eval is not None and len(curves.eval) >= SWING_EVALS else 0.0
    by_eval = swing > EVAL_SWING_LEAST / sensitivity and swing > EVAL_SWING * fell
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
    facts: dict[str, float | int | str] = {
        "train": curves.now - curves.lift,
        "drop_percent": 100 * (1 - math.exp(-curves.drop)),
    }
    return Finding("healthy", Severity.OK, curves.first, Confidence.LOW, facts)
