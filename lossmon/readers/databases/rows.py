"""Rows of a database that only grows: which are new, and what they hold."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from lossmon.readers.format import ContainedRun
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.names import clean_name
from lossmon.readers.values import number
from lossmon.types import Facts

MOST_ROWS = 1_000
"""Rows fetched per visit: about 1 ms. As long as somebody reads, a writer cannot begin its
write-ahead log again, and at each commit it tries to, in vain, once the log is full."""

MOST_SCANNED = 4_000
"""Rows looked through at a time for the runs that they belong to, for as long."""

MOST_SETTINGS = 1000
"""Hyperparameters kept of one run."""

LARGEST_STEP = 2**62


class RunProgress(NamedTuple):
    """State of one run after a visit.

    Attributes:
        facts: What is known about the run, None if nothing is.
        more: There are more rows to fetch.
        revisit_at: Seconds since the Unix epoch from which another visit may find more, although
            nothing is written; None if it cannot.
    """

    facts: Facts | None = None
    more: bool = False
    revisit_at: float | None = None


class RunRows(Protocol):
    """One run of a database, and how far it was read."""

    def read(self, connection: sqlite3.Connection, batch: BatchBuilder) -> RunProgress:
        """Add what was logged since the last visit to a batch.

        Where older values changed, the batch starts over with all of them.
        """
        ...


class TrackerTables(Protocol):
    """The tables of one kind of database."""

    def refresh(self, connection: sqlite3.Connection) -> Sequence[ContainedRun] | None:
        """Return the runs as `RunContainer.runs` does; None if the database was replaced."""
        ...

    def rows(self, key: str) -> RunRows:
        """Return one run, none of it read yet."""
        ...


class RunMarks:
    """Finds out which runs got rows since the last visit, from the new rows alone.

    Args:
        run: Column with the run of a row.
    """

    def __init__(self, table: str, run: str = "run_id") -> None:
        self._table, self._run = table, run
        self._last: tuple[Any, ...] | None = None
        """The newest row, empty if there is none, None before the first visit."""
        self._newest: dict[object, int] = {}

    def refresh(self, connection: sqlite3.Connection) -> bool:
        """Take note of new rows; returns False if the newest row of the last visit is gone."""
        table, run = self._table, self._run
        ending = f"SELECT rowid, * FROM {table} ORDER BY rowid DESC LIMIT 1"
        before, last = self._last, connection.execute(ending).fetchone() or ()
        if before is not None:
            at = before[0] if before else -1
            same = f"SELECT rowid, * FROM {table} WHERE rowid = ?"
            if before and connection.execute(same, (at,)).fetchone() != before:
                return False
            newest = (
                f"SELECT run, MAX(row) FROM (SELECT rowid AS row, {run} AS run FROM {table} "
                f"WHERE rowid > ? ORDER BY rowid LIMIT {MOST_SCANNED}) GROUP BY run"
            )
            while last and at < last[0] and (found := connection.execute(newest, (at,)).fetchall()):
                self._newest.update(found)
                at = max(row for _, row in found)
                release(connection)
                connection.execute("BEGIN")
        self._last = last
        return True

    def of(self, run: object) -> Hashable:
        """Return a different value whenever a run got rows."""
        return self._newest.get(run)

    @property
    def runs(self) -> Iterable[object]:
        """The runs that got rows since the first visit."""
        return self._newest


class RowCursor:
    """Reads the rows of one run in the order in which they were written.

    The rows of runs that were written one after another are contiguous: only the range of this run
    is read, and from there to the newest row only once the run got another one.

    Args:
        run: Column with the run of a row.
    """

    def __init__(self, table: str, columns: str, run: str, key: object) -> None:
        self._range = f"SELECT MIN(rowid), MAX(rowid) FROM {table} WHERE {run} = ?"
        self._fetch = (
            f"SELECT rowid, {columns} FROM {table} "
            f"WHERE rowid > ? AND rowid <= ? AND +{run} = ? ORDER BY rowid LIMIT {MOST_ROWS}"
        )
        self._key = key
        self._at = -1
        self._end = -1

    def read(self, connection: sqlite3.Connection) -> tuple[list[tuple[object, ...]], bool]:
        """Return the next rows without their numbers, and whether there are more."""
        if self._end < 0:
            first, last = connection.execute(self._range, (self._key,)).fetchone()
            if first is None:
                return [], False
            self._at, self._end = first - 1, last
        end = self._end if self._at < self._end else 2**62
        rows = connection.execute(self._fetch, (self._at, end, self._key)).fetchall()
        if rows:
            self._at = rows[-1][0]
        return [row[1:] for row in rows], len(rows) == MOST_ROWS


def release(connection: sqlite3.Connection) -> None:
    """End a transaction: the writer goes on, as while rows become points."""
    connection.execute("END")


def as_step(value: object) -> int:
    """Return a number of a table as a step, 0 if it is not one."""
    return max(0, min(as_int(value), LARGEST_STEP))


def as_int(value: object) -> int:
    """Return a number of a table as an integer, 0 if it is not a number."""
    if type(value) is int:
        return value
    found = number(value)
    return int(found) if found is not None and math.isfinite(found) else 0


def as_float(value: object) -> float:
    """Return a number of a table, NaN if it is not a number."""
    if type(value) is float:
        return value
    found = number(value)
    return math.nan if found is None else found


def as_name(value: object) -> str:
    """Return a name in a table, empty if there is none."""
    return clean_name(str(value)) if value else ""
