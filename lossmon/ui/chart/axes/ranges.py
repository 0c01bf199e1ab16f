"""Ranges of a chart: robust against outliers, calm while data arrives."""

from __future__ import annotations

import math

from lossmon.fast_dataclass import dataclass
from lossmon.quantiles import median, quantile
from lossmon.types import Floats
from lossmon.ui.chart.axes.ticks import nice_floor

_QUANTUM = 8
"""Ranges end at multiples of a nice part of their length, at most this many of it: at most an
eighth of a chart is empty, and the picture is stretched only once per eighth."""

_FENCE = 1.5
"""A value further than this many spans (5 % to 95 %) beyond the bulk is an outlier: a normal
distribution reaches its fence at 6.6 standard deviations, one bad batch is far outside."""

_SHRINK = 0.5
"""A range is kept until the data fills less than this share of it."""

_RECENT = 0.2
"""Share of the run that the recent window shows: enough to see a trend, near enough to see its
noise."""

_FROM_ZERO = 0.05
"""A run whose first point lies within this share of its length is drawn from step 0 on; one of
a few epochs begins at the first."""


_LARGEST = 1e300
"""Values beyond it are drawn as if they were this: lengths must not overflow."""

_SMALLEST = 1e-290
"""Ranges are at least this long: their parts must not underflow."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of one axis, `low` < `high`, both finite."""

    low: float
    high: float

    @property
    def length(self) -> float:
        return self.high - self.low

    def holds(self, other: Span) -> bool:
        """Whether `other` lies within."""
        return self.low <= other.low and other.high <= self.high


@dataclass(frozen=True, slots=True)
class Frame:
    """What a chart shows.

    Attributes:
        x: Range of steps, epochs or seconds.
        y: Range of values; of their decimal logarithms if `log`.
        log: The y axis is logarithmic.
    """

    x: Span
    y: Span
    log: bool = False


def spread(low: float, high: float) -> Span:
    """The range from `low` to `high` as far as it can be drawn, widened where it is empty."""
    low, high = (min(max(bound, -_LARGEST), _LARGEST) for bound in (low, high))
    if high - low > _SMALLEST:
        return Span(low, high)
    margin = max(abs(low) * 0.1, _SMALLEST) if low else 1.0
    return Span(low - margin, low + margin)


def outward(span: Span) -> Span:
    """The next wider range that ends at round values; what is not negative stays so."""
    quantum = nice_floor(span.length / _QUANTUM)
    low = math.floor(span.low / quantum + 1e-9) * quantum
    high = math.ceil(span.high / quantum - 1e-9) * quantum
    return Span(low, high) if high > low else span


def settle(previous: Span | None, target: Span) -> Span:
    """The range to show for data that spans `target`: the previous one while it still fits."""
    fits = previous is not None and previous.holds(target)
    if previous is not None and fits and target.length >= _SHRINK * previous.length:
        return previous
    return outward(target)


def x_span(first: float, last: float, *, recent: bool, total: float | None, live: bool) -> Span:
    """The horizontal range for data from `first` to `last`.

    A function of its arguments alone, so that panes side by side agree. While the run is live
    the right edge stands still until the curve reaches it.

    Args:
        recent: Show the last fifth only.
        total: Where the run is planned to end; the edge does not pass it before the curve does.
        live: More points will come; else the range ends at the last one.
    """
    low = 0.0 if 0 <= first <= _FROM_ZERO * last else first
    if not last > low:
        return Span(low, low + max(1.0, abs(low) * 1e-3))
    if recent:
        low = max(low, last - _RECENT * (last - low))
    quantum = nice_floor((last - low) / _QUANTUM)
    if recent and live:
        low = math.floor(low / quantum) * quantum
    if not live:
        return Span(low, last)
    high = math.ceil(last / quantum - 1e-9) * quantum
    if total is not None and last <= total < high:
        high = total
    return Span(low, high) if high > low else Span(low, last)


def bulk(sample: Floats, extremes: Floats, newest: Floats) -> Span | None:
    """The range of values without outliers, or None if nothing is finite.

    The bulk is 5 % to 95 % of a sample; what lies near it belongs to it, what lies far outside
    does not. A curve that left for good is not an outlier: the median of the newest values is
    always inside.

    Args:
        sample: Finite values, evenly taken.
        extremes: Finite values that the range should include unless they are outliers.
        newest: The last few values, finite.
    """
    if not len(extremes):
        return None
    source = sample if len(sample) else extremes
    low, high = quantile(source, 0.05), quantile(source, 0.95)
    reach = _FENCE * (high - low)
    inside = extremes[(extremes >= low - reach) & (extremes <= high + reach)]
    if len(inside):
        low, high = min(low, float(inside.min())), max(high, float(inside.max()))
    if len(newest):
        level = median(newest)
        low, high = min(low, level), max(high, level)
    return Span(low, high)
