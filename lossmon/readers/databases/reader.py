"""Reader for runs that a tracker keeps in a SQLite database."""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path

from lossmon.errors import ReadError
from lossmon.readers.databases.rows import Rows, Tables, as_points
from lossmon.readers.files.sqlite import BusyError, Revision, revision, visit
from lossmon.readers.format import MOST_RUNS, ContainedRun, lead
from lossmon.types import Batch, Facts

PATIENCE = 10.0
"""Seconds for which a locked database is waited for before a word is said about it. Trackers hold
theirs for milliseconds; a program that hangs in a transaction may do so for ever."""

PAUSE = 0.05
"""Seconds between two tries, so that the many runs of a locked database do not each wait for it."""


class Database:
    """The runs of one database: a `RunContainer`.

    Args:
        path: The database.
        source: Name of the family.
        tables: What its tables mean.
    """

    def __init__(self, path: Path, source: str, tables: Callable[[], Tables]) -> None:
        self.path = path
        self.source = source
        self.life = 0
        """Counts how often another database took the place of this one."""
        self.error: ReadError | OSError | None = None
        """Why the last look failed."""
        self.busy = False
        """A writer holds it: the last look is still to be made."""
        self._tried = self._held = -math.inf
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
        self.look()
        return tuple(self._runs.values())

    def look(self) -> None:
        """Take notice of what was committed since the last look."""
        begin = time.monotonic()
        try:
            now = revision(self.path)
            if now is None or (now == self._seen and not self.busy):
                return
            self.error, self.busy = None, False
            found = self._look(now)
        except FileNotFoundError:
            return
        except BusyError:
            self._wait(begin)
            return
        except ReadError as error:
            self.error, self._seen = error, now
            return
        except OSError as error:
            self.error = error
            return
        self._seen, self._held = now, -math.inf
        self._runs = {part.key: part for part in found[:MOST_RUNS]}
        self._notes = (
            (f"{self.path.name}: only the newest {MOST_RUNS:,} runs are followed",)
            if len(found) > MOST_RUNS
            else ()
        )

    def look_for_one_of_many(self) -> None:
        """Do the same for the reader of one run: not if another one was kept waiting just now."""
        if not self.busy or time.monotonic() - self._tried >= PAUSE:
            self.look()

    def _wait(self, begin: float) -> None:
        """Come back soon; say so where a writer does not let go of it for long."""
        self.busy, self._tried = True, time.monotonic()
        if self._held == -math.inf:
            self._held = begin
        elif self._tried - self._held > PATIENCE:
            self.error = OSError(errno.EBUSY, "its writer keeps it locked; it is tried again")

    def _look(self, now: Revision) -> Sequence[ContainedRun]:
        with visit(self.path) as connection:
            same = self._seen is None or self._seen.inode == now.inode
            found = self._tables.look(connection) if same else None
            if found is None:
                self.life += 1
                self._tables = self._make()
                found = self._tables.look(connection)
            return found or ()

    def mark(self, key: str) -> Hashable:
        """Another value each time that there is something new to read of a run; None without it."""
        part = self._runs.get(key)
        return None if part is None else (self.life, part.mark)

    def rows(self, key: str) -> Rows:
        """Return one run, nothing of which was read."""
        return self._tables.rows(key)

    def open(self, key: str) -> DatabaseReader:
        """Return a reader of one run that begins with its first point."""
        return DatabaseReader(self, key)


class DatabaseReader:
    """Reads one run of a database.

    Args:
        database: The database.
        key: The run; None for the one that speaks for the database when it is first read.
    """

    def __init__(self, database: Database, key: str | None = None) -> None:
        self.path = database.path
        self.source = database.source
        self._database = database
        self._key = key
        self._life = -1
        self._mark: Hashable = None
        self._more = False
        self._again = math.inf
        self._order = 0
        self._facts: Facts | None = None
        self._rows: Rows | None = None

    def read(self, deadline: float) -> Batch:
        """Return what was logged since the last call.

        Raises:
            ReadError: It is not a database, is corrupt, or answers too slowly.
        """
        self._database.look_for_one_of_many()
        if self._database.error is not None:
            raise self._database.error.with_traceback(None)
        if self._database.busy:
            return Batch(pending=1)
        if self._key is None:
            if (first := lead(self._database.runs())) is None:
                return Batch()
            self._key = first.key
        mark = self._database.mark(self._key)
        if mark is None or (mark == self._mark and not self._more and time.time() < self._again):
            return Batch()
        batches = list(self._batches(self._key, deadline))
        if batches and (self._more or not batches[-1].pending):
            # Else the writer had it, or it was gone: nothing of this mark was read.
            self._mark = mark
        return _joined(batches)

    def _batches(self, key: str, deadline: float) -> Iterator[Batch]:
        """Visit the database again and again; between two visits its writer may have it."""
        given = False
        while True:
            try:
                batch = self._read(key)
            except FileNotFoundError:
                return
            except BusyError:
                yield Batch(pending=1)
                return
            except ReadError:
                if not given:
                    raise
                yield Batch(pending=1)
                return
            yield batch
            given = True
            if not batch.pending or time.monotonic() >= deadline:
                return

    def _read(self, key: str) -> Batch:
        anew = self._rows is not None and self._life != self._database.life
        if self._rows is None or anew:
            self._rows, self._life = self._database.rows(key), self._database.life
            self._facts = None
        with visit(self.path) as connection:
            news = self._rows.news(connection)
        self._more = news.more
        self._again = math.inf if news.again is None else news.again
        told = news.facts is None or (news.facts == self._facts and not news.values)
        facts = () if told or news.facts is None else (news.facts,)
        self._facts = news.facts
        points = tuple(as_points(news.values, self._order))
        self._order += len(news.values)
        return Batch(points, facts=facts, replaced=anew or news.anew, pending=int(news.more))


def _joined(batches: Sequence[Batch]) -> Batch:
    """What several visits found, as one."""
    if not batches:
        return Batch()
    anew = [at for at, batch in enumerate(batches) if batch.replaced]
    kept = batches[anew[-1] if anew else 0 :]
    return Batch(
        points=tuple(points for batch in kept for points in batch.points),
        facts=tuple(facts for batch in kept for facts in batch.facts),
        replaced=bool(anew),
        pending=batches[-1].pending,
    )
