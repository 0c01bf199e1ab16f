"""Reader for runs that a tracker keeps in a SQLite database."""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.errors import ReadError
from lossmon.readers.databases.rows import RunRows, TrackerTables
from lossmon.readers.files.sqlite import BusyError, Revision, TornError, revision, visit
from lossmon.readers.format import MOST_RUNS, ContainedRun, lead
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.columns import MOST_TAGS
from lossmon.types import Batch, Facts

if TYPE_CHECKING:
    import sqlite3

PATIENCE = 10.0
"""Seconds for which a database may be locked before an error says so. Trackers lock theirs for
milliseconds; a program that hangs in a transaction may do so for ever."""

REST = 200.0
"""Times what the visits of one look took until the next look: a writer in a tight loop waits longer
than it must, and still loses less than two percent of its time; and it rarely closes a database
while it is being read."""

LONGEST_REST = 2.5
"""Seconds of rest after long visits: less than until the monitor's last look at a file that has
stopped changing, which would miss the newest rows otherwise."""

PAUSE = 0.05
"""Seconds between two tries: the many runs of a locked database must not each wait for it."""


class Database:
    """The runs of one database: a `RunContainer`.

    Attributes:
        path: The database.
        source: Name of the family.
        life: Number of times that another database took the place of this one.
        error: Why the last refresh failed.
        busy: A writer locks it: the last refresh must be repeated.
    """

    def __init__(self, path: Path, source: str, tables: Callable[[], TrackerTables]) -> None:
        self.path = path
        self.source = source
        self.life = 0
        self.error: ReadError | OSError | None = None
        self.busy = False
        self._tried = self._locked_since = self._rest_until = -math.inf
        self._visited = 0.0
        """Seconds of the visits since the last rest."""
        self._make = tables
        self._tables = tables()
        self._seen: Revision | None = None
        self._runs: dict[str, ContainedRun] = {}
        self._notes: tuple[str, ...] = ()

    @property
    def notes(self) -> Sequence[str]:
        """How many runs are not followed, and why none is known."""
        if self.error is not None and not self._runs:
            return (str(self.error),)
        return self._notes

    def runs(self) -> Sequence[ContainedRun]:
        """Return the runs as `RunContainer.runs` does."""
        self.refresh()
        return tuple(self._runs.values())

    def refresh(self) -> None:
        """Take note of what was committed since the last refresh."""
        begin = time.monotonic()
        if begin < self._rest_until and not self.busy:
            # The monitor looks again when the file changes, and some seconds after it did.
            return
        self._visited = 0.0
        try:
            now = revision(self.path)
            if now is None or (now == self._seen and not self.busy):
                return
            self.error, self.busy = None, False
            found = self._refreshed(now)
        except FileNotFoundError:
            return
        except BusyError:
            self._wait(begin)
            return
        except ReadError as error:
            # What was read of a file that is still being copied may not be what it says.
            self._start_over()
            self.error, self._seen = error, now
            return
        except OSError as error:
            self.error = error
            return
        self._seen, self._locked_since = now, -math.inf
        self._runs = {run.key: run for run in found[:MOST_RUNS]}
        self._notes = (
            (f"{self.path.name}: only the newest {MOST_RUNS:,} runs are followed",)
            if len(found) > MOST_RUNS
            else ()
        )

    def refresh_for_one_of_many(self) -> None:
        """Refresh for the reader of one run, unless another one found it locked just now."""
        if not self.busy or time.monotonic() - self._tried >= PAUSE:
            self.refresh()

    def _wait(self, begin: float) -> None:
        """Try again soon; report an error if a writer keeps the lock for long."""
        self.busy, self._tried = True, time.monotonic()
        if self._locked_since == -math.inf:
            self._locked_since = begin
        elif self._tried - self._locked_since > PATIENCE:
            self.error = OSError(errno.EBUSY, "its writer keeps it locked; it is tried again")

    @contextmanager
    def visit(self) -> Iterator[sqlite3.Connection]:
        """Open the database as `lossmon.readers.files.sqlite.visit` does, and rest afterwards.

        After answers that may not fit together, all runs are read again from their first point.
        """
        begin = time.monotonic()
        try:
            with visit(self.path) as connection:
                yield connection
        except TornError:
            self._start_over()
            self._seen, self.busy = None, True
            raise
        finally:
            end = time.monotonic()
            self._visited += end - begin
            self._rest_until = end + min(LONGEST_REST, REST * self._visited)

    def _start_over(self) -> None:
        """Have all runs read again from their first point."""
        self.life += 1
        self._tables = self._make()

    def _refreshed(self, now: Revision) -> Sequence[ContainedRun]:
        with self.visit() as connection:
            same = self._seen is None or self._seen.inode == now.inode
            found = self._tables.refresh(connection) if same else None
            if found is None:
                self._start_over()
                found = self._tables.refresh(connection)
            return found or ()

    def mark(self, key: str) -> Hashable:
        """Return a different value whenever a run has something new; None without that run."""
        run = self._runs.get(key)
        return None if run is None else (self.life, run.mark)

    def rows(self, key: str) -> RunRows:
        """Return one run, none of it read yet."""
        return self._tables.rows(key)

    def open(self, key: str) -> DatabaseReader:
        """Return a reader of one run, from its first point on."""
        return DatabaseReader(self, key)


