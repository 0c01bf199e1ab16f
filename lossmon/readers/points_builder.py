"""Scalars that arrive one by one, gathered as columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lossmon.types import Axis, Points

MOST_TAGS = 20_000
"""Series of one file: more come only from names that change at every step."""


class SeriesLog:
    """Gathers scalars until they are asked for; numbers them through the life of the source.

    Attributes:
        refused: Scalars left out because there are too many tags.
    """

    def __init__(self) -> None:
        self.refused = 0
        self._order = 0
        self._tags: set[str] = set()
        self._columns: dict[str, list[tuple[int, float, float, int]]] = {}

    def add(self, tag: str, step: int, wall_time: float, value: float) -> None:
        """Add one scalar, after all that were added before."""
        self.add_row(step, wall_time, ((tag, value),))

    def add_row(self, step: int, wall_time: float, values: Iterable[tuple[str, float]]) -> None:
        """Add scalars of one step and time, tags and values, in their order."""
        columns, order = self._columns, self._order
        for tag, value in values:
            order += 1
            try:
                columns[tag].append((step, wall_time, value, order))
            except KeyError:
                self._begin_column(tag, (step, wall_time, value, order))
        self._order = order

    def _begin_column(self, tag: str, row: tuple[int, float, float, int]) -> None:
        if tag not in self._tags and len(self._tags) >= MOST_TAGS:
            self.refused += 1
            return
        self._tags.add(tag)
        self._columns[tag] = [row]

    def drain(self) -> tuple[Points, ...]:
        """Return the points added since this was last called."""
        columns, self._columns = self._columns, {}
        return tuple(_points(tag, column) for tag, column in columns.items())


def _points(tag: str, column: list[tuple[int, float, float, int]]) -> Points:
    steps, wall_times, values, orders = zip(*column, strict=True)
    return Points(
        tag,
        np.array(steps, np.int64),
        np.array(wall_times, np.float64),
        np.array(values, np.float64),
        np.array(orders, np.int64),
        Axis.STEP,
    )


class _Column:
    __slots__ = ("orders", "steps", "values", "walls")

    def __init__(self) -> None:
        self.orders: list[int] = []
        self.steps: list[int] = []
        self.walls: list[float] = []
        self.values: list[float] = []


class Columns:
    """Collects values tag by tag; `take` gives them as points and forgets them."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, Axis], _Column] = {}

    def extend(
        self,
        tag: str,
        axis: Axis,
        orders: Iterable[int],
        steps: Iterable[int],
        walls: Sequence[float],
        values: Iterable[float],
    ) -> None:
        """Append values of one tag, all of one length."""
        column = self._columns.get((tag, axis))
        if column is None:
            column = self._columns[tag, axis] = _Column()
        column.orders.extend(orders)
        column.steps.extend(steps)
        column.walls.extend(walls)
        column.values.extend(values)

    def take(self) -> tuple[Points, ...]:
        """Return what was gathered, in the order in which the tags first appeared."""
        points = tuple(
            Points(
                tag,
                np.array(column.steps, np.int64),
                np.array(column.walls, np.float64),
                np.array(column.values, np.float64),
                np.array(column.orders, np.int64),
                axis,
            )
            for (tag, axis), column in self._columns.items()
        )
        self._columns.clear()
        return points
