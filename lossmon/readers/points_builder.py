"""Builders for the results of a reader: points as columns, and whole batches."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lossmon.readers.values import MOST_STEPS
from lossmon.types import Axis, Batch, Facts, Ints, LoggedMedia, Points, Restart, TextSample

MOST_TAGS = 20_000
"""Series of one file. A model with the norms of every layer has some thousand; a name that contains
a number of its own at every step would fill the memory."""


class _Column:
    __slots__ = ("orders", "steps", "values", "wall_times")

    def __init__(self) -> None:
        self.orders: list[int] = []
        self.steps: list[int] = []
        self.wall_times: list[float] = []
        self.values: list[float] = []

    def points(self, tag: str, axis: Axis) -> Points:
        return Points(
            tag,
            _whole(self.steps),
            np.array(self.wall_times, np.float64),
            np.array(self.values, np.float64),
            np.array(self.orders, np.int64),
            axis,
        )


def _whole(steps: list[int]) -> Ints:
    """Steps as a column; those that no training reaches become the largest that it can hold."""
    try:
        return np.array(steps, np.int64)
    except OverflowError:
        return np.array([min(step, MOST_STEPS) for step in steps], np.int64)


class PointsBuilder:
    """Collects the scalars of a source as columns.

    Args:
        most_tags: Different tags that are taken from the source.

    Attributes:
        order: Position of the next record. It only grows, even if the source starts over.
        refused: A scalar was left out because there are too many tags.
    """

    def __init__(self, most_tags: int = MOST_TAGS) -> None:
        self.order = 0
        self.refused = False
        self._most_tags = most_tags
        self._tags: set[str] = set()
        self._columns: dict[Axis, dict[str, _Column]] = {}
        self._ready: list[Points] = []

    def add(
        self, tag: str, step: int, wall_time: float, value: float, axis: Axis = Axis.STEP
    ) -> None:
        """Add one scalar, after all that were added before.

        Args:
            step: 0 or more.
            wall_time: Seconds since the Unix epoch, NaN if unknown.
            axis: What the step counts.
        """
        self.add_row(step, wall_time, ((tag, value),), axis)

    def add_row(
        self,
        step: int,
        wall_time: float,
        values: Iterable[tuple[str, float]],
        axis: Axis = Axis.STEP,
    ) -> None:
        """Add scalars of one step and time, as tags and values in their order."""
        columns, order = self._columns.setdefault(axis, {}), self.order
        for tag, value in values:
            column = columns.get(tag) or self._begun(tag, columns)
            if column is not None:
                column.orders.append(order)
                column.steps.append(step)
                column.wall_times.append(wall_time)
                column.values.append(value)
            order += 1
        self.order = order

    def extend(
        self,
        tag: str,
        axis: Axis,
        orders: Iterable[int],
        steps: Iterable[int],
        wall_times: Iterable[float],
        values: Iterable[float],
    ) -> None:
        """Add scalars of one tag as columns of one length, at positions from `reserve`."""
        columns = self._columns.setdefault(axis, {})
        column = columns.get(tag) or self._begun(tag, columns)
        if column is not None:
            column.orders.extend(orders)
            column.steps.extend(steps)
            column.wall_times.extend(wall_times)
            column.values.extend(values)

    def reserve(self, count: int) -> range:
        """Return the positions of the next records."""
        first, self.order = self.order, self.order + count
        return range(first, self.order)

    def reserve_column(self, count: int) -> Ints:
        """Return the positions of the next records as a column."""
        positions = self.reserve(count)
        return np.arange(positions.start, positions.stop, dtype=np.int64)

    def add_points(self, points: Points) -> None:
        """Add scalars of one tag that are columns already, at positions from `reserve`."""
        if self._admits(points.tag):
            self._ready.append(points)

    def _begun(self, tag: str, columns: dict[str, _Column]) -> _Column | None:
        if not self._admits(tag):
            return None
        column = columns[tag] = _Column()
        return column

    def _admits(self, tag: str) -> bool:
        if tag not in self._tags:
            if len(self._tags) >= self._most_tags:
                self.refused = True
                return False
            self._tags.add(tag)
        return True

    def clear(self) -> None:
        """Forget all points and tags; positions go on."""
        self.refused = False
        self._tags.clear()
        self._columns.clear()
        self._ready.clear()

    def drain(self) -> tuple[Points, ...]:
        """Return the points added since the last call, in the order of their tags' first points."""
        columns, self._columns = self._columns, {}
        ready, self._ready = self._ready, []
        built = (
            column.points(tag, axis)
            for axis, tags in columns.items()
            for tag, column in tags.items()
        )
        return (*built, *ready)


class BatchBuilder:
    """Collects everything that one call of a reader returns.

    Args:
        most_tags: Different tags that are taken from the source.

    Attributes:
        points: The scalars.
        restarts, facts, lines, samples, media, notes: See `Batch`.
        replaced: The source started over.
    """

    def __init__(self, most_tags: int = MOST_TAGS) -> None:
        self.points = PointsBuilder(most_tags)
        self._most_tags = most_tags
        self._said_refused = False
        self._empty()

    def _empty(self) -> None:
        self.restarts: list[Restart] = []
        self.facts: list[Facts] = []
        self.lines: list[str] = []
        self.samples: list[TextSample] = []
        self.media: list[LoggedMedia] = []
        self.notes: list[str] = []
        self.replaced = False

    def restart(self) -> None:
        """Note that the source starts over: everything found so far is void."""
        self.points.clear()
        self._said_refused = False
        self._empty()
        self.replaced = True

    def drain(self, pending: int = 0) -> Batch:
        """Return what was found since the last call.

        Args:
            pending: Bytes known to be unread.
        """
        if self.points.refused and not self._said_refused:
            self._said_refused = True
            self.notes.append(f"more than {self._most_tags:,} different names: the rest is ignored")
        batch = Batch(
            self.points.drain(),
            tuple(self.restarts),
            tuple(self.facts),
            tuple(self.lines),
            tuple(self.samples),
            tuple(self.media),
            tuple(self.notes),
            self.replaced,
            pending,
        )
        self._empty()
        return batch
