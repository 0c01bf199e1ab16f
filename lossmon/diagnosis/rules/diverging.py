"""Divergence: the loss rose far above its best level and stays there."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.curve_stats import CAP_WINDOW, log_ratio, median
from lossmon.diagnosis.facts import facts
from lossmon.diagnosis.noise import at_least, with_unsure_noise
from lossmon.diagnosis.rules.overfitting import train_kept_falling, train_stayed_low
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.signals.train_signals import MEDIAN_ERROR, MOST_LEVEL_POINTS
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity

EXCESS = math.log(1.5)
"""Log rise of the train loss above its best level before divergence is thought of: healthy
losses, restarts of the schedule included, come back from less."""

YOUNG_POINTS = 32
"""Train points of a log of nearly every step below which its noise is not known yet."""

YOUNG_EXCESS = math.log(4)
"""Log rise asked for until then: where learning-rate finders call it a blow-up."""

EXCESS_NOISE = 3.5
"""The same in standard errors of the present level, on top of how low the lowest of many is by
chance."""

REAL_PROGRESS = 0.35
"""Log fall from the start to the best level. A run that never fell by 30 % has no best level
worth the name: it is measured against its start."""

GIVEN_BACK = 0.6
"""Share of the run's progress that is lost when it has diverged: a spike that recovers leaves
the optimizer with most of what it had learnt."""

RISING_BACK = 0.3
"""Share of the progress lost at which a loss that still rises is called diverging."""

JOINT_BACK = 0.1
"""Share of the progress lost at which it is where the evals rise with the train loss: two witnesses
need less than one, but near zero a loss of 0.02 after 0.01 is nothing lost."""

JOINT_RISES = 3
"""Evals in a row that then lie higher than the one before: by chance one run of four in twenty
ends so, and hardly any far above its best."""


def diverging(signals: Signals) -> Finding | None:
    """The loss has risen far above its best level and stays there, or still rises."""
    if signals.kind is not LossKind.PLAIN:
        return None
    sensitivity = signals.sensitivity_to("diverging")
    return (
        _by_train(signals, sensitivity)
        or _by_both(signals, sensitivity)
        or _by_evals(signals, sensitivity)
        or _above_its_start(signals, sensitivity)
    )


def _by_train(signals: Signals, sensitivity: float) -> Finding | None:
    train = signals.train
    if train is None or train.points < 6:
        return None
    least, lowest = EXCESS / max(sensitivity, 1.0), float(train.y.min())
    # Most runs end here: a median of the newest points is not above the highest of them.
    if log_ratio(max(value for _, value in signals.recent[-MOST_LEVEL_POINTS:]), lowest) < least:
        return None
    if not signals.start > 0 or log_ratio(signals.present_level, lowest) < least:
        return None
    level, earlier, best, best_step, onset = _levels(signals)
    if not best > 0:
        return None
    progress = log_ratio(signals.start, best)
    real = progress >= REAL_PROGRESS + signals.level_chance
    young = train.points < (FEW_POINTS if signals.is_coarse else YOUNG_POINTS)
    reference = best if real and not young else max(signals.start, best)
    excess = log_ratio(level, reference)
    if excess < _least_excess(signals) / sensitivity or _evals_disagree(signals, excess):
        return None
    if excess < RECOVERED_RISE * signals.largest_recovered_rise / sensitivity:
        return None
    if _is_scatter(signals, best, level, onset):
        return None
    scale = max(signals.start, best) - best
    back = (level - best) / scale if scale > 0.05 * best else math.inf
    rising = level > 1.1 * earlier and not signals.rate_is_back
    gone = back >= GIVEN_BACK / sensitivity
    alone = rising and back >= RISING_BACK / sensitivity
    if not (gone or alone or (back >= JOINT_BACK / sensitivity and _evals_agree(signals, least))):
        return None
    recovers = _recovers(signals, level, earlier, best)
    evidence = facts(
        train=level - signals.offset,
        best=best - signals.offset,
        best_step=best_step,
    )
    return Finding(
        "diverging",
        Severity.CRITICAL if gone and not recovers else Severity.WARNING,
        onset,
        Confidence.HIGH if back > 1 and not recovers else Confidence.MEDIUM,
        evidence,
        "recovering" if recovers else "" if gone else "rising",
    )


CHANCE = 1e-3
"""Probability up to which chance does not explain a level: a run is judged some tens of times."""


BLOWN_UP = 4.0
"""Times the earlier points at which a level is a blow-up, by the measure of learning-rate finders:
no noise needs excluding."""


def _is_scatter(signals: Signals, best: float, level: float, onset: int) -> bool:
    """Single points were as high so often before the rise that those since may be such by chance.

    Counting them needs no assumption about their distribution: losses of single batches may have
    a long tail, of which a few in a row are no rise. What was not seen in ten points may still be
    seen in the next, so one more than were seen count.
    """
    train = signals.train
    assert train is not None
    width, weight = min(signals.level_width, len(signals.recent)), float(train.weight[0])
    start, end = train.x.searchsorted([(train.first + onset) / 2, onset]).tolist()
    highs = train.highs[start : end - math.ceil(width / weight)]
    if not len(highs) or level >= BLOWN_UP * float(highs.max()):
        return False
    high = (best + level) / 2
    share = (np.count_nonzero(highs >= high) + 1) / (len(highs) + 1)
    since = sum(step >= onset for step, _ in signals.recent)
    newest = [value for _, value in signals.recent][-max(since, width) :]
    times = sum(value >= high for value in newest)
    return at_least(times, len(newest), 1 - (1 - share) ** (1 / weight)) > CHANCE


FEW_POINTS = 12
"""Train points below which a run has no best level worth the name: it is measured against its
start."""

RECOVERED_SHARE = 0.2
"""Share of the rise that has been regained when a run is on its way back."""


def _recovers(signals: Signals, level: float, earlier: float, best: float) -> bool:
    """The newest points fall, or the evals since the rise do."""
    peak = max(value for _, value in signals.recent)
    error = 1 + 2 * signals.level_error
    if level * error < earlier and level < peak - RECOVERED_SHARE * (peak - best):
        return True
    evals = signals.eval
    if evals is None or len(evals) < 3:
        return False
    top = int(signals.eval_log[signals.eval_best :].argmax()) + signals.eval_best
    since = signals.eval_log[top:]
    least = max(EVAL_WELL, EXCESS_NOISE * signals.eval_noise)
    if len(since) < 2 or float(since[0] - since[-1]) <= least:
        return False
    return float(since[(len(since) - 1) // 2] - since[-1]) > STILL_FALLING


STILL_FALLING = math.log(1.05)
"""Log fall of the evals over the later half of the time since their highest: one that fell at once
and has stood still since is not on its way back."""

RECOVERED_RISE = 1.3
"""Times the largest rise that the run has already recovered from: slow swings are not a
divergence."""

EVAL_WELL = math.log(1.2)
"""Log rise of an eval above the best below which nothing has diverged: noise of single batches
looks like a divergence, but leaves the evals where they were."""

UNSURE = 1.5
"""Times the excess that noise asks for up to which a train loss of single batches waits for the
next eval."""


def _evals_disagree(signals: Signals, excess: float) -> bool:
    """An eval since the train loss rose is well, or noise makes it worth waiting for one."""
    evals = signals.eval
    if evals is None or len(evals) < 2 or not signals.recent:
        return False
    rose = signals.recent[-min(signals.level_width, len(signals.recent))][0]
    if evals.last >= rose:
        return float(signals.eval_log[-1]) - float(signals.eval_log.min()) < EVAL_WELL
    least = EXCESS_NOISE * signals.level_error + signals.level_chance
    return least > EXCESS and excess < UNSURE * least


def _evals_agree(signals: Signals, least: float) -> bool:
    """The evals have risen as far as is asked of the train loss, and still rise."""
    evals = signals.eval
    if evals is None or len(evals) <= JOINT_RISES or signals.rate_is_back:
        return False
    newest = signals.eval_log[-JOINT_RISES - 1 :]
    rise = float(newest[-1] - signals.eval_log.min())
    return bool((np.diff(newest) > 0).all()) and rise >= max(
        least, EXCESS_NOISE * signals.eval_noise
    )


EVALS_FOR_BOTH = 6
"""Evals that decide where they are the denser curve: as many as the rule needs train points.
Fewer do where each lies above the one before."""

TRAIN_ROSE = math.log(1.2)
"""Log rise of the train loss since the best eval: were it falling, the run would overfit."""


ALONE_EVALS = 4
"""Evals that show by themselves that a run has diverged: the best, and three far above it."""


def _by_evals(signals: Signals, sensitivity: float) -> Finding | None:
    """The evals stay far above their best, and no falling train loss explains it as overfitting."""
    evals = signals.eval
    if evals is None or len(evals) < ALONE_EVALS:
        return None
    since = signals.eval_log[signals.eval_best + 1 :]
    if len(since) < ALONE_EVALS - 1:
        return None
    lowest = float(since[-(ALONE_EVALS - 1) :].min()) - float(signals.eval_log[signals.eval_best])
    noise = 0.0 if signals.evals_left else EXCESS_NOISE * signals.eval_noise
    if lowest < max(EXCESS, noise) / sensitivity:
        return None
    if train_kept_falling(signals) or train_stayed_low(signals):
        return None
    best, level = float(evals.y[signals.eval_best]), math.exp(signals.eval_now)
    first = float(evals.y[0])
    back = (level - best) / (first - best) if first > 1.05 * best else math.inf
    if back < GIVEN_BACK / sensitivity:
        return None
    best_step = int(evals.x[signals.eval_best])
    falls = float(since[-1]) < float(since.max()) - EVAL_WELL
    evidence = facts(eval=level - signals.offset, best=best - signals.offset, best_step=best_step)
    severity = Severity.WARNING if falls or back < 1 else Severity.CRITICAL
    onset = _onset(evals.x, signals.eval_log, signals.eval_best, signals.eval_now)
    return Finding("diverging", severity, onset, Confidence.MEDIUM, evidence, "evals")


ABOVE_START = 0.07
"""Log rise above the very first points from which a run is worse off than at its start."""

FAR_ABOVE_START = 0.15
"""The same beside evals that fall, as they do after the worst is over, and above the first point
alone."""

ABOVE_NOISES = 3.5
"""The same in standard errors."""

ABOVE_POINTS = 12
"""Train points before that is said: a warm-up shakes a good model for a while."""

BELOW_START = 0.25
"""Share of the run that was better than its start, above which it has not been wrecked by it."""


def _above_its_start(signals: Signals, sensitivity: float) -> Finding | None:
    """The model is worse than when it started, as a fine-tune at too high a rate leaves it."""
    train = signals.train
    if train is None or train.points < ABOVE_POINTS or signals.is_early:
        return None
    if not any(signals.now > start for start, _ in signals.first_levels):
        return None
    level = train.around if len(train) >= CAP_WINDOW else train.y
    first = _exceeded_start(signals, float(level.max()), sensitivity)
    if not first > 0:
        return None
    if signals.eval is not None and math.exp(signals.eval_now) < first:
        return None
    if np.count_nonzero(level < first) > BELOW_START * len(level):
        return None
    evidence = facts(
        train=signals.now - signals.offset,
        start=first - signals.offset,
        best=train.minimum[0] - signals.offset,
        best_step=train.minimum[1],
    )
    return Finding(
        "diverging", Severity.WARNING, int(train.first), Confidence.MEDIUM, evidence, "above_start"
    )


def _exceeded_start(signals: Signals, highest: float, sensitivity: float) -> float:
    """Lowest of the starting levels that the run lies above and surely rose from, 0 for none.

    What shows that it rose is its highest level, or the evals: a run that was wrecked at once is
    on its way back for most of the time.
    """
    train = signals.train
    assert train is not None
    error = MEDIAN_ERROR * signals.late_noise / math.sqrt(CAP_WINDOW)
    levels = max(train.points / CAP_WINDOW, 1.0)
    highest /= 1 + error * math.sqrt(2 * math.log(levels))
    noises = with_unsure_noise(ABOVE_NOISES, signals.noise_freedom) / sensitivity
    falls, evals_rose = signals.eval_drop > 0, _evals_rose(signals, sensitivity)
    exceeded = []
    for nth, (start, start_error) in enumerate(signals.first_levels):
        least = FAR_ABOVE_START if falls or nth == 0 else ABOVE_START
        sure = highest - start >= noises * math.hypot(start_error, error) * highest
        if (sure or evals_rose) and log_ratio(signals.now, start) >= least / sensitivity:
            exceeded.append(start)
    return min(exceeded, default=0.0)


def _evals_rose(signals: Signals, sensitivity: float) -> bool:
    """The evals are above the first of them, beyond their noise."""
    if len(signals.eval_log) < 2:
        return False
    noises = with_unsure_noise(ABOVE_NOISES, len(signals.eval_log) - 1) / sensitivity
    return -signals.eval_drop >= noises * signals.eval_noise


def _onset(places: np.ndarray, logs: np.ndarray, best: int, level: float) -> int:
    """Step after which a curve stayed above a quarter of its rise from the best to a level."""
    begun = logs[best] + RISE_BEGUN * max(level - logs[best], 0.0)
    low = np.flatnonzero(logs[best:] <= begun)
    return int(places[min(best + int(low[-1]) + 1, len(places) - 1)])


RISE_BEGUN = 0.25
"""Share of the rise at which it has begun."""


def _by_both(signals: Signals, sensitivity: float) -> Finding | None:
    """The same of the evals, where they are the denser curve and the train loss rose too."""
    train, evals = signals.train, signals.eval
    if train is None or evals is None or train.gap < evals.gap:
        return None
    agree = _evals_agree(signals, EXCESS / sensitivity) or _both_blew_up(signals)
    if len(evals) < EVALS_FOR_BOTH and not agree:
        return None
    best = float(evals.y.min())
    level = float(evals.y[-1]) if agree else math.exp(signals.eval_now)
    start = max(float(evals.y[0]), best)
    real = log_ratio(start, best) >= REAL_PROGRESS
    excess = max(EXCESS, EXCESS_NOISE * signals.eval_noise)
    if log_ratio(level, best if real else start) < excess / sensitivity:
        return None
    back = (level - best) / (start - best) if start > 1.05 * best else math.inf
    then = float(signals.train_before_evals[: signals.eval_best + 1].min())
    if back < GIVEN_BACK / sensitivity or log_ratio(signals.now, then) < TRAIN_ROSE:
        return None
    if signals.now - then < JOINT_BACK * (signals.start - then):
        return None
    best_step = int(evals.x[signals.eval_best])
    evidence = facts(
        train=signals.now - signals.offset,
        best=then - signals.offset,
        best_step=best_step,
    )
    onset = _onset(evals.x, signals.eval_log, signals.eval_best, math.log(level))
    return Finding("diverging", Severity.CRITICAL, onset, Confidence.MEDIUM, evidence)


def _both_blew_up(signals: Signals) -> bool:
    """The newest train point and eval are far above every earlier one of their loss."""
    train, evals = signals.train, signals.eval
    assert train is not None and evals is not None
    both = (train.y, evals.y)
    return all(len(y) >= JOINT_RISES and y[-1] > BLOWN_UP * y[:-1].max() for y in both)


def _levels(signals: Signals) -> tuple[float, float, float, int, int]:
    """Present level, the one before, the best level, its step and where the rise from it began.

    Levels are medians of few points.
    """
    values = np.array([value for _, value in signals.recent])
    width = signals.level_width
    level = signals.present_level
    earlier = median(values[-2 * width : -width]) if len(values) > width else level
    train = signals.train
    assert train is not None
    means, steps = train.levels(width)
    at = int(means.argmin())
    onset = _onset(steps, np.log(np.maximum(means, 1e-300)), at, math.log(max(level, 1e-300)))
    return level, earlier, float(means[at]), int(steps[at]), onset


def _least_excess(signals: Signals) -> float:
    """Log rise that neither healthy swings nor chance explain."""
    assert signals.train is not None
    young = signals.train.points < YOUNG_POINTS and not signals.is_coarse
    least = YOUNG_EXCESS if young else EXCESS
    noises = with_unsure_noise(EXCESS_NOISE, signals.noise_freedom)
    return max(least, noises * signals.level_error + signals.level_chance)
