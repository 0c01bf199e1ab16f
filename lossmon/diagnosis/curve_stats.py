"""Statistics of a curve, computed from its bins when a rule asks for them."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Generic, TypeVar, overload

import numpy as np

from lossmon.diagnosis.binned_curve import (
    COUNT,
    FIRST,
    HIGH,
    HIGH_STEP,
    LAST,
    LOW,
    LOW_STEP,
    MEAN,
    ROUGHNESS,
)
from lossmon.types import Floats

T = TypeVar("T")


class cached(Generic[T]):
    """`functools.cached_property` without its lock: a judgement asks for a hundred of these."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> cached[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> cached[T] | T:
        if instance is None:
            return self
        value = self._compute(instance)
        instance.__dict__[self._name] = value
        return value


NOISE_FROM_JUMPS = 0.886
"""Standard deviation of white noise over the mean absolute difference of neighbours (√π / 2)."""

CAP_WINDOW = 9
"""Bins whose median is the level: a spike of up to four bins is removed."""

SPIKE_CAP = 4.0
"""A bin this many times above the median around it is a spike: single-example losses of an
ordinary run scatter by a factor of about three."""

LOST = 1e-12
"""Share of a sum below which a difference of sums is rounding."""

SLOPE_WINDOW = 5
"""Bins whose medians give the slope."""

SLOPE_ALLOWANCE = 1.3
"""Slope taken off, in slopes: a bent curve jumps by more than its mean slope. White noise loses
3 % by it."""

JITTER_CAP = 4.0
"""A jump this many times the median one belongs to a spike; of white noise 1 in 150 is cut."""


