"""Points to columns: minimum, maximum and what is not a number; and their smoothing."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.quantiles import median, quantile
from lossmon.types import Floats, Ints
from lossmon.ui.chart.axes.ranges import Span

_LARGEST = 2.0**62
"""Steps beyond this are taken as this: more do not fit into 64 bits."""


@dataclass(frozen=True, slots=True)
class ReducedCurve:
    """A curve reduced to the columns of a canvas; arrays of one length, written in place.

    Attributes:
        low: Smallest finite value in the column, NaN where there is none.
        high: Largest finite value.
        line: Value of the line: the mean of the finite values, NaN where there is none, or what
            smoothing made of it.
        points: How many points fell into the column.
        bad: How many of them are NaN or infinite.
    """

    low: Floats
    high: Floats
    line: Floats
    points: Ints
    bad: Ints

    @classmethod
    def empty(cls, width: int) -> ReducedCurve:
        """Columns without any point."""
        low, high, line = (np.full(width, np.nan) for _ in range(3))
        return cls(low, high, line, np.zeros(width, np.int64), np.zeros(width, np.int64))

    def __len__(self) -> int:
        return len(self.low)

    @property
    def middle(self) -> Floats:
        """The line, between the extremes where a mean of huge values overflowed."""
        overflown = np.isinf(self.line)
        return np.where(overflown, np.clip(self.line, self.low, self.high), self.line)


def edges(x: Floats | Ints, span: Span, width: int) -> Ints:
    """Where each column begins in `x` (not decreasing), and after the last where it ends.

    Column k holds the positions from `low + k * length / width` on; the right edge of the range
    belongs to the last column.
    """
    bounds = span.low + span.length * np.arange(width + 1) / width
    # Positions in epochs come back as steps with a rounding error: the last must not be lost by it.
    bounds[-1] = max(np.nextafter(span.high, np.inf), span.high + span.length * 1e-9)
    if x.dtype.kind in "iu":
        # Whole numbers are compared as such: else all of `x` would be copied to floats.
        bounds = np.clip(np.ceil(bounds), -_LARGEST, _LARGEST).astype(np.int64)
    return np.asarray(np.searchsorted(x, bounds, side="left"), np.int64)


def reduce(target: ReducedCurve, y: Floats, begins: Ints, first: int = 0) -> None:
    """Write the columns from `first` on.

    Args:
        target: Columns to write.
        begins: Result of `edges`.
        first: Column to begin with; those before stay as they are.
    """
    starts, ends = begins[first:-1], begins[first + 1 :]
    for column in (target.low, target.high, target.line):
        column[first:] = np.nan
    target.points[first:] = ends - starts
    target.bad[first:] = 0
    filled = np.flatnonzero(ends > starts)
    if not len(filled):
        return
    offset, stop = int(starts[filled[0]]), int(ends[filled[-1]])
    cuts = starts[filled] - offset
    raw = y[offset:stop]
    where = filled + first
    with np.errstate(invalid="ignore", over="ignore"):
        clean = bool(np.isfinite(raw.sum()))
        if clean or bool(np.isfinite(raw).all()):
            target.low[where] = np.minimum.reduceat(raw, cuts)
            target.high[where] = np.maximum.reduceat(raw, cuts)
            sums = np.add.reduceat(raw, cuts)
            target.line[where] = sums / (ends - starts)[filled]
        else:
            _reduce_with_gaps(target, raw, cuts, where)


def _reduce_with_gaps(target: ReducedCurve, raw: Floats, cuts: Ints, where: Ints) -> None:
    finite = np.isfinite(raw)
    counts = np.add.reduceat(finite.astype(np.int64), cuts)
    low = np.minimum.reduceat(np.where(finite, raw, np.inf), cuts)
    high = np.maximum.reduceat(np.where(finite, raw, -np.inf), cuts)
    sums = np.add.reduceat(np.where(finite, raw, 0.0), cuts)
    some = counts > 0
    target.low[where[some]] = low[some]
    target.high[where[some]] = high[some]
    target.line[where[some]] = sums[some] / counts[some]
    target.bad[where] = target.points[where] - counts


DEFAULT_WEIGHT = 0.6
"""TensorBoard's own default: users know how much it smooths."""

MAX_WEIGHT = 0.999
"""A weight of 1 would fit one line to the whole curve."""

FEWEST = 5
"""Points under a fit below which it would rather hide points than show their level."""

_CELLS = 0.5
"""Cells that a fit of weight 0 reaches to either side; (1 - weight) divides it, so a step of the
smoothing key about doubles the reach."""

