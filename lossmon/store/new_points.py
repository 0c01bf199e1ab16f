"""Unread points of one quantity, with their place in the order of training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lossmon.fast_dataclass import dataclass
from lossmon.store.columns import TagColumns
from lossmon.store.headline import Headlines
from lossmon.store.merge import MergedSeries, SourceSeries, beyond, extended, merge_files
from lossmon.store.run import MeasuredQuantity
from lossmon.types import Axis, Floats, Ints


@dataclass(frozen=True, slots=True)
class HeadlineSeries:
    """The headline loss, which orders all other series.

    Attributes:
        source: Its leading source, None where the run has no loss.
        restart_orders: Positions of its restarts, ascending.
        restart_steps: Steps from which it restarted.
    """

    source: SourceSeries | None
    restart_orders: Ints
    restart_steps: Ints


@dataclass(frozen=True, slots=True)
class NewPoints:
    """Points of one quantity that were not read yet.

    Attributes:
        steps: int64.
        values: float64.
        walls: Seconds since the Unix epoch, NaN where unknown.
        segments: Number of restarts before each point.
        places: Step of the headline loss at which each point was logged: `steps`, unless
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


def headline_series(quantities: Sequence[MeasuredQuantity], headlines: Headlines) -> HeadlineSeries:
    """The headline train loss, or the eval loss where there is no other."""
    leading = {quantity.key: quantity.sources[0] for quantity in quantities}
    source = leading.get(headlines.train or "") or leading.get(headlines.eval or "")
    if source is None:
        return HeadlineSeries(None, np.empty(0, np.int64), np.empty(0, np.int64))
    return HeadlineSeries(source, *source.stream.restarts(source.axis))


def is_logged_with(source: SourceSeries, head: HeadlineSeries) -> bool:
    """Whether a source shares a file with the headline loss, so that one order holds for both.

    Formats with a file per metric have no common order, nor have two sources.
    """
    if head.source is None or source.stream is not head.source.stream:
        return False
    return not set(source.numbers).isdisjoint(head.source.numbers)


def added(column: TagColumns, read: int, head: HeadlineSeries) -> NewPoints:
    """The points of a column in a file of the headline loss after the first `read`, void or not."""
    fresh = column.after(read)
    orders = column.orders[fresh]
    segments = np.searchsorted(head.restart_orders, orders, side="right").astype(np.int64)
    steps = column.steps[fresh]
    places = steps
    if head.source is not None and column.axis is not head.source.axis:
        places = _headline_steps(head.source, orders)
    return NewPoints(steps, column.values[fresh], column.walls[fresh], segments, places)


def _headline_steps(head: SourceSeries, orders: Ints) -> Ints:
    """Step of the headline loss that was logged last before each position."""
    known = np.concatenate([column.orders for column in head.columns])
    steps = np.concatenate([column.steps for column in head.columns])
    found = np.searchsorted(known, orders, side="right") - 1
    return np.where(found < 0, 0, steps[np.maximum(found, 0)])


def settled(source: SourceSeries, head: HeadlineSeries) -> NewPoints:
    """All points of a source in other files that no restart made void."""
    return _by_step(merge_files(source), source.axis, head)


def outside(
    leader: SourceSeries, others: Sequence[SourceSeries], head: HeadlineSeries
) -> Iterator[NewPoints]:
    """The points of each further source before the first and after the last of all better ones."""
    if not others:
        return
    merged = merge_files(leader)
    for other in others:
        extra = beyond(merged, merge_files(other))
        if extra is not None:
            yield _by_step(extra, other.axis, head)
            merged = extended(merged, merge_files(other))


def _by_step(series: MergedSeries, axis: Axis, head: HeadlineSeries) -> NewPoints:
    segments = np.zeros(len(series.steps), np.int64)
    if head.source is not None and axis is head.source.axis:
        for number, step in enumerate(head.restart_steps.tolist(), start=1):
            segments[series.steps >= step] = number
    else:
        segments += len(head.restart_steps)
    return NewPoints(series.steps, series.values, series.walls, segments, series.steps)