class CurveStats:
    """One series, read-only, with whatever the rules ask of it worked out once.

    Attributes:
        y: Means of the bins.
        weight: Points in each bin.
        points: Finite points in all.
        first: First step.
        last: Newest step.
        span: Steps from the first point to the newest.
        gap: Steps between neighbouring points, on average.
    """

    def __init__(
        self, bins: Floats, *, shift: float = 0.0, offset: float = 0.0, y: Floats | None = None
    ) -> None:
        """A curve from its bins.

        Args:
            bins: Rows as `BinnedCurve.bins` gives them.
            shift: Steps taken off: half a window for values that are means over one.
            offset: Added to every value.
            y: Means to use instead of those of the bins.
        """
        self._bins = bins
        self._shift = shift
        self._offset = offset
        self.weight = bins[:, COUNT]
        self.y = bins[:, MEAN] + offset if y is None else y
        self.points = int(np.add.reduce(self.weight))
        self.first = float(bins[0, FIRST]) - shift
        self.last = float(bins[-1, LAST]) - shift
        self.span = max(self.last - self.first, 0.0)
        self.gap = self.span / (self.points - 1) if self.points > 1 else 0.0

    def __len__(self) -> int:
        return len(self.y)

    @cached
    def x(self) -> Floats:
        """Steps in the middle of the bins, not decreasing."""
        bins = self._bins
        middle = (bins[:, FIRST] + bins[:, LAST]) / 2
        return np.maximum.accumulate(middle - self._shift if self._shift else middle)

    @cached
    def minimum(self) -> tuple[float, int]:
        """Smallest value and its step."""
        at = int(self._bins[:, LOW].argmin())
        return float(self._bins[at, LOW]) + self._offset, int(self._bins[at, LOW_STEP])

    @cached
    def maximum(self) -> tuple[float, int]:
        """Largest value and its step."""
        at = int(self._bins[:, HIGH].argmax())
        return float(self._bins[at, HIGH]) + self._offset, int(self._bins[at, HIGH_STEP])

    def capped(self) -> CurveStats:
        """The same curve with lone spikes cut down to `SPIKE_CAP` times their surroundings."""
        if len(self.y) < CAP_WINDOW:
            return self
        limit = SPIKE_CAP * self.around
        if not (self.y > limit).any():
            return self
        y = np.minimum(self.y, limit)
        return CurveStats(self._bins, shift=self._shift, offset=self._offset, y=y)

    @cached
    def _sums(self) -> tuple[Floats, Floats, Floats]:
        """Edges between the bins, with the points and the sum of values before each."""
        x, weight = self.x, self.weight
        edges, points, values = np.empty((3, len(x) + 1))
        edges[1:-1] = (x[1:] + x[:-1]) / 2
        half = max(self.gap / 2, 0.5)
        edges[0], edges[-1] = x[0] - half, x[-1] + half
        points[0] = values[0] = 0.0
        np.add.accumulate(weight, out=points[1:])
        np.add.accumulate(weight * self.y, out=values[1:])
        return edges, points, values

    @cached
    def around(self) -> Floats:
        """Median of the bins around each: the level without spikes."""
        return running_median(self.y, CAP_WINDOW)

    def levels(self, width: int) -> tuple[Floats, Floats]:
        """Running medians over enough bins to hold `width` points, and the last step of each."""
        bins = max(1, math.ceil(width / max(float(self.weight[0]), 1.0)))
        if bins == 1:
            return self.y, self.x
        ranked = np.sort(windows(self.y, bins), axis=1)
        return (ranked[:, (bins - 1) // 2] + ranked[:, bins // 2]) / 2, self.x[bins - 1 :]

    @cached
    def _lists(self) -> tuple[list[float], list[float], list[float]]:
        edges, points, values = self._sums
        return edges.tolist(), points.tolist(), values.tolist()

    def _until(self, step: float) -> tuple[float, float]:
        """Points and sum of values before a step."""
        edges, points, values = self._lists
        at = bisect_right(edges, step) - 1
        if at < 0:
            return 0.0, 0.0
        if at >= len(edges) - 1:
            return points[-1], values[-1]
        width = edges[at + 1] - edges[at]
        share = (step - edges[at]) / width if width > 0 else 0.0
        return (
            points[at] + share * (points[at + 1] - points[at]),
            values[at] + share * (values[at + 1] - values[at]),
        )

    def mean(self, start: float, end: float) -> float:
        """Mean between two steps; a window narrower than the points takes the nearest."""
        edges = self._lists[0]
        least = max(self.gap, 1e-9)
        middle = min(max((start + end) / 2, edges[0] + least / 2), edges[-1] - least / 2)
        half = max(end - start, least) / 2
        n, total = self._until(middle - half)
        m, more = self._until(middle + half)
        if m - n > 1e-9:
            if abs(more - total) > LOST * abs(more):
                return (more - total) / (m - n)
            # Values of before are so much larger that the sums hold nothing of these.
            inside = np.abs(self.x - middle) <= half
            if weight := float(np.add.reduce(self.weight[inside])):
                return float(np.dot(self.y[inside], self.weight[inside])) / weight
        at = min(bisect_left(self.x.tolist(), middle), len(self.y) - 1)
        return float(self.y[at])

    def means(self, starts: Floats, ends: Floats) -> Floats:
        """Means between pairs of steps."""
        edges, points, values = self._sums
        low, high = float(edges[0]), float(edges[-1])
        least = max(self.gap, 1e-9)
        middle = np.maximum((starts + ends) / 2, low + least / 2)
        middle = np.minimum(middle, high - least / 2)
        half = np.maximum(ends - starts, least) / 2
        # np.interp holds the first and the last value beyond the edges.
        a, b = middle - half, middle + half
        n = np.interp(b, edges, points) - np.interp(a, edges, points)
        total = np.interp(b, edges, values) - np.interp(a, edges, values)
        if n.min() > 1e-9:
            return total / n
        near = self.y[np.minimum(self.x.searchsorted(middle), len(self.y) - 1)]
        return np.where(n > 1e-9, total / np.maximum(n, 1e-9), near)

    def count(self, start: float, end: float) -> float:
        """Points between two steps."""
        return self._until(end)[0] - self._until(start)[0]

    @cached
    def highs(self) -> Floats:
        """Largest value of each bin."""
        return self._bins[:, HIGH] + self._offset

    def high_step(self, at: int) -> int:
        """Step of the largest value of a bin."""
        return int(self._bins[at, HIGH_STEP])

    @cached
    def jitter(self) -> Floats:
        """Standard deviation of single points in each bin, from jumps between neighbours.

        The part of the jumps that is the slope of the curve is taken off.
        """
        jumps = self._bins[:, ROUGHNESS]
        if len(self.y) < SLOPE_WINDOW:
            return NOISE_FROM_JUMPS * jumps
        level = running_median(self.y, SLOPE_WINDOW)
        slope = SLOPE_ALLOWANCE * slopes(level) / self.weight
        return NOISE_FROM_JUMPS * np.sqrt(np.maximum(jumps**2 - slope**2, 0.0))

    def noise(self, start: float) -> float:
        """Typical standard deviation of single points from `start` on, 0 for fewer than two.

        Lone spikes do not count: they are events, not scatter.
        """
        first = int(self.x.searchsorted(start))
        jitter = self.jitter[max(first, 1) :]
        return _typical(jitter) if len(jitter) else 0.0

    def scatter(self, end: int) -> float:
        """Typical standard deviation of single points in the first `end` bins, relative to the
        level around them.
        """
        level = self.around[1:end] if len(self.y) >= CAP_WINDOW else self.y[1:end]
        if not len(level):
            return 0.0
        return _typical(self.jitter[1:end] / np.maximum(np.abs(level), 1e-300))


def _typical(scatter: Floats) -> float:
    """Mean of a column, with outliers capped."""
    limit = JITTER_CAP * median(scatter)
    return float(np.add.reduce(np.minimum(scatter, limit))) / len(scatter)


def log_ratio(later: float, earlier: float) -> float:
    """Natural log of `later` over `earlier`; 0 where one of them is not positive."""
    if not (later > 0 and earlier > 0):
        return 0.0
    ratio = later / earlier
    # The quotient of two finite numbers may be 0 or infinite, the difference of their logs is not.
    if 0 < ratio < math.inf:
        return math.log(ratio)
    return math.log(later) - math.log(earlier)


def median(values: Floats) -> float:
    """Median of a column that is not empty."""
    ranked = values.copy()
    ranked.sort()
    return _middle(ranked)


def median_of_few(values: Sequence[float]) -> float:
    """Median of a few numbers, which a list holds more cheaply than a column."""
    return _middle(sorted(values))


def _middle(ranked: Floats | Sequence[float]) -> float:
    half, odd = divmod(len(ranked), 2)
    upper = float(ranked[half])
    return upper if odd else (float(ranked[half - 1]) + upper) / 2


def running_median(values: Floats, window: int) -> Floats:
    """Median of the `window` values around each, fewer at the ends; `window` is odd."""
    half = window // 2
    padded = np.concatenate((values[half:0:-1], values, values[-2 : -half - 2 : -1]))
    if window == 5:
        return _medians_of_5(padded)
    if window == 9:
        return _medians_of_9(padded)
    rows = windows(padded, window).copy()
    rows.partition(half, axis=1)
    return rows[:, half]


def _medians_of_3(a: Floats, b: Floats, c: Floats) -> Floats:
    return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))


