"""Oscillation: the losses swing by much of what they have gained."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.curve_stats import CAP_WINDOW, log_ratio
from lossmon.diagnosis.facts import facts, percent
from lossmon.diagnosis.rules.converged import CONVERGED_POINTS, train_is_steady
from lossmon.diagnosis.rules.spike import shaken
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.signals.train_signals import MEDIAN_ERROR
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

EVAL_SWING = 0.05
"""Scatter of neighbouring evals as a share of the whole fall: the eval loss is a mean over many
examples, so when it swings the weights do."""

SWING_EVALS = 8
"""Evals from which their scatter is more than one outlier."""

JOINING_EVALS = 4
"""The same where the train loss swings as well."""

TURNING = 0.35
"""Share of the evals at which their course turns round: two thirds for pure noise, next to none
for a curve that bends, or jumps once and comes back."""

EVAL_SWING_LEAST = 0.02
"""Least scatter of neighbouring evals: below it swings do not matter."""

TRAIN_SWING = 0.55
"""Relative scatter of single train points at which a single point says little about the level."""

BOTH_SWING = 0.28
"""The same where the evals scatter too: weights that swing move both losses."""

EVAL_JOINS = 0.2
"""Scatter of the evals over that of the train points from which they swing together: batches that
merely differ leave the evals where they were."""

TRAIN_SWING_SHARE = 0.4
"""The same as a share of the whole fall: the noise swallows the progress."""

LEVEL_GAIN = 0.5
"""Fall of the loss over the second half, in standard deviations of single points, below which it
swings about a level that hardly improves."""


def oscillating(signals: Signals) -> Finding | None:
    """The losses swing by much of what they have gained."""
    train, sensitivity = signals.train, signals.sensitivity_to("oscillating")
    if train is None or train.points < CONVERGED_POINTS or signals.kind is not LossKind.PLAIN:
        return None
    stay = sensitivity / signals.sensitivity
    fell = max(signals.drop, signals.eval_drop, 0.05)
    noise = signals.late_noise
    least = BOTH_SWING if _evals_join(signals) else TRAIN_SWING
    by_train = noise > least / sensitivity and (
        noise > TRAIN_SWING_SHARE * fell / stay
        or abs(signals.late_gain[0]) < LEVEL_GAIN * noise * stay
    )
    if signals.eval is not None and len(signals.eval) >= JOINING_EVALS:
        # Where evals hold still, the batches differ, not the weights.
        by_train = by_train and signals.eval_noise > EVAL_SWING_LEAST / sensitivity
    swing = signals.once(eval_swing)
    by_eval = swing > 0
    if not (by_train or by_eval):
        swing = _level_swing(signals)
        if not swing > 0:
            return None
    evidence = facts(
        noise_percent=signals.share(percent(noise)),
        swing_percent=signals.share(percent(swing)),
        drop_percent=signals.fallen(max(signals.drop, signals.eval_drop)),
        train=signals.now - signals.offset,
    )
    return Finding(
        "oscillating",
        Severity.NOTICE,
        int(signals.at(0.5)),
        Confidence.MEDIUM,
        evidence,
        "eval" if by_eval else "train" if by_train else "level",
    )


SETTLING = 0.35
"""Share of the run after which swings of its level count: before it, the loss still falls."""

LEVEL_TURNS = 4
"""Times that the level of the train loss must have turned since: two rises that came back, each
followed by another."""

LEVEL_SWING = 0.25
"""Rise and fall of the level that is a swing; restarts of a schedule leave about half of it."""

LEVEL_NOISES = 6.0
"""The same in standard errors of the level, whose noise may have a long tail."""

LEVEL_SHARE = 0.15
"""Range of the swings as a share of the whole fall: less is not visible on the curve."""


def _level_swing(signals: Signals) -> float:
    """Range of the train level, relative to it, where it turns again and again, else 0."""
    train = signals.train
    if train is None or len(train) < CONVERGED_POINTS or not signals.start > 0:
        return 0.0
    level = np.maximum(train.around[int(train.x.searchsorted(signals.at(SETTLING))) :], 1e-300)
    low, high = float(level.min()), float(level.max())
    if high - low < LEVEL_SHARE * max(signals.start - low, low) / signals.sensitivity:
        return 0.0
    error = MEDIAN_ERROR * signals.late_noise / math.sqrt(CAP_WINDOW * float(train.weight[0]))
    least = max(math.log1p(LEVEL_SWING), LEVEL_NOISES * error) / signals.sensitivity
    if log_ratio(high, low) < least or _turns(np.log(level).tolist(), least) < LEVEL_TURNS:
        return 0.0
    # A learning rate that rose again explains a loss that does.
    return 0.0 if signals.rate_came_back else (high - low) / (high + low)


def _turns(logs: list[float], least: float) -> int:
    """How often a curve turns by at least so much; its first turn, as of a descent, is none."""
    turns, rising, extreme = -1, False, logs[0]
    for value in logs:
        if (value > extreme) is rising and value != extreme:
            extreme = value
        elif abs(value - extreme) >= least:
            turns, rising, extreme = turns + 1, not rising, value
    return max(turns, 0)


def _evals_join(signals: Signals) -> bool:
    """The evals scatter by a noticeable part of what the train points do."""
    if signals.eval is None or len(signals.eval) < JOINING_EVALS:
        return False
    return signals.eval_noise > EVAL_JOINS * signals.late_noise


def eval_swing(signals: Signals) -> float:
    """Scatter of neighbouring evals where it is too large for a run that settles, else 0."""
    if signals.eval is None or len(signals.eval) < SWING_EVALS or shaken(signals):
        return 0.0
    if signals.eval_reversals < TURNING or train_is_steady(signals):
        return 0.0
    # Relative to the level a swing near the floor looks large that is not visible on the curve.
    swing, fell = signals.eval_noise, math.expm1(min(max(signals.eval_fall, 0.05), 700.0))
    large = swing > EVAL_SWING_LEAST / signals.sensitivity and swing > EVAL_SWING * fell
    return swing if large else 0.0
