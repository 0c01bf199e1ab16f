"""Comparison of curves at one position: levels, and whether they differ by more than noise."""

from __future__ import annotations

import math

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats, Ints

WINDOW = 0.3
"""Share of the way to the position that is looked at: short enough for a parabola, long enough to
tell the noise."""

FEWEST = 6
"""Points below which the noise cannot be separated from the curve."""

ENOUGH = 12
"""Points to which the window reaches back where it would hold fewer: a sparse curve bends more
between many points than a parabola."""

_FACTORS = 3
"""Factors of the parabola."""

_MOSTLY = 0.8
"""Share of the positions that must be the same for the difference to be followed itself."""

MOST = 2000
"""Newest points of the window that are used: more would not measure the noise better."""

SURE = 4.0
"""Degrees of freedom below which nothing is called within the noise: it is hardly known."""

_QUANTILES = (
    (1, 63.66), (2, 9.925), (3, 5.841), (4, 4.604), (5, 4.032), (6, 3.707), (8, 3.355),
    (10, 3.169), (15, 2.947), (20, 2.845), (30, 2.750), (60, 2.660), (1e9, 2.576),
)  # fmt: skip
"""Degrees of freedom and Student's t below which 99.5 % of it lie. With 99 % between both sides, of
seven runs compared with one only every fifteenth table calls a chance a difference."""


@dataclass(frozen=True, slots=True)
class CurveLevel:
    """Level of a curve at a position.

    Attributes:
        value: The line through the noise; NaN where the curve is not finite.
        error: Standard error of it, from the residuals; NaN where there are too few points.
        freedom: Degrees of freedom of that error: 1 or more.
    """

    value: float
    error: float = math.nan
    freedom: float = 1.0


@dataclass(frozen=True, slots=True)
class CurveDifference:
    """Difference of two curves at a position.

    Attributes:
        value: One less the other; NaN where one of them is not finite.
        margin: Half the width of the interval that holds the true difference of the two curves
            with 99 %; NaN where there are too few points to say.
        freedom: Degrees of freedom of the noise that it rests on.
    """

    value: float
    margin: float
    freedom: float = math.inf

    @property
    def known(self) -> bool:
        """Whether the noise could be measured at all."""
        return math.isfinite(self.value) and math.isfinite(self.margin)

    @property
    def within_noise(self) -> bool:
        """Whether the noise, which is well enough known, explains it alone."""
        return self.known and abs(self.value) <= self.margin and self.freedom >= SURE

    @property
    def is_real(self) -> bool:
        """Whether the noise does not explain it."""
        return self.known and abs(self.value) > self.margin


@dataclass(frozen=True, slots=True, eq=False)
class ComparedSeries:
    """A curve to compare.

    Attributes:
        x: Positions, not decreasing.
        y: Values of the same length.
    """

    x: Floats | Ints
    y: Floats


def level(track: ComparedSeries, at: float) -> CurveLevel:
    """Level of a curve at a position: a parabola through the last points up to it.

    Neighbours that lie on the same side of it are not independent: the error counts as many
    points as there would be without that, by the correlation of each residual with the next one
    (as of an AR(1) process, with what a short window hides of it).

    Args:
        at: Position; points behind it are not looked at.
    """
    return _level(_window(track, at))


def _level(window: ComparedSeries) -> CurveLevel:
    values, places = np.asarray(window.y, np.float64), np.asarray(window.x, np.float64)
    if not len(values) or not math.isfinite(values[-1]):
        return CurveLevel(float(values[-1]) if len(values) else math.nan)
    known = np.isfinite(values)
    if int(known.sum()) < FEWEST:
        return CurveLevel(float(values[-1]))
    return _fitted(places[known], values[known], float(places[-1]))


def _window(track: ComparedSeries, at: float) -> ComparedSeries:
    end = int(np.searchsorted(track.x, at, side="right"))
    if end == 0:
        return ComparedSeries(track.x[:0], track.y[:0])
    first, last = float(track.x[0]), float(track.x[end - 1])
    begin = int(np.searchsorted(track.x, last - WINDOW * (last - first), side="left"))
    begin = max(0, end - MOST, min(begin, end - ENOUGH))
    return ComparedSeries(track.x[begin:end], track.y[begin:end])


def _fitted(x: Floats, y: Floats, at: float) -> CurveLevel:
    scale, reach = max(float(np.abs(y).max()), 1e-300), max(at - float(x[0]), 1e-300)
    places = (x - at) / reach
    # At the position itself only the power of zero is not zero: its factor is the level.
    powers = places[:, None] ** np.arange(_FACTORS)
    inverse = np.linalg.pinv(powers.T @ powers)
    factors = inverse @ (powers.T @ (y / scale))
    left = y / scale - powers @ factors
    n, alike = len(y), _correlation(left)
    noise = float((left**2).sum()) / max(1.0, n - _FACTORS)
    error = math.sqrt(max(0.0, noise * float(inverse[0, 0])) * (1 + alike) / (1 - alike))
    # Correlation leaves fewer residuals to measure the noise, but more than to measure the level.
    freedom = (n - _FACTORS) * (1 - alike**2) / (1 + alike**2)
    return CurveLevel(float(factors[0]) * scale, error * scale, max(1.0, freedom))


def _correlation(residuals: Floats) -> float:
    """How much each residual is like the next one, 0 to 0.99: the most that is not excluded."""
    n, power = len(residuals), float((residuals**2).sum())
    if power <= 0:
        return 0.0
    correlation = float((residuals[1:] * residuals[:-1]).sum()) / power
    # Fitting a curve hides a part of the correlation, and its estimate has a standard error.
    hidden = (_FACTORS + (_FACTORS + 2) * max(0.0, correlation)) / n
    return min(max(correlation + hidden + 1 / math.sqrt(n), 0.0), 0.99)


def difference(one: ComparedSeries, other: ComparedSeries, at: float) -> CurveDifference:
    """Difference of `one` and `other` at a position, with its margin.

    Where both were measured at the same positions the noise is that of the difference itself: what
    both curves share, their bend and the noise of the same batches, does not count. Else the noise
    of both is joined (Welch).
    """
    levels = level(one, at), level(other, at)
    value = levels[0].value - levels[1].value
    if not all(math.isfinite(level.error) for level in levels) or not math.isfinite(value):
        return CurveDifference(value, math.nan)
    paired = _paired(one, other, at)
    if paired is not None:
        margin = paired.error * _quantile(paired.freedom)
        return CurveDifference(value, margin, paired.freedom)
    error = math.hypot(levels[0].error, levels[1].error)
    if error == 0:
        return CurveDifference(value, 0.0)
    shares = [(level.error / error) ** 4 / level.freedom for level in levels]
    freedom = 1 / sum(shares)
    return CurveDifference(value, error * _quantile(freedom), freedom)


def _paired(one: ComparedSeries, other: ComparedSeries, at: float) -> CurveLevel | None:
    """The level of the difference, None where too few positions are the same."""
    here, there = _window(one, at), _window(other, at)
    shared, places, others = np.intersect1d(here.x, there.x, return_indices=True)
    if len(shared) < max(FEWEST, max(len(here.x), len(there.x)) * _MOSTLY):
        return None
    with np.errstate(all="ignore"):
        apart = _level(ComparedSeries(shared, here.y[places] - there.y[others]))
    return apart if math.isfinite(apart.error) else None


def _quantile(freedom: float) -> float:
    inverse = [1 / known for known, _ in reversed(_QUANTILES)]
    return float(np.interp(1 / freedom, inverse, [value for _, value in reversed(_QUANTILES)]))
