"""Convergence: the losses are flat after a real descent."""

from __future__ import annotations

import math

from lossmon.diagnosis.facts import facts, percent
from lossmon.diagnosis.rules.spike import shaken
from lossmon.diagnosis.rules.stuck import little_learnt
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

FLAT_GAIN = 0.02
"""Gain over the second half of the run, of the level or of the whole fall, below which a loss is
flat: near its floor, a loss that fell a hundredfold may still halve, which is not visible on
the curve."""

STAY_FLAT = 1.5
"""Times that gain from which a loss that has been called flat is not any more."""

CONVERGED_SWING = 0.03
"""Scatter of neighbouring evals, as a share of the fall, above which nothing has settled."""

STEADY = 0.3
"""Scatter of the train level beside the evals, over theirs, below which only the evals scatter:
weights that swing move both, a small eval set moves its own loss alone."""

CONVERGED_POINTS = 20
"""Train points before convergence is claimed."""

ENDED_POINTS = 12
"""The same of a run that is over: nothing more will come."""

SLACK = 3.0
"""Standard errors by which the train loss may seem to move beside evals that do not: the error
itself is known from few points."""

FLAT_ERROR = 0.06
"""Standard error of the gain, as a share of the fall, above which flatness cannot be judged."""


def flat(signals: Signals) -> bool:
    """Neither loss has gained anything over the second half of the run, within its error."""
    gain, error = signals.late_gain
    stay = STAY_FLAT if signals.badge == "converged" else 1.0
    least = stay * _still(signals.drop)
    eval_gain, eval_error = signals.late_eval_gain
    if not math.isfinite(eval_error):
        precise = error <= FLAT_ERROR * max(signals.drop, 1.0)
        return precise and abs(gain) <= least + min(2 * error, FLAT_GAIN)
    # Where evals show the level, the noise of the batches does not matter.
    still = stay * _still(signals.eval_fall)
    return abs(eval_gain) - 2 * eval_error < still and abs(gain) <= least + SLACK * error


def _share_of_fall(signals: Signals, gain: float) -> float:
    """A late gain as a share of the whole fall; both are logarithms, the share is of levels."""
    fall = max(signals.drop, signals.eval_fall)
    return math.expm1(min(gain, 700.0)) / math.expm1(min(fall, 700.0)) if fall > 0 else math.nan


def _still(fall: float) -> float:
    """Log gain over the second half below which a loss that fell by so much is flat."""
    return max(FLAT_GAIN, math.log1p(FLAT_GAIN * math.expm1(min(fall, 700.0))))


def converged(signals: Signals) -> Finding | None:
    """The losses are flat after a real descent."""
    train = signals.train
    if signals.kind in (LossKind.REWARD, LossKind.ADVERSARIAL, LossKind.SUMMED):
        return None
    least = ENDED_POINTS if signals.ended else CONVERGED_POINTS
    if train is None or signals.logged_steps < least or little_learnt(signals):
        return None
    if not signals.is_long_enough:
        return None
    if not flat(signals) or _evals_to_come(signals) or shaken(signals):
        return None
    limit = CONVERGED_SWING * max(signals.drop, 1.0)
    if signals.eval_noise > limit and not _settled_beside_noise(signals):
        return None
    gain, _ = signals.late_gain
    evidence = facts(
        train=signals.now - signals.offset,
        moved_percent=percent(_share_of_fall(signals, abs(gain))),
        drop_percent=signals.fallen(signals.drop),
    )
    return Finding("converged", Severity.OK, int(signals.at(0.5)), Confidence.MEDIUM, evidence)


def train_is_steady(signals: Signals) -> bool:
    """Where the evals scatter, they do so alone."""
    train = signals.train
    if train is None or train.points < CONVERGED_POINTS:
        return False
    return signals.train_level_error < STEADY * signals.eval_noise


def _settled_beside_noise(signals: Signals) -> bool:
    """The train loss is flat by itself, and the evals scatter because they are of few examples."""
    return train_is_steady(signals) and abs(signals.late_gain[0]) <= _still(signals.drop)


def _evals_to_come(signals: Signals) -> bool:
    """The run has an eval loss, but not enough of it to see a plateau."""
    return signals.eval is not None and len(signals.eval) < 2
