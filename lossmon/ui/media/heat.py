"""Heat maps and percentile bands of histograms over steps, and charts of PR and ROC curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossmon.types import ClassifierCurve, Floats, Histogram, PrCurve
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve, XAxis

_TAIL = 0.001
"""Share of the values at either end that may lie beyond the axis: one step with a single huge value
would press all others into one row. They are counted in the outer rows."""

_PADDING = 0.1
"""Share of a value that the axis has around it where all values are the same."""

_NARROWEST = 1e-12
"""Share of a value below which a range has too few floats for rows and labels."""

_SMALLEST = 1e-290
"""Size below which the range of values is taken for zero."""

Rgb = NDArray[np.uint8]
"""Colours of pixels, row 0 on top: (rows, columns, 3)."""


class ValueSummary(NamedTuple):
    """Numbers of one histogram.

    Attributes:
        total: Number of values.
        low: Smallest value, as far as its bin tells.
        median: Median, interpolated within its bin.
        high: Largest value, as far as its bin tells.
    """

    total: float
    low: float
    median: float
    high: float


def summary(histogram: Histogram) -> ValueSummary:
    """Sum up a histogram."""
    low, high = float(histogram.left[0]), float(histogram.right[-1])
    return ValueSummary(histogram.total, low, _quantile(histogram, 0.5), high)


def value_range(histograms: Sequence[Histogram]) -> tuple[float, float]:
    """The range that holds nearly all values of every histogram; at least one histogram."""
    low = min(_quantile(one, _TAIL) for one in histograms)
    high = max(_quantile(one, 1 - _TAIL) for one in histograms)
    size = max(abs(low), abs(high))
    if high - low > max(_NARROWEST * size, _SMALLEST):
        return low, high
    padding = _PADDING * size if size > _SMALLEST else 1.0
    return low - padding, high + padding


def columns_of(steps: Sequence[int], columns: int) -> list[int]:
    """Index of the record that each column shows: the newest at or before its step.

    Args:
        steps: Steps of the records, ascending; at least one.
        columns: Number of columns.
    """
    places = np.linspace(steps[0], steps[-1], columns)
    # Rounding must not hide the last record in the last column.
    found = np.searchsorted(np.array(steps, np.float64), places + 1e-9, side="right") - 1
    kept: list[int] = np.clip(found, 0, len(steps) - 1).tolist()
    return kept


def densities(histograms: Sequence[Histogram | None], low: float, high: float, rows: int) -> Floats:
    """Share of the values of each histogram in each row, relative to the largest share.

    Args:
        histograms: One per column; None leaves it empty.
        low: Lower end of the axis.
        rows: Number of rows.

    Returns:
        Of shape (rows, histograms), 0 to 1, the highest values in row 0.
    """
    edges = np.linspace(low, high, rows + 1)
    shares = _side_by_side(histograms, rows, lambda one: _shares(one, edges)[::-1])
    largest = shares.max(initial=0.0)
    return shares / largest if largest else shares


BANDS = ((_TAIL, 0.03), (0.07, 0.11), (0.16, 0.25), (0.31, 0.44), (0.5, 1.0))
"""Percentile at which each band begins (it ends as far from the top), and its share as `densities`
has them; the last one is the median. Those of TensorBoard: whole and half standard deviations of a
normal distribution."""


def bands(histograms: Sequence[Histogram | None], low: float, high: float, rows: int) -> Floats:
    """The bands of percentiles that each row lies in, in the form of `densities`."""

    def column(histogram: Histogram) -> Floats:
        found = np.zeros(rows)
        for begin, share in BANDS:
            ends = np.array([_quantile(histogram, 1 - begin), _quantile(histogram, begin)])
            top, bottom = np.clip((high - ends) / (high - low) * rows, 0, rows - 1).astype(int)
            found[top : bottom + 1] = share
        return found

    return _side_by_side(histograms, rows, column)


def _side_by_side(
    histograms: Sequence[Histogram | None], rows: int, column: Callable[[Histogram], Floats]
) -> Floats:
    """Columns of rows; neighbours that show the same histogram share the work."""
    known: dict[int, Floats] = {}
    drawn = np.zeros((rows, len(histograms)))
    for at, histogram in enumerate(histograms):
        if histogram is not None:
            if id(histogram) not in known:
                known[id(histogram)] = column(histogram)
            drawn[:, at] = known[id(histogram)]
    return drawn


def _shares(histogram: Histogram, edges: Floats) -> Floats:
    below = np.interp(edges, *_cumulative(histogram))
    # What lies beyond the axis is counted in its outer rows.
    below[0], below[-1] = 0.0, 1.0
    return np.asarray(np.diff(below))


def _cumulative(histogram: Histogram) -> tuple[Floats, Floats]:
    """Values, and the share of all values that lies below each."""
    total = np.cumsum(histogram.counts) / histogram.total
    values = np.stack((histogram.left, histogram.right), axis=1).ravel()
    below = np.stack((np.concatenate(([0.0], total[:-1])), total), axis=1).ravel()
    return values, below


def _quantile(histogram: Histogram, share: float) -> float:
    values, below = _cumulative(histogram)
    return float(np.interp(share, below, values))


def colored(shares: Floats, ramp: Sequence[tuple[int, int, int]]) -> Rgb:
    """Paint shares with a ramp of colours; the square root keeps thin tails visible."""
    stops = np.array(ramp, np.float64)
    at = np.sqrt(shares) * (len(stops) - 1)
    places = np.arange(len(stops))
    channels = [np.interp(at, places, stops[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def shaded(shares: Floats, glyphs: str) -> NDArray[np.uint32]:
    """Draw shares as characters of growing density; only an empty cell is the first of them."""
    levels = np.round(np.sqrt(shares) * (len(glyphs) - 1)).astype(np.intp)
    levels = np.maximum(levels, shares > 0)
    return np.array([ord(one) for one in glyphs], np.uint32)[levels]


_UNIT = (0.0, 1.0)


def area_word(curve: ClassifierCurve) -> str:
    """What the area under a curve is called, in English."""
    return "average precision" if isinstance(curve, PrCurve) else "AUC"


def curve_model(curve: ClassifierCurve | None) -> ChartModel:
    """Model of the chart of a curve; empty where there is none."""
    if curve is None:
        return ChartModel()
    return ChartModel((Curve("", *curve.points, smooth=False),))


def unsmoothed(options: ChartOptions) -> ChartOptions:
    """Options for exact values over the whole run."""
    return replace(options, smoothing=0.0, log_y=False, recent=False, points=True)


def unit_square(options: ChartOptions) -> ChartOptions:
    """Options for axes that are shares: the epoch is the axis that has labels below one."""
    exact = unsmoothed(options)
    return replace(exact, x_axis=XAxis.EPOCH, x_range=_UNIT, y_range=_UNIT)
