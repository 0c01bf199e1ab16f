"""Sparklines: a series as one row of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossmon.types import Floats, Ints
from lossmon.ui.chart.axes.ranges import Span, bulk
from lossmon.ui.chart.downsample import ReducedCurve, edges, reduce

_BARS, _ASCII_BARS = "▁▂▃▄▅▆▇", "_.-:=+*"
"""Levels from low to high. A full block would touch the row above."""

_MARKS, _ASCII_MARKS = "×▴▾", "x^v"
"""A value that is NaN or infinite, a spike up, a spike down."""

_SAMPLE = 1000
"""Values from which the range is estimated."""

_NEWEST = 5
"""Newest values that are always within the range."""


def sparkline(values: Sequence[float] | Floats, width: int, ascii: bool = False) -> str:
    """The whole series in at most `width` characters, newest at the right.

    Each character shows the mean of an equal number of points; a series shorter than `width` gives
    one character per point. See `sparkline_over` for the characters.

    Args:
        width: Characters at most; 0 or less gives an empty text.
    """
    shown = np.asarray(values, np.float64)
    width = min(width, len(shown))
    if width <= 0:
        return ""
    return _drawn(shown, np.arange(width + 1) * len(shown) // width, width, ascii)


def sparkline_over(
    steps: Floats | Ints, values: Floats, span: Span, until: float, width: int, ascii: bool = False
) -> str:
    """A series over a range of steps that several sparklines share.

    A cell shows the mean of its points, on a scale that single outliers do not stretch: they are
    marked `▴` or `▾`, and a cell with NaN or an infinity `×`. A cell without points shows the value
    before it, up to the newest step of the run; what comes later and what lies before the first
    point is blank. A constant series is low and flat.

    Args:
        steps: Steps, not decreasing.
        values: Values, as many.
        span: Steps from the left edge to the right one.
        until: Newest step of the run.
    """
    if width <= 0 or not len(steps):
        return " " * max(0, width)
    begins = np.maximum.accumulate(edges(steps, span, width))
    reached = min(width, int((until - span.low) / span.length * width) + 1)
    return _drawn(values, begins, reached, ascii).ljust(width)


def _drawn(values: Floats, begins: Ints, reached: int, ascii: bool) -> str:
    """The cells before `reached`; cell k holds the values from `begins[k]` on."""
    cells = ReducedCurve.empty(len(begins) - 1)
    reduce(cells, values, begins)
    bars, marks = (_ASCII_BARS, _ASCII_MARKS) if ascii else (_BARS, _MARKS)
    scale = _scale(cells, values)
    levels = _levels(cells.middle, scale, len(bars) - 1)
    up, down = _alone(cells.high > scale.high), _alone(cells.low < scale.low)
    text, level = "", -1
    for at in range(reached):
        level = level if levels[at] < 0 else int(levels[at])
        if cells.bad[at]:
            text += marks[0]
        elif up[at] or down[at]:
            text += marks[1 if up[at] else 2]
        else:
            text += " " if level < 0 else bars[level]
    return text


def _scale(cells: ReducedCurve, values: Floats) -> Span:
    """The values from the lowest level to the highest; of length 0 where all are the same."""
    extremes = np.concatenate((cells.low, cells.high))
    sample, newest = values[:: max(1, len(values) // _SAMPLE)], values[-_NEWEST:]
    finite = (one[np.isfinite(one)] for one in (sample, extremes, newest))
    with np.errstate(over="ignore", invalid="ignore"):
        return bulk(*finite) or Span(0.0, 0.0)


def _levels(means: Floats, scale: Span, top: int) -> Ints:
    """Levels of cells, -1 for those without a finite value."""
    # Halved: the distance between two huge values is no longer a float64.
    length = scale.high / 2 - scale.low / 2
    known = np.isfinite(means)
    share = np.zeros(len(means))
    if length > 0:
        share[known] = np.clip((means[known] / 2 - scale.low / 2) / length, 0.0, 1.0)
    return np.where(known, np.rint(share * top), -1).astype(np.int64)


def _alone(outside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[bool]:
    """Which cells are spikes: outside the scale while the cells beside them are not.

    Where a curve begins far away or leaves for good, it is not a spike.
    """
    before = np.concatenate(([True], outside[:-1]))
    after = np.concatenate((outside[1:], [True]))
    spikes: list[bool] = (outside & ~before & ~after).tolist()
    return spikes