def _medians_of_5(values: Floats) -> Floats:
    """Median of every 5 neighbours: of the middle one and the inner two of the pairs beside it."""
    low, high = np.minimum(values[:-1], values[1:]), np.maximum(values[:-1], values[1:])
    return _medians_of_3(
        values[2:-2], np.maximum(low[:-3], low[3:]), np.minimum(high[:-3], high[3:])
    )


def _medians_of_9(values: Floats) -> Floats:
    """Median of every 9 neighbours, from the lowest, middle and highest of every 3.

    It is the median of the highest of the lowest, the median of the middle and the lowest of the
    highest. A few comparisons of whole columns cost a third of ranking each window.
    """
    a, b, c = values[:-2], values[1:-1], values[2:]
    low, high = np.minimum(a, b), np.maximum(a, b)
    middle = np.maximum(low, np.minimum(high, c))
    np.minimum(low, c, out=low)
    np.maximum(high, c, out=high)
    return _medians_of_3(
        np.maximum(np.maximum(low[:-6], low[3:-3]), low[6:]),
        _medians_of_3(middle[:-6], middle[3:-3], middle[6:]),
        np.minimum(np.minimum(high[:-6], high[3:-3]), high[6:]),
    )


def slopes(values: Floats) -> Floats:
    """Change per place: half the way from one neighbour to the other, all of it at the ends."""
    change = np.empty(len(values))
    np.subtract(values[2:], values[:-2], out=change[1:-1])
    change[1:-1] /= 2
    change[0], change[-1] = values[1] - values[0], values[-1] - values[-2]
    return change


def windows(values: Floats, window: int) -> Floats:
    """Every `window` neighbours as a row; a view, to be read only."""
    (stride,) = values.strides
    return np.ndarray((len(values) - window + 1, window), values.dtype, values, 0, (stride, stride))


RESET = 0.5
"""Share of the point before that a loss which is added up falls below when a new sum begins."""

SUMS = 4
"""Sums at the start of a run that are looked at."""

SUMMED_POINTS = 5
"""Points that show that a loss is added up."""

SUMMED_UNEVENLY = 16
"""The same in one sum whose increases shrink much, as the loss itself falls within an epoch."""


def is_sum(train: CurveStats) -> bool:
    """Whether a train loss is a sum that grows with each print and begins anew with each epoch.

    Scripts print `running_loss += loss` without dividing it. Such values rise evenly, and the first
    is as high as the increase from one to the next; a loss that diverges rises by more and more,
    from a level that it had before.
    """
    x, y = train.x, train.y
    if len(y) < SUMMED_POINTS or y[0] > RESET * y.max() or not y.min() > 0:
        return False
    begins = [0, *(np.flatnonzero(y[1:] < RESET * y[:-1]) + 1).tolist(), len(y)]
    sums = list(pairwise(begins))[:SUMS]
    long = [part for part in sums[: max(1, len(sums) - 1)] if part[1] - part[0] >= 3]
    return sum(end - begin for begin, end in long) >= SUMMED_POINTS and all(
        _grows_evenly(x[begin:end], y[begin:end]) for begin, end in long
    )


def _grows_evenly(x: Floats, y: Floats) -> bool:
    """Whether values rise by about their first one each time, or by ever less."""
    rises, first = np.diff(y) / np.diff(x), y[0] / np.median(np.diff(x))
    even = rises.min() >= RESET * rises.max()
    shrinks = len(y) >= SUMMED_UNEVENLY and rises.min() > 0 and rises[-1] < rises[0]
    return bool((even or shrinks) and first <= rises.max() / RESET)
