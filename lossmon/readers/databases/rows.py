"""Rows of a database that only grows: how far they were read, and what they mean as points."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import field
from typing import Any, NamedTuple, Protocol

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.readers.format import ContainedRun
from lossmon.readers.records.columns import MOST_TAGS
from lossmon.readers.records.names import clean_name
from lossmon.readers.values import number
from lossmon.types import Axis, Facts, Points

MOST = 4_000
"""Rows taken at one visit: some 20 ms, for which a writer may have to wait."""

MOST_SETTINGS = 1000
"""Hyperparameters of one run that are taken."""


class Logged(NamedTuple):
    """One value that a run logged; the wall time is in seconds since the Unix epoch."""

    tag: str
    step: int
    wall_time: float
    value: float
    axis: Axis = Axis.STEP


@dataclass(slots=True)
class News:
    """What one visit found of one run.

    Attributes:
        values: In the order in which they were logged.
        facts: What is known of the run.
        anew: What was given before is void.
        more: There are more rows to fetch.
        again: Seconds since the Unix epoch from which on another visit can tell more, although
            nothing was written; None if it cannot.
    """

    values: list[Logged] = field(default_factory=list)
    facts: Facts | None = None
    anew: bool = False
    more: bool = False
    again: float | None = None


class Rows(Protocol):
    """One run of a database, and how far it was read."""

    def news(self, connection: sqlite3.Connection) -> News:
        """Return what was logged since the last visit."""
        ...


class Tables(Protocol):
    """Knows the tables of one kind of database."""

    def look(self, connection: sqlite3.Connection) -> Sequence[ContainedRun] | None:
        """Return the runs as `RunContainer.runs` does; None if the database is another one now."""
        ...

    def rows(self, key: str) -> Rows:
        """Return one run, nothing of which was read."""
        ...


class Marks:
    """Which runs got rows since the last look, from the rows that were added alone.

    Args:
        table: Name of the table.
        run: Column that says whose a row is.
    """

    def __init__(self, table: str, run: str = "run_id") -> None:
        self._table, self._run = table, run
        self._last: tuple[Any, ...] | None = None
        """The newest row, empty where there is none, None before the first look."""
        self._newest: dict[object, int] = {}

    def look(self, connection: sqlite3.Connection) -> bool:
        """Take notice of new rows; False if the newest row of the last look is gone."""
        table, run = self._table, self._run
        ending = f"SELECT rowid, * FROM {table} ORDER BY rowid DESC LIMIT 1"
        before, self._last = self._last, connection.execute(ending).fetchone() or ()
        if before is None:
            return True
        at = before[0] if before else -1
        same = f"SELECT rowid, * FROM {table} WHERE rowid = ?"
        if before and connection.execute(same, (at,)).fetchone() != before:
            return False
        newest = f"SELECT {run}, MAX(rowid) FROM {table} WHERE rowid > ? GROUP BY {run}"
        self._newest.update(connection.execute(newest, (at,)).fetchall())
        return True

    def of(self, run: object) -> Hashable:
        """Another value each time that a run got rows."""
        return self._newest.get(run)

    @property
    def runs(self) -> Iterable[object]:
        """The runs that got rows since the first look."""
        return self._newest


class Cursor:
    """Walks through the rows of one run in the order in which they were written.

    The rows of runs that were written one after another lie in stretches: only the stretch of
    this run is walked, and from there to the newest row only once the run got another one.

    Args:
        table: Name of the table.
        columns: What to fetch.
        run: Column that says whose a row is.
        key: The run.
    """

    def __init__(self, table: str, columns: str, run: str, key: object) -> None:
        self._stretch = f"SELECT MIN(rowid), MAX(rowid) FROM {table} WHERE {run} = ?"
        self._fetch = (
            f"SELECT rowid, {columns} FROM {table} "
            f"WHERE rowid > ? AND rowid <= ? AND +{run} = ? ORDER BY rowid LIMIT {MOST}"
        )
        self._key = key
        self._at = -1
        self._end = -1

    def next(self, connection: sqlite3.Connection) -> tuple[list[tuple[object, ...]], bool]:
        """Return the next rows without their numbers, and whether there are more."""
        if self._end < 0:
            first, last = connection.execute(self._stretch, (self._key,)).fetchone()
            if first is None:
                return [], False
            self._at, self._end = first - 1, last
        end = self._end if self._at < self._end else 2**62
        rows = connection.execute(self._fetch, (self._at, end, self._key)).fetchall()
        if rows:
            self._at = rows[-1][0]
        return [row[1:] for row in rows], len(rows) == MOST


def as_points(values: Iterable[Logged], first: int) -> Iterator[Points]:
    """Sort values into columns, one a tag; `first` is the position of the first of them."""
    series: dict[str, list[tuple[int, Logged]]] = {}
    for order, logged in enumerate(values, first):
        if logged.tag in series or len(series) < MOST_TAGS:
            series.setdefault(logged.tag, []).append((order, logged))
    for tag, rows in series.items():
        yield Points(
            tag,
            np.array([max(0, min(one.step, 2**62)) for _, one in rows], np.int64),
            np.array([one.wall_time for _, one in rows], np.float64),
            np.array([one.value for _, one in rows], np.float64),
            np.array([order for order, _ in rows], np.int64),
            rows[0][1].axis,
        )


def whole(value: object) -> int:
    """A number of a table as an integer, 0 where it is none."""
    if type(value) is int:
        return value
    taken = number(value)
    return int(taken) if taken is not None and math.isfinite(taken) else 0


def real(value: object) -> float:
    """A number of a table, NaN where it is none."""
    if type(value) is float:
        return value
    taken = number(value)
    return math.nan if taken is None else taken


def name_of(value: object) -> str:
    """A name that stands in a table, empty where there is none."""
    return clean_name(str(value)) if value else ""
