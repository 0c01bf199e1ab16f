"""Order statistics. Numpy's own import masked arrays at their first call: 7 ms of a start."""

from __future__ import annotations

import numpy as np

from lossmon.types import Floats


def median(values: Floats) -> float:
    """The middle of finite values, of which there is at least one."""
    return quantile(values, 0.5)


def quantile(values: Floats, share: float) -> float:
    """What a share of finite values, of which there is at least one, lies below.

    Args:
        values: In any order.
        share: 0 to 1; between two values the line that joins them is followed.
    """
    place = share * (len(values) - 1)
    at = int(place)
    after = min(at + 1, len(values) - 1)
    part = np.partition(values, (at, after))
    low, high = float(part[at]), float(part[after])
    # Weighted apart: the distance between two huge values is no longer a float64.
    return low if low == high else low * (1 - (place - at)) + high * (place - at)
