"""Ranges of a chart: robust against outliers, calm while data arrives."""

from __future__ import annotations

import math

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.quantiles import median, quantile
from lossmon.types import Floats
from lossmon.ui.chart.axes.ticks import growth_step, nice_floor

_QUANTUM = 8
"""Ranges of values end at multiples of a nice part of their length, at most this many of it: at
most an eighth of a chart is empty, and the picture is stretched only once per eighth."""

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


def x_span(
    first: float,
    last: float,
    *,
    recent: bool,
    total: float | None,
    live: bool,
    clock: bool = False,
) -> Span:
    """The horizontal range for data from `first` to `last`.

    A function of its arguments alone, so that panes side by side agree. While the run is live
    the right edge stands still until the curve reaches it.

    Args:
        recent: Show the last fifth only.
        total: Where the run is planned to end; the edge does not pass it before the curve does.
        live: More points will come; else the range ends at the last one.
        clock: The positions are seconds.
    """
    low = 0.0 if 0 <= first <= _FROM_ZERO * last else first
    low, last = max(low, -_LARGEST), min(last, _LARGEST)
    if not last - low > _SMALLEST:
        return Span(low, low + max(1.0, abs(low) * 1e-3))
    if recent:
        low = max(low, last - _RECENT * (last - low))
    quantum = growth_step(last - low, clock=clock)
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


_RISE = 0.5
"""Share of a chart that the rise of a loss takes at least: the descent before it gives way."""

_ENOUGH = 0.35
"""Share of a range on show that it may fall to before the range is made anew."""

_LEAST_RISE, _OVER_NOISE = 0.1, 3.0
"""Share of the minimum, and multiple of the noise, below which a rise is not made to be seen."""

_BLOCKS = 40
"""Medians by which a rise is measured: the extremes of many noisy points are further apart."""


def rise_top(sample: Floats, low: float, shown: float | None = None) -> float | None:
    """Upper end of the range in which the rise of a loss behind its minimum is seen.

    Args:
        sample: Finite values, evenly taken.
        low: Lower end of the range.
        shown: The end so far, where the descent is cut already. It stays while it serves, and half
            as clear a rise keeps it: the picture must not change with each point.

    Returns:
        None where the newest values are not clearly above the minimum.
    """
    size = max(1, len(sample) // _BLOCKS)
    blocks = sample[len(sample) % size :].reshape(-1, size)
    middles = np.partition(blocks, size // 2, axis=1)[:, size // 2]
    behind = middles[int(middles.argmin()) :] if len(middles) else middles
    if len(behind) < 4:
        return None
    level, wanted = median(behind[-3:]), 1.0 if shown is None else 0.5
    noise = median(np.abs(np.diff(middles, 2)))
    least = max(_LEAST_RISE * abs(float(behind[0])), _OVER_NOISE * noise)
    if level - float(behind[0]) <= wanted * least:
        return None
    # Only the descent may be cut: what came after it was as low as now stays in view.
    highest = float(middles[int((middles <= level).argmax()) :].max())
    if shown is not None and highest <= shown and level - low >= _ENOUGH * (shown - low):
        return shown
    return max(low + (level - low) / _RISE, highest)
