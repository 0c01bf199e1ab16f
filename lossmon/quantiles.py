"""Median and quantiles. Those of numpy import masked arrays at their first call: 7 ms."""

from __future__ import annotations

import numpy as np

from lossmon.types import Floats


def median(values: Floats) -> float:
    """Median of at least one finite value."""
    return quantile(values, 0.5)


def quantile(values: Floats, share: float) -> float:
    """Quantile of at least one finite value, interpolated linearly.

    Args:
        values: In any order.
        share: 0 to 1.
    """
    place = share * (len(values) - 1)
    at = int(place)
    after = min(at + 1, len(values) - 1)
    part = np.partition(values, (at, after))
    low, high = float(part[at]), float(part[after])
    # Weighted separately: the distance between two huge values may overflow.
    return low if low == high else low * (1 - (place - at)) + high * (place - at)
