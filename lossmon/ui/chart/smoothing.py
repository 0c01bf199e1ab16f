"""Debiased exponential smoothing, the way TensorBoard draws it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats

DEFAULT_WEIGHT = 0.6
"""TensorBoard's own default: what users expect a curve to look like."""

MAX_WEIGHT = 0.999
"""A weight of 1 would draw zeros for ever."""

_NEGLIGIBLE = 1e-17
"""A factor below this no longer changes a float64 sum."""


@dataclass(frozen=True, slots=True)
class Ema:
    """Where an exponential mean stands after the values seen so far.

    Attributes:
        weight: Share of the past, 0 (no smoothing) to 0.999.
        total: Biased mean.
        seen: Share of the weight that was filled with values: 0 at the start, towards 1.
    """

    weight: float = DEFAULT_WEIGHT
    total: float = 0.0
    seen: float = 0.0

    def extend(self, values: Floats) -> tuple[Floats, Ema]:
        """Smooth the next values.

        Returns:
            The smoothed values, and where the mean stands now. Values that are not finite pass
            through as they are and leave the mean alone.
        """
        if not len(values):
            return np.empty(0), self
        finite = np.isfinite(values)
        if finite.all():
            return self._extend_finite(values)
        result = np.array(values, dtype=np.float64)
        smoothed, after = self._extend_finite(result[finite])
        result[finite] = smoothed
        return result, after

    def _extend_finite(self, values: Floats) -> tuple[Floats, Ema]:
        if not len(values):
            return values, self
        if self.weight <= 0:
            return np.array(values, dtype=np.float64), self
        sums = values * (1 - self.weight)
        sums[0] += self.weight * self.total
        # A scan by doubling: after the pass with shift k each sum covers 2k values.
        shift, factor = 1, self.weight
        while shift < len(sums) and factor > _NEGLIGIBLE:
            sums[shift:] += factor * sums[:-shift]
            shift, factor = 2 * shift, factor * factor
        total = float(sums[-1])
        # Beyond this many values the mean is full, and smaller powers would be denormal: slow.
        young = min(len(sums), int(math.log(_NEGLIGIBLE) / math.log(self.weight)) + 1)
        seen = 1 - (1 - self.seen) * self.weight ** np.arange(1, young + 1)
        sums[:young] /= seen
        full = float(seen[-1]) if young == len(sums) else 1.0
        return sums, replace(self, total=total, seen=full)


def smooth(values: Floats, weight: float = DEFAULT_WEIGHT) -> Floats:
    """The debiased exponential mean of a whole series; a constant series stays untouched.

    Args:
        values: Oldest first; non-finite ones pass through as they are.
        weight: Share of the past, 0 to 0.999.
    """
    return Ema(min(max(weight, 0.0), MAX_WEIGHT)).extend(values)[0]