LOST = 1e-12
"""Share of the largest value below which the rest of a difference is rounding."""


def reach(weight: float) -> float:
    """Cells to either side of a place whose points count for the line there.

    Args:
        weight: Share of the smoothing, 0 (none) to 0.999.
    """
    weight = min(max(weight, 0.0), MAX_WEIGHT)
    return _CELLS / (1 - weight) if weight else 0.0


def local_lines(means: Floats, counts: Floats, reach: float) -> Floats:
    """The smoothed values of columns.

    Args:
        means: Mean of the points of each column, NaN where there is none.
        counts: How many points that are.
        reach: Columns to either side that count, with weights that fall to 0 there. Where the
            curve begins and ends, those missing on one side are taken from the other.

    Returns:
        One value per column, NaN where `means` has none.
    """
    known = np.isfinite(means) & (counts > 0)
    filled = np.flatnonzero(known)
    if reach <= 1 or len(filled) < 2:
        return means
    # Around their middle, in units of their size: sums of huge values must not overflow.
    size = float(np.abs(means[known]).max()) or 1.0
    values = np.where(known, means, 0.0) / size
    centre = float(values[known].mean())
    values, weights = values - centre, np.where(known, counts, 0.0)
    places = np.arange(len(means))
    edge = np.minimum(places - filled[0], filled[-1] - places)
    reaches = reach + np.clip(reach - edge, 0.0, reach)
    side = min(math.ceil(2 * reach) - 1, len(means) - 1)
    offsets = np.arange(-side, side + 1)
    kernel = np.clip(1 - (offsets / reaches[:, None]) ** 2, 0.0, None)
    kernel *= _windows(weights, side)
    s0, s1, s2 = kernel.sum(axis=1), kernel @ offsets, kernel @ offsets**2
    kernel *= _windows(values, side)
    t0, t1 = kernel.sum(axis=1), kernel @ offsets
    spread = s0 * s2 - s1 * s1
    with np.errstate(divide="ignore", invalid="ignore"):
        fitted = np.where(spread > 1e-9 * s0 * s0, (s2 * t0 - s1 * t1) / spread, t0 / s0)
    line = fitted + centre
    # Beside values of 1e12 the sums hold nothing of one of 1e-12: the points do.
    line = np.where(np.abs(line) > LOST, line * size, means)
    return np.where(known, line, np.nan)


_SPIKE_WIDTH = 4
"""Columns in a row of which a spike has at most as many."""

_SPIKE_HEIGHT, _SPIKE_SHARE = 8.0, 0.2
"""How far a spike lies from the median around it: in medians of the distances there, and as a
share of the range of most columns."""


def spikes(means: Floats) -> NDArray[np.bool_]:
    """Which columns are spikes: far from those around them, and few in a row.

    One bad batch would be a hill in the line, also before it happened. Its points are shown behind
    the line. The newest columns are none: what follows them may stay where they are.
    """
    found = np.zeros(len(means), np.bool_)
    filled = np.flatnonzero(np.isfinite(means))
    size = 2 * _SPIKE_WIDTH + 1
    if len(filled) < 2 * size:
        return found
    values = means[filled]
    around = np.lib.stride_tricks.sliding_window_view(values, size)
    middle = np.partition(around, _SPIKE_WIDTH, axis=1)[:, _SPIKE_WIDTH]
    with np.errstate(over="ignore"):
        apart = np.abs(around - middle[:, None])
    usual = np.partition(apart, _SPIKE_WIDTH, axis=1)[:, _SPIKE_WIDTH]
    # By chance a few points are alike, also where the others around them are not.
    usual = np.maximum(usual, median(usual))
    own = apart[:, _SPIKE_WIDTH] / _SPIKE_HEIGHT
    least = quantile(values, 0.95) * _SPIKE_SHARE - quantile(values, 0.05) * _SPIKE_SHARE
    is_spike = (own > usual) & (own > least / _SPIKE_HEIGHT)
    found[filled[_SPIKE_WIDTH:-_SPIKE_WIDTH][is_spike]] = True
    return found


def _windows(values: Floats, side: int) -> Floats:
    """The values from `side` places before each to `side` behind it, 0 beyond both ends.

    One row per value, which shares its memory with the others. `np.pad` and `sliding_window_view`
    take longer than all the rest of a fit in so few columns.
    """
    n, padded = len(values), np.zeros(len(values) + 2 * side)
    padded[side : side + n] = values
    return np.ndarray((n, 2 * side + 1), np.float64, padded, 0, 2 * padded.strides)
