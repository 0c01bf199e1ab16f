"""Bursts of train points far above their surroundings."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.curve_stats import CurveStats, median
from lossmon.fast_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Spike:
    """The newest burst of train points far above their surroundings.

    Attributes:
        step: Where it peaked.
        last: Last step of the burst.
        peak: Its highest point.
        before: Level before it.
    """

    step: int
    last: float
    peak: float
    before: float


SPIKE_SCATTER = 7.0
"""Height of a spike in robust standard deviations of log loss: OLMo skips a batch at six,
and counts seven as a spike."""

SPIKE_TAIL = 3.5
"""The same in units of the height that one point in ten reaches: noise with a long tail, as of
small batches of easy examples, is not a spike."""

SPIKE_WINDOW = 64
"""Newest bins whose scatter counts: it grows as the loss of a small batch nears zero."""

BEFORE = 16
"""Bins before a spike that give the level it has to come back to."""

SPIKE_LEAST = math.log(1.5)
"""Least log height of a spike: half above the level is not a spike."""


def newest_spike(train: CurveStats) -> Spike | None:
    """The newest spike of a train loss, None if there is none."""
    if len(train) < 10:
        return None
    around = train.around
    heights = np.log(np.maximum(train.highs, 1e-300) / np.maximum(around, 1e-300))
    late = heights[-SPIKE_WINDOW:]
    usual = median(late)
    if not heights.max() > usual + SPIKE_LEAST:
        # Most curves end here: nothing stands out, whatever the scatter.
        return None
    scatter = 1.4826 * median(np.abs(late - usual))
    common = float(np.sort(late)[int(0.9 * len(late))]) - usual
    limit = max(SPIKE_SCATTER * scatter, SPIKE_TAIL * common, SPIKE_LEAST)
    at = np.flatnonzero(heights > usual + limit)
    at = at[at >= 3]
    if not len(at):
        return None
    end = begin = int(at[-1])
    while begin - 1 in at:
        begin -= 1
    top = begin + int(train.highs[begin : end + 1].argmax())
    before = median(train.y[max(begin - BEFORE, 0) : max(begin - 1, 1)])
    return Spike(train.high_step(top), float(train.x[end]), float(train.highs[top]), before)
