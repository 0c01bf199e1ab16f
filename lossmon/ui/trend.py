"""A whole series in a few columns that stay where they are while it grows."""

from __future__ import annotations

import math

import numpy as np

from lossmon.types import Floats

_LADDER = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
"""How many points a column may hold, times powers of ten: at most a fifth of the row
stays empty when the columns take more."""


def columns(values: Floats, width: int) -> Floats:
    """The most unusual value of each column of points; NaN where one of them was not finite.

    Most unusual is what lies furthest from the middle of the series, so that no spike is lost.

    A column always holds the same points until the row is full and every column takes more,
    so that a live sparkline changes only at its end.

    Args:
        values: The series.
        width: Most columns wanted, 1 or more.
    """
    if len(values) <= width:
        return values
    size = points_per_column(len(values), width)
    starts = np.arange(0, len(values), size)
    lowest = np.minimum.reduceat(values, starts)
    highest = np.maximum.reduceat(values, starts)
    some = values[:: max(1, len(values) // 1000)]
    middle = float(np.partition(some, len(some) // 2)[len(some) // 2])
    with np.errstate(invalid="ignore", over="ignore"):
        shown = np.where(highest - middle >= middle - lowest, highest, lowest)
    return np.where(np.isfinite(lowest) & np.isfinite(highest), shown, np.nan)


def points_per_column(n: int, width: int) -> int:
    """The smallest rung of the ladder that puts `n` points into `width` columns."""
    need = n / width
    decade = 10.0 ** math.floor(math.log10(max(1.0, need)))
    for scale in (decade, decade * 10):
        for rung in _LADDER:
            size = math.ceil(rung * scale)
            if size >= need:
                return size
    return math.ceil(need)
