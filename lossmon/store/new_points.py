"""Which points of a quantity the diagnosis is told, and where in the run they belong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.store.columns import Columns
from lossmon.store.headline import Headlines
from lossmon.store.merge import MergedSeries, SourceSeries, beyond, extended, track
from lossmon.store.run import RunStore
from lossmon.types import Axis, Floats, Ints


@dataclass(frozen=True, slots=True)
class Head:
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
class Piece:
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

    def where(self, mask: NDArray[np.bool_]) -> Piece:
        """Only some of the points."""
        if mask.all():
            return self
        return Piece(
            self.steps[mask],
            self.values[mask],
            self.walls[mask],
            self.segments[mask],
            self.places[mask],
        )


def head_of(store: RunStore, heads: Headlines) -> Head:
    """The headline train loss, or the eval loss where there is no other."""
    leading = {quantity.key: quantity.accounts[0] for quantity in store.quantities()}
    account = leading.get(heads.train or "") or leading.get(heads.eval or "")
    if account is None:
        return Head(None, np.empty(0, np.int64), np.empty(0, np.int64))
    return Head(account, *account.stream.restarts(account.axis))


def is_logged_with(account: SourceSeries, head: Head) -> bool:
    """Whether an account stands in files of the headline loss, so that one order holds for both.

    Formats with a file for each metric have no such order, nor have two sources.
    """
    if head.account is None or account.stream is not head.account.stream:
        return False
    return not set(account.numbers).isdisjoint(head.account.numbers)


def logged(column: Columns, head: Head) -> Piece:
    """What a column beside the headline loss got since it was last told, void or not."""
    fresh = slice(column.fed, column.n)
    orders = column.orders[fresh]
    segments = np.searchsorted(head.orders, orders, side="right").astype(np.int64)
    steps = column.steps[fresh]
    places = steps
    if head.account is not None and column.axis is not head.account.axis:
        places = _beside(head.account, orders)
    return Piece(steps, column.values[fresh], column.walls[fresh], segments, places)


def _beside(head: SourceSeries, orders: Ints) -> Ints:
    """Step of the headline loss that was logged last before each position."""
    known = np.concatenate([column.orders for column in head.columns])
    steps = np.concatenate([column.steps for column in head.columns])
    found = np.searchsorted(known, orders, side="right") - 1
    return np.where(found < 0, 0, steps[np.maximum(found, 0)])


def settled(account: SourceSeries, head: Head) -> Piece:
    """All points of an account of other files that no restart made void."""
    return _by_step(track(account), account.axis, head)


def outside(leader: SourceSeries, others: Sequence[SourceSeries], head: Head) -> Iterator[Piece]:
    """What each further account knows before or after all better ones."""
    if not others:
        return
    joined = track(leader)
    for other in others:
        extra = beyond(joined, track(other))
        if extra is not None:
            yield _by_step(extra, other.axis, head)
            joined = extended(joined, track(other))


def _by_step(told: MergedSeries, axis: Axis, head: Head) -> Piece:
    segments = np.zeros(len(told.steps), np.int64)
    if head.account is not None and axis is head.account.axis:
        for number, cut in enumerate(head.cuts.tolist(), start=1):
            segments[told.steps >= cut] = number
    else:
        segments += len(head.cuts)
    return Piece(told.steps, told.values, told.walls, segments, told.steps)
