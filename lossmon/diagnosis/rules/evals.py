"""What train and eval loss say together: overfitting, memorisation, unlike data."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.curve import median, relative
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

SUSPECT_RISE = 0.03
"""Rise of the eval loss above its best that is worth a word when it is beyond the noise."""

CONFIRM_RISE = 0.05
"""Rise that confirms overfitting: five percent above the minimum (Prechelt's GL5) separates
labelled histories best, earlier ones still recover often."""

LONE_RISE = 0.15
"""Rise that a single eval after the best must show: one eval may be an outlier."""

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

SHARE_OF_PROGRESS = 0.004
"""Least absolute rise as a share of the eval loss's whole fall: below it, a loss near zero
merely trembles."""


def overfitting(curves: Signals, sensitivity: float) -> Finding | None:
    """The eval loss has turned up for good while the train loss goes on falling."""
    evals = curves.eval
    if evals is None or len(evals) < 2 or curves.kind is not LossKind.PLAIN:
        return None
    after = len(evals) - 1 - curves.eval_best
    rise = _rise(curves)
    if after < 1 or rise <= 0 or not _train_went_on(curves):
        return None
    clear = rise >= _least_rise(curves, after) / sensitivity
    if not (clear or _on_its_way(curves, rise, after, sensitivity)) or not _worth(curves):
        return None
    lowest = float(np.min(curves.eval_log[-2:])) - float(curves.eval_log[curves.eval_best])
    confirmed = after >= 2 and min(rise, lowest) >= CONFIRM_RISE / sensitivity
    if after < SURE_EVALS and curves.eval_best > 0:
        before = curves.eval_log[curves.eval_best - 1] - curves.eval_log[curves.eval_best]
        confirmed = confirmed and rise > float(before)
    if not confirmed and not _still_rising(curves, rise):
        return None
    return Finding(
        "overfitting",
        Severity.WARNING if confirmed else Severity.NOTICE,
        int(evals.x[curves.eval_best]),
        _sureness(rise, after),
        overfit_facts(curves),
        "" if confirmed else "suspected",
    )


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
"""Rise in standard deviations of single evals for that: the best of many is lucky by about 3."""


STILL_RISING = 0.5
"""Share of a small rise that must have come in the later half of the time since the best: a rise
that has levelled off below the five percent is where the run has settled."""


def _still_rising(curves: Signals, rise: float) -> bool:
    evals = curves.eval
    assert evals is not None
    # The present level is a median of three, which lies one eval back.
    middle = (curves.eval_best + len(evals) - 2) // 2
    if len(evals) - curves.eval_best < 4:
        return True
    return curves.eval_now - float(curves.eval_log[middle]) >= STILL_RISING * rise


def _on_its_way(curves: Signals, rise: float, after: int, sensitivity: float) -> bool:
    """A rise still small, but steady and quick for the age of the run."""
    evals = curves.eval
    assert evals is not None
    if after < PACE_EVALS or rise < max(PACE_RISE / sensitivity, PACE_NOISE * curves.eval_noise):
        return False
    if _train_fall(curves) < PACE_TRAIN:
        return False
    best = float(evals.x[curves.eval_best])
    age = max(best - curves.first, evals.gap)
    return rise * age >= PACE / sensitivity * (evals.last - best)


def _rise(curves: Signals) -> float:
    """Log rise of the present eval level above the best."""
    return curves.eval_now - float(curves.eval_log[curves.eval_best])


def _least_rise(curves: Signals, after: int) -> float:
    """Log rise that cannot be noise, given how many evals came after the best."""
    noise = curves.eval_noise
    luck = 0.8 * noise * math.sqrt(2 * math.log(max(2, min(len(curves.eval_log), 30))))
    if after == 1:
        return max(math.log1p(LONE_RISE), NOISE_FACTOR * noise + luck)
    if after == 2:
        return max(math.log1p(PAIR_RISE), NOISE_FACTOR * noise + luck)
    return max(math.log1p(SUSPECT_RISE), NOISE_FACTOR / math.sqrt(3) * noise + luck)


def _train_went_on(curves: Signals) -> bool:
    """The train loss has fallen since the best eval, beyond its noise."""
    return _train_fall(curves) >= max(TRAIN_FELL, 2 * curves.pair_error)


def _train_fall(curves: Signals) -> float:
    """Log fall of the train loss since the best eval, from no higher than it started."""
    past = curves.paired_past
    if not len(past):
        return 0.0
    best = curves.eval_best
    # A whole interval before the best eval began much higher; means over it are all there is.
    beside = past[best] if curves.lags else min(past[best], curves.paired[best])
    return relative(min(float(beside), curves.start), median(past[-3:]))


def _worth(curves: Signals) -> bool:
    """The rise is visible against what the run has achieved."""
    best = math.exp(float(curves.eval_log[curves.eval_best]))
    high = max(math.exp(float(curves.eval_log[0])), curves.start if curves.train else 0.0)
    return math.exp(curves.eval_now) - best >= SHARE_OF_PROGRESS * high


def _sureness(rise: float, after: int) -> Confidence:
    if rise >= 2 * CONFIRM_RISE and after >= 3:
        return Confidence.HIGH
    return Confidence.MEDIUM if after >= 3 else Confidence.LOW


def overfit_facts(curves: Signals) -> dict[str, float | int | str]:
    """Numbers of the evidence sentence."""
    evals = curves.eval
    assert evals is not None
    best = float(evals.y[curves.eval_best])
    now = math.exp(curves.eval_now)
    return {
        "eval": now - curves.lift,
        "best": best - curves.lift,
        "best_step": int(evals.x[curves.eval_best]),
        "rise_percent": 100 * (now / best - 1) if best > 0 else 0.0,
        "train": curves.now - curves.lift,
        "evals": len(evals) - 1 - curves.eval_best,
    }


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


def fast_memorisation(curves: Signals, sensitivity: float) -> Finding | None:
    """The train loss collapsed while the eval loss gained nothing from it."""
    evals = curves.eval
    if evals is None or len(evals) < 2 or curves.kind is not LossKind.PLAIN or curves.lift:
        return None
    if curves.drop < MEMORISED_DROP or curves.eval_noise > STEADY_EVAL:
        return None
    gap = -float(curves.gap[-1])
    if gap < MEMORISED_GAP / sensitivity:
        return None
    gained = float(np.min(curves.eval_log[: (len(evals) + 1) // 2])) - curves.eval_now
    if gained > EVAL_IDLE:
        return None
    if curves.drop - gap > GENERALISED * curves.drop or not _collapsed(curves):
        return None
    facts = {
        "train": curves.now,
        "eval": math.exp(curves.eval_now),
        "ratio_times": math.exp(gap),
        "drop_percent": 100 * (1 - math.exp(-curves.drop)),
    }
    return Finding(
        "fast_memorisation",
        Severity.WARNING,
        _onset(curves, curves.gap < -MEMORISED_GAP / 2),
        Confidence.HIGH if gap > 2 * MEMORISED_GAP else Confidence.MEDIUM,
        facts,
    )


def _collapsed(curves: Signals) -> bool:
    """The train loss fell by `MEMORISED_DROP` within the first `FAST_STEPS`."""
    train = curves.train
    assert train is not None
    low = train.y < curves.start * math.exp(-MEMORISED_DROP)
    return bool(np.any(low)) and float(train.x[int(low.argmax())]) - curves.first <= FAST_STEPS


def _onset(curves: Signals, holds: np.ndarray) -> int:
    """Step of the eval from which a condition has held without a break."""
    assert curves.eval is not None
    broken = np.flatnonzero(~holds)
    at = int(broken[-1]) + 1 if len(broken) else 0
    return int(curves.eval.x[min(at, len(holds) - 1)])


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

SPIKE_HIDES = 0.75
"""Share of the run after which a spike still lifts the train level that evals are set against."""

HIGH_SHARE = 0.35
"""Train's log fall as a share of the eval's, both from the common start, around which the train
loss passes from staying high to falling too, only less than the eval loss."""

HIGH_DROP = 0.77
"""Log fall of the train loss at which the same happens: it has lost half of its start. Either
is uncertain by itself, so their mean decides."""


def unlike_data(curves: Signals, sensitivity: float) -> Finding | None:
    """The eval loss falls far below the train loss: the two sets are not alike."""
    evals = curves.eval
    if evals is None or len(evals) < 3 or curves.kind is not LossKind.PLAIN:
        return None
    if curves.train is None or curves.train.points < UNLIKE_POINTS or curves.start <= 0:
        return None
    if curves.spike is not None and curves.spike.last > curves.at(SPIKE_HIDES):
        return None
    if relative(curves.now, math.exp(curves.eval_now)) < HIGH_GAP / sensitivity / 2:
        return None
    gap = curves.late_gap[0] - 1.5 * curves.late_gap[1]
    lowest = float(np.min(curves.gap[: max(1, len(evals) // 4)]))
    growth, noise = gap - lowest, 2 * curves.eval_noise
    fell = max(curves.eval_drop, 1e-9)
    share = curves.drop / max(curves.drop + gap, 1e-9)
    least = HIGH_GAP if share < IDLE_SHARE and gap > 4 * curves.eval_noise else UNLIKE_GAP
    if gap < least / sensitivity or growth < max(UNLIKE_GROWTH, noise) / sensitivity:
        return None
    if growth < UNLIKE_SHARE * fell or fell < max(0.1, 2 * curves.eval_noise):
        return None
    high = share / HIGH_SHARE + curves.drop / HIGH_DROP < 2
    facts = {
        "train": curves.now - curves.lift,
        "eval": math.exp(curves.eval_now) - curves.lift,
        "train_drop_percent": 100 * (1 - math.exp(-curves.drop)),
        "eval_drop_percent": 100 * (1 - math.exp(-fell)),
        "ratio_times": math.exp(gap),
    }
    return Finding(
        "distribution_mismatch" if high else "easy_eval",
        Severity.WARNING if high else Severity.NOTICE,
        _onset(curves, curves.gap > least / 2),
        Confidence.HIGH if gap > 2 * UNLIKE_GAP else Confidence.MEDIUM,
        facts,
    )
