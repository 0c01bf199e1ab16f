"""The files of one run, grouped into streams that tell one story in one order."""

from __future__ import annotations

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from lossmon.frozen import dataclass
from lossmon.store.columns import Columns
from lossmon.types import Axis, Ints, Kind, Meaning, Points, Restart, Split

ORDER_BITS = 37
"""Positions of one file take the low bits, the number of its session the high ones: a hundred
billion records a session."""

SESSIONS = 128
"""How often a file may begin anew and continue what it said before; of a log that is rotated
more often the older part is forgotten. Leaves half a million files a run."""


@dataclass(slots=True)
class FileColumns:
    """What one file gave since it was begun."""

    number: int
    columns: dict[str, Columns] = field(default_factory=dict)
    restarts: list[tuple[int, int]] = field(default_factory=list)
    """Explicit restarts as (order, step)."""


@dataclass(slots=True)
class Stream:
    """Files of one format and sub-run, in the order they were begun: one account of the run.

    Attributes:
        source: Name of the format family.
        rank: Preference of its values, lower is better.
        scope: Sub-run inside the run, or empty.
        files: By number of the session: `SESSIONS` times the number of the file, and one more
            each time it began anew.
    """

    source: str
    rank: int
    scope: str
    files: dict[int, FileColumns] = field(default_factory=dict)
    version: int = 0
    _restarts: tuple[int, dict[Axis, tuple[Ints, Ints]]] = (-1, {})
    _open: dict[int, int] = field(default_factory=dict)
    """Session of each file that is being written."""
    _in_doubt: set[int] = field(default_factory=set)
    """Files that began anew and have not said yet whether they continue."""

    def add(self, number: int, points: Points, meaning: Meaning) -> None:
        """Append points of one tag of one file."""
        if number in self._in_doubt:
            self._settle(number, points)
        file = self._file(number)
        number = file.number
        column = file.columns.get(points.tag)
        if column is None:
            shown = f"{self.scope}/{points.tag}" if self.scope else points.tag
            column = file.columns[points.tag] = Columns(shown, meaning, points.axis, number)
        column.extend(points, number << ORDER_BITS)
        self.version += 1

    def restart(self, number: int, restart: Restart) -> None:
        """Note that a file says the run began again."""
        file = self._file(number)
        file.restarts.append(((file.number << ORDER_BITS) + restart.order, restart.step))
        self.version += 1

    def clear(self, number: int) -> None:
        """Forget a file."""
        self._in_doubt.discard(number)
        for session in [session for session in self.files if session // SESSIONS == number]:
            del self.files[session]
            self.version += 1

    def begin_anew(self, number: int) -> None:
        """The file was replaced: what it said is void, unless the new one goes on from there.

        A log that was rotated goes on; one that was rewritten tells all again.
        """
        if number not in self._open or self._open[number] + 1 >= SESSIONS:
            self.clear(number)
        elif number * SESSIONS + self._open[number] in self.files:
            self._open[number] += 1
            self._in_doubt.add(number)

    def _settle(self, number: int, points: Points) -> None:
        """Decide by its first points whether a file continues what it said before."""
        self._in_doubt.discard(number)
        before = [
            file.columns[points.tag]
            for session, file in self.files.items()
            if session // SESSIONS == number and points.tag in file.columns
        ]
        known = [column for column in before if column.n and column.axis is points.axis]
        if not known or int(points.steps[0]) <= max(int(column.steps[-1]) for column in known):
            self.clear(number)

    def _file(self, number: int) -> FileColumns:
        session = number * SESSIONS + self._open.setdefault(number, 0)
        return self.files.setdefault(session, FileColumns(session))

    def restarts(self, axis: Axis) -> tuple[Ints, Ints]:
        """Where the run began again: `(orders, steps)`, orders ascending.

        Only explicit restarts and a train loss whose steps go back count: other tags may be
        logged out of turn without the training having moved.
        """
        if self._restarts[0] != self.version:
            self._restarts = (self.version, {})
        known = self._restarts[1]
        if axis not in known:
            known[axis] = self._find_restarts(axis)
        return known[axis]

    def _find_restarts(self, axis: Axis) -> tuple[Ints, Ints]:
        found: set[tuple[int, int]] = set()
        last: dict[str, tuple[int, float]] = {}
        for number in sorted(self.files):
            file = self.files[number]
            if axis is Axis.STEP:
                found.update(file.restarts)
            for tag, column in file.columns.items():
                if column.axis is not axis or not column.n or not _leads(column.meaning):
                    continue
                for index in column.backward:
                    found.add((int(column.orders[index]), int(column.steps[index])))
                step, wall = last.get(tag, (-1, -np.inf))
                if column.steps[0] <= step and not column.walls[0] < wall:
                    found.add((int(column.orders[0]), int(column.steps[0])))
                last[tag] = (int(column.steps[-1]), float(column.walls[-1]))
        ordered = self._distinct(sorted(found), axis)
        orders = np.array([order for order, _ in ordered], np.int64)
        return orders, np.array([step for _, step in ordered], np.int64)

    def _distinct(self, found: list[tuple[int, int]], axis: Axis) -> list[tuple[int, int]]:
        """Drop what merely repeats a restart: several losses tell of the same one in turn."""
        kept: list[tuple[int, int]] = []
        for order, step in found:
            if kept and self._furthest(kept[-1][0], order, axis) <= step:
                continue
            kept.append((order, step))
        return kept

    def _furthest(self, start: int, end: int, axis: Axis) -> int:
        """Largest step of a train loss between two positions; -1 where there is none."""
        furthest = -1
        for file in self.files.values():
            for column in file.columns.values():
                if column.axis is not axis or not _leads(column.meaning):
                    continue
                first, last = np.searchsorted(column.orders, (start, end))
                if last > first:
                    furthest = max(furthest, int(column.steps[first:last].max()))
        return furthest


def _leads(meaning: Meaning) -> bool:
    return meaning.kind is Kind.LOSS and meaning.split is Split.TRAIN and not meaning.summary


def live(column: Columns, restarts: tuple[Ints, Ints]) -> NDArray[np.bool_] | None:
    """Tell which points of a column no restart made void.

    Returns:
        A mask over the column, or None where every point is live.
    """
    orders, steps = restarts
    mask: NDArray[np.bool_] | None = None
    for order, step in zip(orders.tolist(), steps.tolist(), strict=True):
        end = int(np.searchsorted(column.orders, order))
        if end and int(column.steps[:end].max()) >= step:
            mask = np.ones(column.n, np.bool_) if mask is None else mask
            mask[:end] &= column.steps[:end] < step
    for index in column.backward:
        step = int(column.steps[index])
        if mask is None:
            mask = np.ones(column.n, np.bool_)
        mask[:index] &= column.steps[:index] < step
    return mask
