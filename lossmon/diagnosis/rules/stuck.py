"""A loss that does not move: `underfitting`, `plateau` or `lr_too_low`."""

from __future__ import annotations

import math

from lossmon.diagnosis.curve import relative
from lossmon.diagnosis.rules.descent import descending, told_apart
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

LEARNT = 0.22
"""Log fall of the loss below which little was learnt, unless the course shows a descent."""

LEARNT_EVAL = 0.16
"""The same for the eval loss, which is first logged when part of the fall is over."""

SLOW_POINTS = 10
"""Train points before a loss that does not move is called stuck."""

ALONE_POINTS = 40
"""The same where no eval loss tells the level without the noise of single batches."""

ALONE_ERROR = 0.01
"""Standard error of the gain over the second half up to which a train loss alone shows that nothing
moves, where the model tells its batches apart: a fine-tune falls by little more in that half."""

STUCK_GAIN = 0.03
"""Log gain over the second half of the run below which a loss that never fell is stuck."""

PLATEAU_DROP = 0.15
"""Log fall above which a stuck loss has at least begun to learn: a plateau, not underfitting."""

CRAWL_EVALS = 6
"""Evals before their course is split into halves."""

CRAWL_POINTS = 24
"""Train points before a straight crawl is told from a descent that has just begun."""

CRAWL_LEAST = 0.003
"""Least log fall that is called a crawl rather than standing still."""

CRAWL_PACE = 0.6
"""Fall of the later half over that of the earlier: a loss near its floor slows down by more."""

PICKING_UP = 1.5
"""The same ratio above which the descent is only beginning: nothing is stuck."""


def little_learnt(curves: Signals) -> bool:
    """Neither loss has come down noticeably since the start, beyond its noise."""
    return curves.drop - curves.drop_error < LEARNT and curves.eval_drop < LEARNT_EVAL


def stuck(curves: Signals, sensitivity: float) -> Finding | None:
    """The loss has hardly moved: `underfitting`, `plateau` or `lr_too_low`."""
    del sensitivity
    train = curves.train
    if train is None or curves.evidence < SLOW_POINTS or curves.kind is not LossKind.PLAIN:
        return None
    if (
        not curves.settled
        or not little_learnt(curves)
        or (curves.eval is not None and len(curves.eval) < 3)
    ):
        return None
    gain, error = curves.late_gain
    if gain > STUCK_GAIN + 2 * error or curves.late_eval_gain[0] > STUCK_GAIN:
        return None
    if curves.eval is None:
        sharp = ALONE_ERROR if told_apart(curves) else STUCK_GAIN
        if train.points < ALONE_POINTS or error > sharp:
            return None
    if descending(curves):
        return None
    facts: dict[str, float | int | str] = {
        "train": curves.now - curves.lift,
        "start": curves.start - curves.lift,
        "drop_percent": 100 * (1 - math.exp(-curves.drop)),
    }
    early, late, noise = _halves(curves)
    if late > max(PICKING_UP * max(early, 0.0), 4 * noise, CRAWL_LEAST):
        return None
    if early + late > max(CRAWL_LEAST, 4 * noise) and late > CRAWL_PACE * early > 0:
        if train.points < CRAWL_POINTS:
            return None
        code = "lr_too_low"
    else:
        code = "plateau" if curves.drop - curves.drop_error > PLATEAU_DROP else "underfitting"
    return Finding(code, Severity.NOTICE, int(curves.at(0)), Confidence.MEDIUM, facts)


def _halves(curves: Signals) -> tuple[float, float, float]:
    """Log fall over the earlier and over the later half of the run, and the error of each."""
    evals = curves.eval
    if evals is not None and len(evals) >= CRAWL_EVALS:
        logs = curves.eval_log
        middle = len(logs) // 2
        return float(logs[0] - logs[middle]), float(logs[middle] - logs[-1]), curves.eval_noise
    train = curves.calm_train
    assert train is not None
    parts = [train.mean(curves.at(i / 4), curves.at((i + 1) / 4)) for i in range(4)]
    return relative(parts[0], parts[1]), relative(parts[2], parts[3]), curves.late_gain[1]


FROZEN_TIMES = 8
"""Identical train losses in a row that no real batch gives."""

NEARLY_NOTHING = 0.02
"""Share of the start below which a loss is printed alike because it has too few digits left."""


def frozen(curves: Signals, sensitivity: float) -> Finding | None:
    """The train loss prints the very same number again and again."""
    del sensitivity
    if curves.same + 1 < FROZEN_TIMES or curves.kind is not LossKind.PLAIN:
        return None
    step, value = curves.recent[-1]
    if curves.now <= NEARLY_NOTHING * curves.start:
        return None
    facts: dict[str, float | int | str] = {"times": curves.same + 1, "train": value - curves.lift}
    return Finding("plateau", Severity.NOTICE, step, Confidence.MEDIUM, facts, "frozen")
