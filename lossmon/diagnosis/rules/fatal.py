"""What ends a run, or shakes it: values that are no numbers, divergence, spikes."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.curve import median, relative, windows
from lossmon.diagnosis.curves import Curves
from lossmon.diagnosis.state import LossKind
from lossmon.types import Confidence, Finding, Severity


def non_finite(curves: Curves, sensitivity: float) -> Finding | None:
    """A loss was NaN or infinite, or printed as 0.0 while its gradient was NaN."""
    del sensitivity
    broken = curves.broken
    if broken is None:
        return _bad_gradients(curves)
    masked = broken.what == "masked"
    facts: dict[str, float | int | str] = {
        "series": "train loss" if masked else broken.what,
        "step": broken.step,
        "times": broken.times,
    }
    return Finding(
        "non_finite",
        Severity.CRITICAL,
        broken.step,
        Confidence.HIGH,
        facts,
        "masked" if masked else "",
    )


BAD_GRADIENTS = 9
"""Three gradient norms that are no numbers among ten: fp16 loss scaling skips a lone one."""


def _bad_gradients(curves: Curves) -> Finding | None:
    """The gradients are no numbers while the loss still is one."""
    if curves.bad_gradients < BAD_GRADIENTS:
        return None
    facts: dict[str, float | int | str] = {
        "series": "gradient norm",
        "step": curves.step,
        "times": 3,
    }
    return Finding(
        "non_finite", Severity.WARNING, curves.step, Confidence.MEDIUM, facts, "gradient"
    )


EXCESS = math.log(1.5)
"""Log rise of the train loss above its best level before divergence is thought of: healthy
losses, restarts of the schedule included, come back from less."""

YOUNG_POINTS = 32
"""Train points of a log of nearly every step below which its noise is not known yet."""

YOUNG_EXCESS = math.log(4)
"""Log rise asked for until then: where learning-rate finders call it a blow-up."""

EXCESS_NOISE = 3.5
"""The same in standard errors of the present level, on top of the luck of the lowest of many."""

REAL_PROGRESS = 0.35
"""Log fall from the start to the best level. A run that never fell by 30 % has no best level
worth the name: it is measured against its start."""

GIVEN_BACK = 0.6
"""Share of the run's progress that is lost when it has diverged: a spike that recovers leaves
the optimizer with most of what it had learnt."""

RISING_BACK = 0.3
"""Share of the progress lost at which a loss that still rises is called diverging."""


def diverging(curves: Curves, sensitivity: float) -> Finding | None:
    """The train loss has risen far above its best level and stays there, or still rises."""
    train = curves.train
    if train is None or train.points < 6 or curves.kind is not LossKind.PLAIN:
        return None
    if not curves.start > 0 or relative(_level(curves), float(train.y.min())) < EXCESS:
        return None
    level, earlier, best, best_step = _levels(curves)
    if not best > 0:
        return None
    progress = relative(curves.start, best)
    real = progress >= REAL_PROGRESS + _luck(curves)
    reference = best if real else max(curves.start, best)
    if relative(level, reference) < _least_excess(curves) / sensitivity:
        return None
    scale = max(curves.start, best) - best
    back = (level - best) / scale if scale > 0.05 * best else math.inf
    rising = level > 1.1 * earlier and not _rewarmed(curves)
    if back < (RISING_BACK if rising else GIVEN_BACK) / sensitivity:
        return None
    facts: dict[str, float | int | str] = {
        "train": level - curves.lift,
        "best": best - curves.lift,
        "best_step": best_step,
        "ratio_times": level / best,
    }
    return Finding(
        "diverging",
        Severity.CRITICAL if back >= GIVEN_BACK else Severity.WARNING,
        best_step,
        Confidence.HIGH if back > 1 else Confidence.MEDIUM,
        facts,
        "" if back >= GIVEN_BACK else "rising",
    )


def _rewarmed(curves: Curves) -> bool:
    """The learning rate has come up again after a decay, to no more than it was before."""
    rate = curves.rate
    if rate is None or len(rate) < 3:
        return False
    now = float(rate.y[-1])
    low = int(rate.y.argmin())
    return now > 1.2 * float(rate.y[low]) and low > 0 and now <= 1.02 * float(rate.y[:low].max())


def _level(curves: Curves) -> float:
    """Present level of the train loss: the median of its newest points."""
    width = _width(curves)
    return median(np.array([value for _, value in curves.recent[-width:]]))


def _levels(curves: Curves) -> tuple[float, float, float, int]:
    """Present level, the one before, the best level and its step; medians of few points."""
    values = np.array([value for _, value in curves.recent])
    width = _width(curves)
    level = _level(curves)
    earlier = median(values[-2 * width : -width]) if len(values) > width else level
    train = curves.train
    assert train is not None
    means, steps = _windows(train.y, train.x, train.weight, width)
    at = int(means.argmin())
    return level, earlier, float(means[at]), int(steps[at])


def _width(curves: Curves) -> int:
    """Points that make a level: three where each is a mean over many steps, else by the noise."""
    train = curves.train
    assert train is not None
    if train.points < 40:
        return 3
    return int(min(max(5.0, (10 * curves.scatter) ** 2), 20.0, train.points / 6))


def _windows(
    y: np.ndarray, x: np.ndarray, weight: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Running medians over enough bins to hold `width` points."""
    bins = max(1, math.ceil(width / max(float(weight[0]), 1.0)))
    if bins == 1 or len(y) < bins:
        return y, x
    ranked = np.sort(windows(y, bins), axis=1)
    middle = (ranked[:, (bins - 1) // 2] + ranked[:, bins // 2]) / 2
    return middle, x[bins - 1 :]


def _luck(curves: Curves) -> float:
    """Log by which the lowest of many windows lies below the level, by noise alone."""
    assert curves.train is not None
    windows_seen = max(curves.train.points / _width(curves), 2.0)
    return _error(curves) * math.sqrt(2 * math.log(windows_seen))


def _error(curves: Curves) -> float:
    """Relative standard error of the median of one window."""
    assert curves.train is not None
    return 1.25 * min(curves.scatter, 1.0) / math.sqrt(_width(curves))


def _least_excess(curves: Curves) -> float:
    """Log rise that neither healthy swings nor the luck of the lowest window explain."""
    assert curves.train is not None
    young = curves.train.points < YOUNG_POINTS and not curves.coarse
    least = YOUNG_EXCESS if young else EXCESS
    return max(least, EXCESS_NOISE * _error(curves) + _luck(curves))


SPIKE_FRESH = 0.05
"""Share of the run for which a spike that has passed stays on the badge."""

SPIKE_BACK = 1.25
"""Present level over that before the spike below which the run has recovered."""


def spike(curves: Curves, sensitivity: float) -> Finding | None:
    """Single train points far above their surroundings, as a bad batch leaves them."""
    del sensitivity
    seen = curves.spike
    if seen is None or curves.kind is not LossKind.PLAIN:
        return None
    train = curves.train
    assert train is not None
    level = _level(curves)
    back = level <= SPIKE_BACK * seen.before * (1 + _error(curves))
    fresh = max(SPIKE_FRESH * curves.span, 3 * train.gap)
    old = curves.step - seen.last > fresh
    facts: dict[str, float | int | str] = {
        "peak": seen.peak - curves.lift,
        "before": seen.before - curves.lift,
        "ratio_times": seen.peak / seen.before,
        "spike_step": seen.step,
        "train": level - curves.lift,
    }
    variant = "recovered" if back and old else "" if back else "open"
    severity = Severity.OK if variant == "recovered" else Severity.NOTICE
    return Finding("spike", severity, seen.step, Confidence.MEDIUM, facts, variant)
