"""Band of a metric group: the lowest, the middle and the highest member at every step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats, Series


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Columns of one length, at the steps of the first member.

    Attributes:
        lead: The member whose steps and times the columns have.
        low: Lowest finite value of all members.
        middle: Their (upper) median.
        high: Highest finite value.
    """

    lead: Series
    low: Floats
    middle: Floats
    high: Floats

    def __len__(self) -> int:
        return len(self.middle)


def band_of(members: Sequence[Series], before: Band | None = None) -> Band:
    """The band of series.

    Args:
        members: At least one. Those that were logged at other steps than the first are read off
            between their points.
        before: The band of the same members when they were shorter: only what is new is computed.
    """
    lead = members[0]
    known = _known(lead, before)
    values = np.stack([_values(one, lead, known) for one in members])
    low, high = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    middle = np.sort(values, axis=0)[len(members) // 2]
    if before is not None and known:
        low = np.concatenate((before.low[:known], low))
        middle = np.concatenate((before.middle[:known], middle))
        high = np.concatenate((before.high[:known], high))
    return Band(lead, low, middle, high)


def _known(lead: Series, before: Band | None) -> int:
    """Points of a shorter band that still hold; the newest may have been half logged."""
    if before is None or before.lead.tag != lead.tag:
        return 0
    size = min(len(before), len(lead)) - 1
    if size < 1 or len(lead) < len(before):
        return 0
    old, ends = before.lead, [0, size // 2, size - 1]
    same = np.array_equal(old.steps[ends], lead.steps[ends]) and np.array_equal(
        old.values[ends], lead.values[ends], equal_nan=True
    )
    return size if same else 0


def _values(one: Series, lead: Series, start: int) -> Floats:
    steps = lead.steps[start:]
    if len(one) == len(lead) and np.array_equal(one.steps[start:], steps):
        return one.values[start:]
    if not len(one):
        return np.full(len(steps), np.nan)
    return np.asarray(np.interp(steps, one.steps, one.values))
