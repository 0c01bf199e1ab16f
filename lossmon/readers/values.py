"""Numbers and times as training logs spell them."""

from __future__ import annotations

import math
import re
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike

from lossmon.lazy_pattern import lazy_pattern
from lossmon.types import Histogram

_WRAPPED = lazy_pattern(
    r"(?:[\w.]*\.)?(?:tensor|array|Tensor|Array|float\d*|int\d*|bfloat16)\(\s*([^,()]+?)\s*(?:,.*)?\)$"
)
"""`np.float64(0.5)`, `tensor(0.5, device='cuda:0')`, `Array(0.5, dtype=float32)`."""

_SCALES = {"%": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
"""What a suffix multiplies by; a percentage keeps the size in which it is written."""

_INDETERMINATE = {
    "1.#qnan": math.nan,
    "1.#ind": math.nan,
    "-1.#ind": math.nan,
    "1.#inf": math.inf,
    "-1.#inf": -math.inf,
}
"""What the C library of Windows prints."""

_DURATION = lazy_pattern(
    r"(?:(\d+)\s*(?:days?|d),?\s*)?(?:(\d+):)?(\d{1,3}):(\d{1,2}(?:\.\d*)?)$", re.IGNORECASE
)

_LONGEST_NUMBER = 64
"""Characters of the longest spelling of one number; anything longer is prose."""

_EARLIEST, _LATEST = 1e9, 1e11
"""Seconds since 1970 that can be a moment: from 2001 on. Below lie durations, above, milliseconds
of a moment."""


MOST_STEPS = (1 << 62) - 1
"""Largest step of a column, which leaves room for arithmetic in 64 bits."""


def is_step(value: float) -> bool:
    """Whether a number can be a step."""
    return 0 <= value <= MOST_STEPS


def number(value: object) -> float | None:
    """Return a logged value as a float, or None if it is not one number.

    Takes numbers, numbers as text in every spelling that frameworks use (`4.029`, `1_000`,
    `61.5%`, `12k`, `nan`, `Infinity`, `tensor(0.5)`), and a list that holds one of them. None,
    booleans and empty text are absent values. Never raises.
    """
    if isinstance(value, float):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return _from_int(value)
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list):
        return number(value[0])
    return None


def _from_int(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _from_text(text: str) -> float | None:
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        return float(text)
    except ValueError:
        return _spelled(text.strip())


def _spelled(text: str) -> float | None:
    if not text:
        return None
    scale = _SCALES.get(text[-1])
    if scale is not None:
        try:
            return float(text[:-1]) * scale
        except ValueError:
            return None
    if (wrapped := _WRAPPED.match(text)) is not None:
        return _from_text(wrapped[1])
    return _INDETERMINATE.get(text.lower())


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 record`, `2,000 records`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(text: str) -> float | None:
    """Return the seconds of `0:04:30`, `4:30` or `1 day, 2:03:04`; None if it is none of them."""
    match = _DURATION.match(text.strip()[:_LONGEST_NUMBER])
    if match is None:
        return None
    days, hours, minutes, seconds = match.groups()
    return (
        int(days or 0) * 86400.0 + int(hours or 0) * 3600.0 + int(minutes) * 60.0 + float(seconds)
    )


def moment(value: float) -> float:
    """Return seconds since the Unix epoch from seconds or milliseconds since then.

    NaN if the number cannot be a moment after 2001, because it is a duration.
    """
    if _EARLIEST < value < _LATEST:
        return value
    if _EARLIEST * 1e3 < value < _LATEST * 1e3:
        return value / 1e3
    return math.nan


def written_moment(text: str) -> float:
    """Return seconds since the Unix epoch from a date with a time; NaN if it is not one.

    Without a time zone it is taken for local time, which is what loggers write.
    """
    text = text.strip()
    if not 15 <= len(text) <= _LONGEST_NUMBER or not text[:4].isdigit():
        return math.nan
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    try:
        return datetime.strptime(text[:19], "%Y-%m-%d_%H-%M-%S").timestamp()
    except (ValueError, OverflowError, OSError):
        return math.nan


_LARGEST = 1e300
"""Largest value and count: the range and the sum of larger ones are beyond what a float holds."""


def regular(left: ArrayLike, right: ArrayLike, counts: ArrayLike) -> Histogram | None:
    """Make a histogram of bins in any order; None if no value is in any of them.

    Empty bins and those that are not numbers are left out; of bins that overlap the lower ends
    where the upper begins.

    Args:
        right: Upper edges, as many.
        counts: Values per bin, as many.
    """
    low, high, held = (np.asarray(one, np.float64) for one in (left, right, counts))
    with np.errstate(invalid="ignore"):
        known = np.isfinite(low) & np.isfinite(high) & np.isfinite(held) & (held > 0)
    low, high, held = low[known], high[known], held[known]
    if not len(low):
        return None
    low, high, held = (np.clip(one, -_LARGEST, _LARGEST) for one in (low, high, held))
    order = np.argsort(low, kind="stable")
    low, high, held = low[order], np.maximum(low, high)[order], held[order]
    high[:-1] = np.minimum(high[:-1], low[1:])
    return Histogram(low, high, held)
