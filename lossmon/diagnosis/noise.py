"""Noise of single evals about a smooth curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from lossmon.diagnosis.curve_stats import median, median_of_few
from lossmon.types import Floats

NOISE_PRIOR = 0.008
"""Eval noise assumed before it can be measured: evals on a few hundred examples scatter by about
this much relative to their level."""

NOISE_PRIOR_WEIGHT = 2
"""How many observations the prior counts for."""

NOISY = 0.5
"""Share of values above or below both neighbours from which a curve is noise, not bends."""

NOISE_WINDOW = 32
"""Newest evals the noise is taken from: it changes with the level."""


def noise_of(logs: Floats) -> float:
    """Standard deviation of single values about a smooth curve.

    Taken from second and third differences, whichever is smaller: a steep or bent
    curve is not noise.
    """
    tail = logs[-NOISE_WINDOW:].tolist()
    known, weight = NOISE_PRIOR_WEIGHT * NOISE_PRIOR**2, float(NOISE_PRIOR_WEIGHT)
    if len(tail) >= 4:
        bends = [abs(c - 2 * b + a) for a, b, c in zip(tail, tail[1:], tail[2:], strict=False)]
        kinks = [
            abs(d - 3 * c + 3 * b - a)
            for a, b, c, d in zip(tail, tail[1:], tail[2:], tail[3:], strict=False)
        ]
        second = median_of_few(bends) * 1.4826 / math.sqrt(6)
        third = median_of_few(kinks) * 1.4826 / math.sqrt(20)
        seen = len(tail) - 2
        bent = reversals_of(logs) < NOISY
        known += seen * (min(second, third) if bent else (second + third) / 2) ** 2
        weight += seen
    return math.sqrt(known / weight)


def reversals_of(logs: Floats) -> float:
    """Share of the inner values of the window that lie above or below both neighbours."""
    tail = logs[-NOISE_WINDOW:]
    steps = (tail[1:] - tail[:-1]).tolist()
    turns: int = sum(a * b < 0 for a, b in pairwise(steps))
    return turns / max(len(steps) - 1, 1)


def spread_of(values: Sequence[float]) -> float:
    """Robust standard deviation of single values about a smooth curve, 0 for fewer than 5."""
    if len(values) < 5:
        return 0.0
    column = np.asarray(values)
    bends = np.abs(column[2:] - 2 * column[1:-1] + column[:-2])
    return median(bends) * 1.4826 / math.sqrt(6)


def at_least(least: int, count: int, probability: float) -> float:
    """Probability that at least so many of `count` independent events happen."""
    none = 1 - probability
    return sum(
        math.comb(count, k) * probability**k * none ** (count - k) for k in range(least, count + 1)
    )


def with_unsure_noise(deviations: float, freedom: float) -> float:
    """Standard deviations that are as improbable where the noise is known from few values.

    The quantile of Student's t distribution at the probability of a normal one, by its expansion
    (Abramowitz and Stegun, 26.7.5).

    Args:
        deviations: Standard deviations where the noise is known.
        freedom: Degrees of freedom of the noise, above 0.
    """
    z = deviations
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
