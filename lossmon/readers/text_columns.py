"""Points of many tags, gathered until they are handed over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lossmon.types import Axis, Points


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
