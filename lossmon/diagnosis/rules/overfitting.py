"""Overfitting: the eval loss rises while the train loss still falls."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from lossmon.diagnosis.curve_stats import CurveStats, log_ratio, median_of_few, running_median
from lossmon.diagnosis.facts import facts, rise_percent
from lossmon.diagnosis.noise import NOISE_WINDOW, NOISY, spread_of
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

SUSPECT_RISE = 0.03
"""Rise of the eval loss above its best that is reported when it is beyond the noise."""

CONFIRM_RISE = 0.05
"""Rise that confirms overfitting: five percent above the minimum (Prechelt's GL5) separates
labelled histories best, earlier ones still recover often."""

LONE_RISE = 0.15
"""Rise that a single eval after the best must show: one eval may be an outlier."""

FAR_RISE = 0.5
"""Rise from which a train loss that stays low, though it falls no further, is overfitting too."""

PAIR_RISE = 0.06
"""Rise that two evals after the best must show."""

SURE_EVALS = 3
"""Evals after the best before which a rise must exceed the last gain to be confirmed: evals that
still fall by as much may be on their way down."""

NOISE_FACTOR = 3.0
"""Rise in standard deviations of single evals."""

TRAIN_FELL = 0.02
"""Log fall of the train loss since the best eval: without it the model does not memorise, both
got worse together."""

SUSPECT_SHARE = 0.004
"""Least absolute rise as a share of the eval loss's whole fall: below it, a loss near zero
only jitters."""

CONFIRM_SHARE = 0.03
"""The same before it is confirmed, twice as much of few evals: less is not visible on the curve."""

NEWEST_SHARE = 0.5
"""Share of the present rise that the newest eval still has when it is confirmed: else they come
down again."""

MANY_EVALS = 24
"""Evals of a steady rise that confirm it, however small it is."""


def overfitting(signals: Signals) -> Finding | None:
    """The eval loss has turned up for good while the train loss keeps falling.

    While one more drop of a step-wise learning rate is due before the planned end, which two
    drops at equal intervals show, it is only suspected: the drop may still undo the rise.
    """
    evals, sensitivity = signals.eval, signals.sensitivity
    if evals is None or len(evals) < 2 or not _can_overfit(signals):
        return None
    after = len(evals) - 1 - signals.eval_best
    rise = _rise(signals)
    if after < 1 or rise <= 0:
        return None
    alone = not signals.sees_train_since_best
    large = after >= SURE_EVALS and rise >= math.log1p(FAR_RISE) / sensitivity
    if alone and after < SURE_EVALS:
        return None
    if not (alone or train_kept_falling(signals) or (large and train_stayed_low(signals))):
        return None
    if swings(signals):
        return None
    clear = _is_clear(signals, rise, after)
    steady = _on_its_way(signals, rise, after)
    sustained = steady and after >= MANY_EVALS and _still_rising(signals, rise)
    share = _share_of_progress(signals)
    if not (clear or steady) or share < SUSPECT_SHARE:
        return None
    newest = (signals.eval_log[-2:] - signals.eval_log[signals.eval_best]).tolist()
    confirmed = after >= 2 and min(rise, *newest) >= CONFIRM_RISE / sensitivity
    confirmed = confirmed and newest[-1] >= NEWEST_SHARE * rise
    if after < SURE_EVALS and signals.eval_best > 0:
        before = signals.eval_log[signals.eval_best - 1] - signals.eval_log[signals.eval_best]
        confirmed = confirmed and rise > float(before)
    visible = CONFIRM_SHARE * (1 if after >= SURE_EVALS else 2)
    confirmed = (confirmed and share >= visible) or sustained
    if not confirmed and (alone or not _still_rising(signals, rise)):
        return None
    confirmed = confirmed and (alone or not rate_drop_ahead(signals))
    return Finding(
        "overfitting",
        Severity.WARNING if confirmed else Severity.NOTICE,
        int(evals.x[signals.eval_best]),
        Confidence.LOW if alone else _confidence(signals, rise, after),
        _facts(signals),
        "alone" if alone else "" if confirmed else "suspected",
    )


STAIR = 2.0
"""Factor by which a step-wise learning rate must fall at each drop, the next of which may still
undo a rise: until it has come, overfitting is only suspected."""

STAIR_DROPS = 2
"""Drops at equal intervals from which the next is known, if it falls within the planned steps."""

STAIR_JITTER = 0.1
"""Share of an interval by which the drops may be late or early."""


def rate_drop_ahead(signals: Signals) -> bool:
    """One more drop of a step-wise learning rate is due before the planned end."""
    if signals.rate is None or not signals.total or signals.ended:
        return False
    warm = int(signals.rate.y.argmax())
    rates, steps = signals.rate.y[warm:], signals.rate.x[warm:]
    falls = np.flatnonzero(~np.isclose(rates[1:], rates[:-1], 1e-3, 0)) + 1
    # A bin in which the rate drops holds a mean of both: its two changes are one drop.
    falls = falls[np.diff(falls, prepend=-math.inf) > 1]
    stairs = [part[-1] for part in np.split(rates, falls)]
    if len(falls) < STAIR_DROPS or any(b * STAIR > a for a, b in pairwise(stairs)):
        return False
    intervals = np.diff(steps[falls], prepend=signals.first)
    interval = float(intervals.mean())
    slack = STAIR_JITTER * interval
    if float(intervals.max() - intervals.min()) > slack:
        return False
    due = float(steps[falls[-1]]) + interval
    return signals.step <= due + slack and due + slack < signals.total


SWING_RISE = 1.2
"""Times the largest swing of the evals, up or down since the best, or up and down lately before it:
what swings has no minimum. It is measured as it looks on the curve, not by logarithms, to which the
lowest of many noisy evals near zero is far below the others."""

AS_HIGH_RISE = 2.0
"""The same of a swing that came as high as the present level, in the later half of the time up to
the best: the lowest of noisy evals makes the present rise look larger than those before."""

LATELY = 2
"""Times since the best eval for which earlier swings count."""

LEVEL_SHARE = 24
"""Part of the evals whose median is a level: with many evals, a single outlier is not a swing."""

BACK = 1 / 3
"""Share of the present rise that an earlier one may have left behind and still be undone."""


def swings(signals: Signals) -> bool:
    """The present rise of the evals is not much larger than a swing before or amid it."""
    if signals.evals_left:
        return False
    evals = np.exp(signals.eval_log)
    levels = running_median(evals, len(evals) // LEVEL_SHARE | 1)
    best, now = int(levels.argmin()), math.exp(signals.eval_now)
    rise = max(float(levels[-1] - levels[best]), now - float(evals[signals.eval_best]))
    past = levels[max(0, best - LATELY * (len(levels) - 1 - best)) : best + 1]
    since = levels[best:]
    back = int((since <= levels[best] + BACK * rise).nonzero()[0][-1])
    undone = max(
        float((past - np.minimum.accumulate(past)).max()),
        float((since[: back + 1] - since[0]).max()),
        float((np.maximum.accumulate(since) - since).max()),
    )
    before = levels[best // 2 : best + 1]
    as_high = (before - np.minimum.accumulate(before))[before >= now]
    return rise <= max(SWING_RISE * undone, AS_HIGH_RISE * float(as_high.max(initial=0.0)))


def _can_overfit(signals: Signals) -> bool:
    """The eval loss shows what is learnt; of preferences only where no metric says otherwise."""
    if signals.kind is LossKind.PLAIN:
        return True
    if signals.kind is not LossKind.PREFERENCE or signals.eval is None or not signals.metrics:
        return False
    best_step = float(signals.eval.x[signals.eval_best])
    for channel in signals.metrics:
        assert channel.curve is not None
        metric = CurveStats(channel.curve.bins)
        good = -metric.y if channel.lower_is_better else metric.y
        at = min(int(metric.x.searchsorted(best_step)), len(good) - 1)
        if float(good[-2:].mean()) > float(good[at]):
            return False
    return True


PACE_EVALS = 6
"""Evals after the best that must have come before a small rise is judged by its pace."""

PACE_RISE = 0.01
"""Least rise for that: one percent."""

PACE = 0.045
"""Rise per age of the run at its best: at this pace the rise is confirmed by the time the run is
twice as old. Histories that creep up more slowly are rarely called overfit."""

PACE_TRAIN = 0.1
"""Log fall of the train loss since the best eval for that: a model that memorises does not do it
by a few percent."""

PACE_NOISE = 5.0
"""Rise in standard deviations of single evals for that: the best of many is low by about 3 by
chance."""


STILL_RISING = 0.5
"""Share of a small rise that must have come in the later half of the time since the best: a rise
that has levelled off below the five percent is where the run has settled."""


def _still_rising(signals: Signals, rise: float) -> bool:
    evals = signals.eval
    assert evals is not None
    # The present level is a median of three, whose middle is one eval back.
    middle = (signals.eval_best + len(evals) - 2) // 2
    if len(evals) - signals.eval_best < 4:
        return True
    return signals.eval_now - float(signals.eval_log[middle]) >= STILL_RISING * rise


def _on_its_way(signals: Signals, rise: float, after: int) -> bool:
    """A rise that is still small, but steady and quick for the age of the run."""
    evals, sensitivity = signals.eval, signals.sensitivity
    assert evals is not None
    if after < PACE_EVALS or rise < max(PACE_RISE / sensitivity, PACE_NOISE * signals.eval_noise):
        return False
    if signals.once(_train_fall) < PACE_TRAIN:
        return False
    best = float(evals.x[signals.eval_best])
    age = max(best - signals.first, evals.gap)
    return rise * age >= PACE / sensitivity * (evals.last - best)


def _rise(signals: Signals) -> float:
    """Log rise of the present eval level above the best."""
    return signals.eval_now - float(signals.eval_log[signals.eval_best])


def _is_clear(signals: Signals, rise: float, after: int) -> bool:
    """The rise cannot be noise, given how many evals came after the best.

    It is beyond the noise of the levels as well as of their logarithms: near zero the lowest of
    many noisy evals is many times lower than the others.
    """
    logs, sensitivity = signals.eval_log, signals.sensitivity
    least = (LONE_RISE, PAIR_RISE, SUSPECT_RISE)[min(after, SURE_EVALS) - 1]
    chance = 0.8 * math.sqrt(2 * math.log(max(2, min(len(logs), 30))))
    noises = NOISE_FACTOR / (math.sqrt(3) if after >= SURE_EVALS else 1) + chance
    if rise < max(math.log1p(least), noises * signals.eval_noise) / sensitivity:
        return signals.evals_left and rise >= math.log1p(LONE_RISE) / sensitivity
    if signals.evals_left or signals.eval_reversals < NOISY:
        return True
    levels = np.exp(logs[-NOISE_WINDOW:])
    height = math.exp(signals.eval_now) - float(levels.min())
    return height >= noises * spread_of(levels.tolist()) / sensitivity


def train_kept_falling(signals: Signals) -> bool:
    """The train loss has fallen since the best eval, beyond its noise."""
    fall = signals.once(_train_fall)
    return fall >= TRAIN_FELL and fall >= 2 * signals.train_level_error


def train_stayed_low(signals: Signals) -> bool:
    """Whether the train loss is still at or below its level at the best eval, after a real fall."""
    if not signals.sees_train_since_best or signals.drop < STAYED_DROP:
        return False
    return signals.once(_train_fall) >= -max(TRAIN_FELL, 2 * signals.train_at_eval_error)


STAYED_DROP = 0.2
"""Log fall of the train loss from its start that a model has learnt something by."""


def _train_fall(signals: Signals) -> float:
    """Log fall of the train loss since the best eval, from no higher than it started."""
    if not signals.sees_train_since_best:
        return 0.0
    past = signals.train_before_evals[: signals.common]
    best = signals.eval_best
    # A whole interval before the best eval began much higher; means over it are all there is.
    beside = past[best] if signals.train_lags else min(past[best], signals.train_at_evals[best])
    return log_ratio(min(float(beside), signals.start), median_of_few(past[-3:].tolist()))


STEADY_REVERSALS = 0.5
"""Share of the evals at which the course turns, from which a rise may be part of a swing."""


def _share_of_progress(signals: Signals) -> float:
    """The rise as a share of what the run has come down by."""
    best = math.exp(float(signals.eval_log[signals.eval_best]))
    high = max(math.exp(float(signals.eval_log[0])), signals.start if signals.train else 0.0)
    return (math.exp(signals.eval_now) - best) / high


def _confidence(signals: Signals, rise: float, after: int) -> Confidence:
    steady = signals.eval_reversals < STEADY_REVERSALS or signals.evals_left
    if rise >= 2 * CONFIRM_RISE and after >= 3 and steady:
        return Confidence.HIGH
    return Confidence.MEDIUM if after >= 3 else Confidence.LOW


def _facts(signals: Signals) -> dict[str, float | int | str]:
    evals = signals.eval
    assert evals is not None
    best = float(evals.y[signals.eval_best])
    now = math.exp(signals.eval_now)
    newest = math.exp(float(signals.eval_log[-1]))
    if newest - best >= NEWEST_SHARE * (now - best):
        # What stands in the log reads better than the level that is judged.
        now = newest
    return facts(
        eval=now - signals.offset,
        best=best - signals.offset,
        best_step=int(evals.x[signals.eval_best]),
        rise_percent=signals.share(rise_percent(log_ratio(now, best))),
        train=signals.now - signals.offset,
        evals=len(evals) - 1 - signals.eval_best,
    )
