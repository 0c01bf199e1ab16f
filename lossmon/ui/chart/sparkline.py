"""A series as one row of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lossmon.quantiles import median
from lossmon.types import Floats

_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-:=+*#"
_NONFINITE, _ASCII_NONFINITE = "×", "x"


def sparkline(values: Sequence[float] | Floats, width: int, ascii: bool = False) -> str:
    """The whole series in at most `width` characters, newest at the right.

    Each character stands for an equal number of points and shows the one that is furthest from
    the median of the series, so that a spike is never lost; `×` (`x` in ASCII) means that a
    value in it is NaN or infinite. A series shorter than `width` gives one character a point;
    a constant one is drawn low and flat.

    Args:
        values: Oldest first.
        width: Characters at most; 0 or less gives an empty text.
        ascii: Use ASCII characters only.
    """
    shown = np.asarray(values, np.float64)
    if not len(shown) or width <= 0:
        return ""
    levels, broken = _levels(shown, min(width, len(shown)))
    bars = _ASCII_BARS if ascii else _BARS
    cross = _ASCII_NONFINITE if ascii else _NONFINITE
    return "".join(cross if bad else bars[level] for level, bad in zip(levels, broken, strict=True))


def _levels(values: Floats, width: int) -> tuple[list[int], list[bool]]:
    finite = np.isfinite(values)
    starts = np.arange(width) * len(values) // width
    broken: list[bool] = (~np.logical_and.reduceat(finite, starts)).tolist()
    if not finite.any():
        return [0] * width, broken
    known = values[finite]
    low, high = float(known.min()), float(known.max())
    # Halved first: the distance between two huge values is no longer a float64.
    length = high / 2 - low / 2
    if length <= 0:
        return [0] * width, broken
    place = (np.where(finite, values, known[0]) / 2 - low / 2) / length
    usual = median(place)
    least = np.minimum.reduceat(place, starts)
    most = np.maximum.reduceat(place, starts)
    furthest = np.where(most - usual >= usual - least, most, least)
    top = len(_BARS) - 1
    return np.rint(furthest * top).astype(int).tolist(), broken


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
