"""Points to columns: every column keeps its minimum, its maximum and what is not a number."""

from __future__ import annotations

import numpy as np

from lossmon.fast_dataclass import dataclass
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
    bounds[-1] = np.nextafter(span.high, np.inf)
    if x.dtype.kind in "iu":
        # Whole numbers are compared as such: else all of `x` would be copied to floats.
        bounds = np.clip(np.ceil(bounds), -_LARGEST, _LARGEST).astype(np.int64)
    return np.asarray(np.searchsorted(x, bounds, side="left"), np.int64)


def reduce(target: ReducedCurve, y: Floats, begins: Ints, first: int = 0) -> None:
    """Write the columns from `first` on.

    Args:
        target: Columns to write.
        y: Raw values.
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
