"""Which points of a quantity the diagnosis is told, and where in the run they belong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.store.columns import TagColumns
from lossmon.store.headline import Headlines
from lossmon.store.merge import MergedSeries, SourceSeries, beyond, extended, merge_files
from lossmon.store.run import RunStore
from lossmon.types import Axis, Floats, Ints


@dataclass(frozen=True, slots=True)
class HeadlineSeries:
    """The account of the headline loss, which all others are put in order by.

    Attributes:
        account: None where the run has no loss.
        orders: Positions of its restarts, ascending.
        cuts: Steps at which it began again.
    """

    account: SourceSeries | None
    orders: Ints
    cuts: Ints


@dataclass(frozen=True, slots=True)
class NewPoints:
    """Points of one quantity that are to be told.

    Attributes:
        steps: int64.
        values: float64.
        walls: Seconds since the Unix epoch, NaN where unknown.
        segments: How many restarts lie before each point.
        places: Step of the headline loss beside which each point was logged: `steps`, unless
            they count something else.
    """

    steps: Ints
    values: Floats
    walls: Floats
    segments: Ints
    places: Ints

    def __len__(self) -> int:
        return len(self.steps)

    def where(self, mask: NDArray[np.bool_]) -> NewPoints:
        """Only some of the points."""
        if mask.all():
            return self
        return NewPoints(
            self.steps[mask],
            self.values[mask],
            self.walls[mask],
            self.segments[mask],
            self.places[mask],
        )


def headline_series(store: RunStore, heads: Headlines) -> HeadlineSeries:
    """The headline train loss, or the eval loss where there is no other."""
    leading = {quantity.key: quantity.accounts[0] for quantity in store.quantities()}
    account = leading.get(heads.train or "") or leading.get(heads.eval or "")
    if account is None:
        return HeadlineSeries(None, np.empty(0, np.int64), np.empty(0, np.int64))
    return HeadlineSeries(account, *account.stream.restarts(account.axis))


def is_logged_with(account: SourceSeries, head: HeadlineSeries) -> bool:
    """Whether an account stands in files of the headline loss, so that one order holds for both.

    Formats with a file for each metric have no such order, nor have two sources.
    """
    if head.account is None or account.stream is not head.account.stream:
        return False
    return not set(account.numbers).isdisjoint(head.account.numbers)


def logged(column: TagColumns, head: HeadlineSeries) -> NewPoints:
    """What a column beside the headline loss got since it was last told, void or not."""
    fresh = slice(column.fed, column.n)
    orders = column.orders[fresh]
    segments = np.searchsorted(head.orders, orders, side="right").astype(np.int64)
    steps = column.steps[fresh]
    places = steps
    if head.account is not None and column.axis is not head.account.axis:
        places = _beside(head.account, orders)
    return NewPoints(steps, column.values[fresh], column.walls[fresh], segments, places)


def _beside(head: SourceSeries, orders: Ints) -> Ints:
    """Step of the headline loss that was logged last before each position."""
    known = np.concatenate([column.orders for column in head.columns])
    steps = np.concatenate([column.steps for column in head.columns])
    found = np.searchsorted(known, orders, side="right") - 1
    return np.where(found < 0, 0, steps[np.maximum(found, 0)])


def settled(account: SourceSeries, head: HeadlineSeries) -> NewPoints:
    """All points of an account of other files that no restart made void."""
    return _by_step(merge_files(account), account.axis, head)


def outside(
    leader: SourceSeries, others: Sequence[SourceSeries], head: HeadlineSeries
) -> Iterator[NewPoints]:
    """What each further account knows before or after all better ones."""
    if not others:
        return
    joined = merge_files(leader)
    for other in others:
        extra = beyond(joined, merge_files(other))
        if extra is not None:
            yield _by_step(extra, other.axis, head)
            joined = extended(joined, merge_files(other))


def _by_step(told: MergedSeries, axis: Axis, head: HeadlineSeries) -> NewPoints:
    segments = np.zeros(len(told.steps), np.int64)
    if head.account is not None and axis is head.account.axis:
        for number, cut in enumerate(head.cuts.tolist(), start=1):
            segments[told.steps >= cut] = number
    else:
        segments += len(head.cuts)
    return NewPoints(told.steps, told.values, told.walls, segments, told.steps)