class DatabaseReader:
    """Reads one run of a database.

    Args:
        key: The run; None for the one that stands for the database when it is first read.
    """

    def __init__(self, database: Database, key: str | None = None) -> None:
        self.path = database.path
        self.source = database.source
        self._database = database
        self._key = key
        self._life = -1
        self._mark: Hashable = None
        self._more = False
        self._revisit_at = math.inf
        self._facts: Facts | None = None
        self._rows: RunRows | None = None
        self._batch = BatchBuilder(MOST_TAGS)

    def read(self, deadline: float) -> Batch:
        """Return what was logged since the last call.

        Raises:
            ReadError: It is not a database, is corrupt, or answers too slowly.
        """
        database = self._database
        database.refresh_for_one_of_many()
        if database.error is not None:
            raise database.error.with_traceback(None)
        if database.busy:
            return Batch(pending=1)
        if self._key is None:
            if (first := lead(database.runs())) is None:
                return Batch()
            self._key = first.key
        mark = database.mark(self._key)
        known = mark == self._mark and not self._more and time.time() < self._revisit_at
        if mark is None or known:
            return Batch()
        visited, pending = self._visit(self._key, deadline)
        if visited:
            # Otherwise a writer locks it, or it is gone: nothing of this mark was read.
            self._mark = mark
        return self._batch.drain(int(pending))

    def _visit(self, key: str, deadline: float) -> tuple[bool, bool]:
        """Visit the database repeatedly; between two visits its writer may lock it.

        Returns:
            Whether anything was read, and whether more is pending.
        """
        visited = False
        while True:
            try:
                self._read(key)
            except FileNotFoundError:
                return visited, visited
            except BusyError:
                return visited, True
            except ReadError:
                if not visited:
                    raise
                return True, True
            visited = True
            if not self._more or time.monotonic() >= deadline:
                return True, self._more

    def _read(self, key: str) -> None:
        if self._rows is None or self._life != self._database.life:
            if self._rows is not None:
                self._batch.restart()
            self._rows, self._life = self._database.rows(key), self._database.life
            self._facts = None
        before = self._batch.points.order
        with self._database.visit() as connection:
            state = self._rows.read(connection, self._batch)
        self._more = state.more
        self._revisit_at = math.inf if state.revisit_at is None else state.revisit_at
        has_points = self._batch.points.order != before
        if state.facts is not None and (state.facts != self._facts or has_points):
            self._batch.facts.append(state.facts)
        self._facts = state.facts


def openers(
    source: str, tables: Callable[[], TrackerTables]
) -> tuple[Callable[[Path], Database], Callable[[Path], DatabaseReader]]:
    """Return what opens a database with all of its runs, and what reads the run that leads."""

    def open_database(path: Path) -> Database:
        return Database(path, source, tables)

    return open_database, lambda path: DatabaseReader(open_database(path))
