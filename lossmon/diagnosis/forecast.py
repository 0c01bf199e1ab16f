"""Forecast of the final train loss, with an interval."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.types import Floats, Forecast

MIN_POINTS = 50
"""Train points before a curve is extrapolated: fewer fix neither its level nor its bend."""

MIN_PROGRESS = 0.4
"""Share of the planned steps that must be done: at a third, the interval held the end of two
recorded runs in three only."""

OVER = 0.99
"""Share of the planned steps from which there is nothing left to forecast."""

SKIPPED = 0.05
"""Share of the run left out at its start: warm-up and the first fall follow other laws."""

EXPONENTS = np.linspace(0.1, 2.0, 16)
"""Exponents of the power law that are tried; language models lie near 0.1 to 0.5."""

FLOORS = np.linspace(0.0, 0.98, 22)
"""Floors that are tried, as shares of the lowest level seen."""

BACK_TEST = 0.5
"""Share of the run so far from which the rest of it is forecast, to see how well that works."""

MISSES = 2.0
"""Times the largest miss of that back-test that the interval leaves room for: on recorded runs
the end was missed by that much in one of ten."""

WORST_FIT = 0.05
"""Residual scatter, relative to the level, beyond which the law does not describe the curve."""

WIDEST = 0.25
"""Width of the interval, relative to the level, beyond which it is useless."""

STRAIGHT_SHARE = 0.75
"""Share of a straight line's further fall that the interval must hold: schedules that end in a
decay of the learning rate beat every power law."""

DECAY_GAIN = 0.2
"""Relative fall, per whole run still to go, that the interval always leaves room for: what the
last decay of the learning rate brought on recorded runs."""

FLAT_RATE = 0.01
"""Relative fall per tenth of the run below which the curve counts as flat."""


def forecast(signals: Signals) -> Forecast | None:
    """The expected end of the train loss, None where the fit is poor.

    A power law with a floor is fitted to the level over the run by trying floors and exponents;
    every pair that fits nearly as well as the best widens the interval.
    """
    if not _can_forecast(signals):
        return None
    assert signals.total is not None
    steps, levels = _levels(signals)
    if float(levels.min()) <= 0:
        return None
    end = float(signals.total - signals.first + 1)
    fits = _fits(steps, levels)
    scatter = math.sqrt(fits[0][0]) / float(levels[-1])
    if scatter > WORST_FIT:
        return None
    allowed = fits[0][0] * (1 + 8 / max(len(steps) - 3, 1)) + 1e-18
    ends = [_law(fit, end) for fit in fits if fit[0] <= allowed]
    best, spread = ends[0], 2 * scatter * float(levels[-1]) / math.sqrt(len(steps) / 4)
    left = max(float(levels[-1]) - best, 0.0)
    low, high = min(ends) - left / 2 - spread, max(ends) + left / 2 + spread
    left_share = 1 - (signals.step - signals.first) / end
    low = min(
        low,
        float(levels[-1]) - STRAIGHT_SHARE * _straight(signals),
        float(levels[-1]) * (1 - DECAY_GAIN * left_share),
    )
    miss = MISSES * _missed(steps, levels) * max(1.0, (end - float(steps[-1])) / float(steps[-1]))
    low, high = min(low, best - miss), max(high, best + miss)
    if high - low > WIDEST * float(levels[-1]) or best > 1.05 * float(levels[-1]):
        return None
    return Forecast(best, max(low, 0.0), high, _flat_step(fits[0], signals, end))


def _missed(steps: Floats, levels: Floats) -> float:
    """By how much the same law, fitted to the earlier half of the run, misses the later half.

    What the law got wrong so far it will get wrong again: the interval is never narrower.
    """
    early = steps <= BACK_TEST * float(steps[-1])
    if int(early.sum()) < 8:
        return math.inf
    fit = _fits(steps[early], levels[early])[0]
    predicted = np.array([_law(fit, float(step)) for step in steps[~early]])
    return float(np.abs(predicted - levels[~early]).max())


def _straight(signals: Signals) -> float:
    """Fall until the end if the loss went on at the pace of the last third."""
    train = signals.capped_train
    assert train is not None
    assert signals.total is not None
    middle = train.mean(signals.at(0.6), signals.at(0.75))
    late = train.mean(signals.at(0.85), signals.at(1.0))
    pace = max(middle - late, 0.0) / max(0.25 * signals.span, 1.0)
    return pace * max(signals.total - signals.step, 0)


def _can_forecast(signals: Signals) -> bool:
    """The loss, the plan and the run so far allow an extrapolation."""
    train = signals.train
    if train is None or train.points < MIN_POINTS or signals.total is None or signals.offset:
        return False
    if signals.kind is not LossKind.PLAIN or signals.non_finite is not None:
        return False
    if signals.restarted or _rate_restarted(signals):
        return False
    done = signals.step - signals.first + 1
    planned = signals.total - signals.first + 1
    return MIN_PROGRESS * planned <= done < OVER * planned and signals.drop > 0


def _rate_restarted(signals: Signals) -> bool:
    """The learning rate came up again, as far as it was logged often enough to tell."""
    return signals.rate is not None and len(signals.rate) >= 4 and signals.rate_came_back


def _levels(signals: Signals) -> tuple[Floats, Floats]:
    """Train levels in 32 windows of growing width, and the middle of each."""
    train = signals.capped_train
    assert train is not None
    first = max(SKIPPED * signals.span, 3 * max(train.gap, 1.0))
    edges = np.geomspace(first, max(signals.span, first + 1.0), 33)
    middles = np.sqrt(edges[:-1] * edges[1:])
    return middles, train.means(train.first + edges[:-1], train.first + edges[1:])


def _fits(steps: Floats, levels: Floats) -> list[tuple[float, float, float, float]]:
    """Mean squared residual, floor, scale and exponent of every law tried, best first."""
    shapes = steps[None, :] ** -EXPONENTS[:, None]
    floors = FLOORS * float(levels.min())
    rest = levels[None, :] - floors[:, None]
    scales = (shapes @ rest.T) / np.sum(shapes**2, axis=1)[:, None]
    laws = scales[:, :, None] * shapes[:, None, :]
    residuals = np.mean((rest[None, :, :] - laws) ** 2, axis=2)
    order = np.argsort(residuals, axis=None)
    rows, columns = np.unravel_index(order, residuals.shape)
    return [
        (float(residuals[i, j]), float(floors[j]), float(scales[i, j]), float(EXPONENTS[i]))
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


def _law(fit: tuple[float, float, float, float], step: float) -> float:
    _, floor, scale, exponent = fit
    return float(floor + scale * step**-exponent)


def _flat_step(fit: tuple[float, float, float, float], signals: Signals, end: float) -> int | None:
    """First step from which the law falls by less than `FLAT_RATE` in a tenth of the plan."""
    for at in np.linspace(end / 20, end, 40):
        here, later = _law(fit, float(at)), _law(fit, float(at + end / 10))
        if here - later < FLAT_RATE * here:
            return int(signals.first + at)
    return None
