"""Facts of a finding: the finite numbers of its evidence sentence."""

from __future__ import annotations

import math

MAX_SHARE = 1000.0
"""Shares are bounded here: a loss that grew a thousandfold is said to have grown by more than
999 %."""


def facts(**values: float | int | str) -> dict[str, float | int | str]:
    """Numbers and short words by placeholder; a number that is not finite is left out."""
    return {
        key: value
        for key, value in values.items()
        if not isinstance(value, float) or math.isfinite(value)
    }


def percent(share: float) -> float:
    """A share in percent, within plus or minus 100 times `MAX_SHARE`."""
    return 100 * min(max(share, -MAX_SHARE), MAX_SHARE)


def rise_percent(log_rise: float) -> float:
    """Percent by which a level has risen, from the natural log of the new over the old level."""
    return percent(math.expm1(min(log_rise, math.log(2 * MAX_SHARE))))


def fall_percent(log_fall: float) -> float:
    """The same for a level that has fallen; negative for a rise."""
    return -rise_percent(-log_fall)
