"""Smoothing: local straight lines through the columns of a curve.

At every column a straight line is fitted to the points around it, the nearer the heavier, and its
value there is drawn (local linear regression, Cleveland 1979). The fit looks both ways, so a
falling curve is not shifted, and a straight one is left as it is, up to its ends.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lossmon.types import Floats

DEFAULT_WEIGHT = 0.6
"""TensorBoard's own default: users know how much it smooths."""

MAX_WEIGHT = 0.999
"""A weight of 1 would fit one line to the whole curve."""

FEWEST = 5
"""Points under a fit below which it would rather hide points than show their level."""

_CELLS = 0.5
"""Cells that a fit of weight 0 reaches to either side; (1 - weight) divides it, so a step of the
smoothing key about doubles the reach."""


def reach(weight: float) -> float:
    """Cells to either side of a place whose points count for the line there.

    Args:
        weight: Share of the smoothing, 0 (none) to 0.999.
    """
    weight = min(max(weight, 0.0), MAX_WEIGHT)
    return _CELLS / (1 - weight) if weight else 0.0


def local_lines(means: Floats, counts: Floats, reach: float) -> Floats:
    """The smoothed values of columns.

    Args:
        means: Mean of the points of each column, NaN where there is none.
        counts: How many points that are.
        reach: Columns to either side that count, with weights that fall to 0 there. Where the
            curve begins and ends, those missing on one side are taken from the other.

    Returns:
        One value per column, NaN where `means` has none.
    """
    known = np.isfinite(means) & (counts > 0)
    filled = np.flatnonzero(known)
    if reach <= 1 or len(filled) < 2:
        return means
    # Around their middle, in units of their size: sums of huge values must not overflow.
    size = float(np.abs(means[known]).max()) or 1.0
    values = np.where(known, means, 0.0) / size
    centre = float(values[known].mean())
    values, weights = values - centre, np.where(known, counts, 0.0)
    places = np.arange(len(means))
    edge = np.minimum(places - filled[0], filled[-1] - places)
    reaches = reach + np.clip(reach - edge, 0.0, reach)
    side = min(math.ceil(2 * reach) - 1, len(means) - 1)
    offsets = np.arange(-side, side + 1)
    kernel = np.clip(1 - (offsets / reaches[:, None]) ** 2, 0.0, None)
    kernel *= sliding_window_view(np.pad(weights, side), len(offsets))
    s0, s1, s2 = kernel.sum(axis=1), kernel @ offsets, kernel @ offsets**2
    kernel *= sliding_window_view(np.pad(values, side), len(offsets))
    t0, t1 = kernel.sum(axis=1), kernel @ offsets
    spread = s0 * s2 - s1 * s1
    with np.errstate(divide="ignore", invalid="ignore"):
        fitted = np.where(spread > 1e-9 * s0 * s0, (s2 * t0 - s1 * t1) / spread, t0 / s0)
    return np.where(known, (fitted + centre) * size, np.nan)
