"""Histograms as logs spell them, made regular."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lossmon.types import Histogram

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
