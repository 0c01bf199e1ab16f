"""Journal of alerts in SQLite: what is remembered of each run, and what each channel has sent.

A transition and the alerts that come of it are one transaction, so a process that is killed at
any moment neither loses an alert nor works it out twice. A message whose sending was cut off is
sent again with the same id.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from lossmon.alerts.alert import Alert
from lossmon.alerts.pacing import Pending
from lossmon.alerts.tracker import RunTracker
from lossmon.config import state_directory
from lossmon.errors import LossmonError
from lossmon.types import Severity

SCHEMA = 1
"""Raised whenever the tables change; a journal of another schema is put aside."""

RETENTION = 7 * 86400.0
"""Seconds that a sent alert stays, for the pacing of those that follow and for a look at it."""

UNSEEN = 60 * 86400.0
"""Seconds after which a run that was not seen again is forgotten."""

ELSEWHERE = "--state FILE puts it elsewhere"

# Paths are JSON texts: SQLite takes no file name that is not UTF-8.
_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (path TEXT PRIMARY KEY, tracker TEXT NOT NULL, seen REAL NOT NULL);
CREATE TABLE IF NOT EXISTS alerts (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, code TEXT NOT NULL, path TEXT NOT NULL,
    severity INTEGER NOT NULL, time REAL NOT NULL, alert TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    id TEXT NOT NULL REFERENCES alerts(id) ON DELETE CASCADE, channel TEXT NOT NULL, sent REAL,
    PRIMARY KEY (id, channel)
) WITHOUT ROWID;
"""


class JournalError(LossmonError):
    """The journal cannot be used; says which file and why."""


class JournalLocked(JournalError):
    """Another process uses the journal."""


class AlertJournal:
    """The journal of one set of paths. Any thread may call its methods.

    Args:
        file: Where it is; its directory is made.
        now: Seconds since the Unix epoch.

    Attributes:
        aside: Where a file is now that could not be used as a journal; None without one.

    Raises:
        JournalLocked: Another process has it open.
        JournalError: It cannot be opened.
    """

    def __init__(self, file: Path, now: float) -> None:
        self.file = file
        self.aside: Path | None = None
        self._lock = threading.Lock()
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._database = _opened(file)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise JournalLocked(f"{file}: another lossmon watches these paths") from error
            raise JournalError(f"{file}: {error}; {ELSEWHERE}") from error
        except sqlite3.DatabaseError:
            self.aside = file.with_name(f"{file.name}.broken-{int(now)}")
            os.replace(file, self.aside)
            self._database = _opened(file)
        except OSError as error:
            raise JournalError(f"{file}: {error.strerror}; {ELSEWHERE}") from error
        self.clean(now)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fact(self, name: str) -> Any:
        """The value stored under a name, or None."""
        with self._reading() as database:
            row = database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def set_fact(self, name: str, value: Any) -> None:
        """Store a value under a name."""
        with self._writing() as database:
            database.execute("REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))

    def trackers(self) -> dict[str, RunTracker]:
        """What is remembered of each run, by path."""
        with self._reading() as database:
            rows = database.execute("SELECT path, tracker FROM runs").fetchall()
        return {json.loads(path): RunTracker.load(json.loads(text)) for path, text in rows}

    def record(
        self,
        trackers: Mapping[str, RunTracker],
        alerts: Sequence[tuple[Alert, Iterable[str]]],
        now: float,
        renamed: Iterable[str] = (),
    ) -> set[str]:
        """Store what changed about some runs, and the alerts that came of it, at once.

        Args:
            trackers: By path of the run.
            alerts: Each with the channels that are to send it.
            now: Seconds since the Unix epoch.
            renamed: Earlier paths of some of these runs.

        Returns:
            Ids of the alerts that are new; the others are left as they are.
        """
        fresh: set[str] = set()
        with self._writing() as database:
            database.executemany(
                "DELETE FROM runs WHERE path = ?", [(json.dumps(path),) for path in renamed]
            )
            database.executemany(
                "REPLACE INTO runs VALUES (?, ?, ?)",
                [(json.dumps(path), json.dumps(one.dump()), now) for path, one in trackers.items()],
            )
            for alert, channels in alerts:
                known = (alert.id, alert.kind, alert.code, json.dumps(alert.path))
                added = database.execute(
                    "INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*known, alert.severity.value, alert.time, alert.dump()),
                )
                if added.rowcount:
                    fresh.add(alert.id)
                    database.executemany(
                        "INSERT INTO deliveries VALUES (?, ?, NULL)",
                        [(alert.id, channel) for channel in channels],
                    )
        return fresh

    def alerts(self, ids: Sequence[str]) -> list[Alert]:
        """Alerts by their ids, oldest first; only the newest has its record."""
        marks = ", ".join("?" * len(ids))
        with self._reading() as database:
            rows = database.execute(
                f"SELECT alert FROM alerts WHERE id IN ({marks}) ORDER BY time, rowid", [*ids]
            ).fetchall()
        loaded = (Alert.load(text) for (text,) in rows)
        last = len(rows) - 1
        # A thousand records at once would be tens of megabytes, and only one is sent.
        return [
            one if place == last else replace(one, record=None) for place, one in enumerate(loaded)
        ]

    def pending(self, channel: str) -> list[Pending]:
        """What a channel has not sent, oldest first."""
        return [one for one, _ in self._deliveries(channel, "sent IS NULL")]

    def sent_lately(self, channel: str) -> list[tuple[Pending, float]]:
        """What a channel has sent in the last days and when, in the order sent."""
        return self._deliveries(channel, "sent IS NOT NULL")

    def _deliveries(self, channel: str, which: str) -> list[tuple[Pending, float]]:
        with self._reading() as database:
            rows = database.execute(
                "SELECT a.id, a.kind, a.code, a.path, a.severity, a.time, d.sent FROM deliveries d "
                f"JOIN alerts a ON a.id = d.id WHERE d.channel = ? AND {which} "
                "ORDER BY d.sent, a.time, a.rowid",
                (channel,),
            ).fetchall()
        return [
            (Pending(id_, kind, code, json.loads(path), Severity(severity), time), sent or 0.0)
            for id_, kind, code, path, severity, time, sent in rows
        ]

    def mark_sent(self, channel: str, ids: Sequence[str], now: float) -> None:
        """Record that a channel has sent some alerts."""
        with self._writing() as database:
            database.executemany(
                "UPDATE deliveries SET sent = ? WHERE channel = ? AND id = ?",
                [(now, channel, id_) for id_ in ids],
            )

    def forget_channels(self, known: Iterable[str]) -> None:
        """Drop pending alerts for channels that are no longer configured."""
        names = [*known]
        marks = ", ".join("?" * len(names))
        with self._writing() as database:
            database.execute(
                f"DELETE FROM deliveries WHERE sent IS NULL AND channel NOT IN ({marks})", names
            )

    def clean(self, now: float, present: Iterable[str] = ()) -> None:
        """Drop entries that are not needed any more.

        Args:
            now: Seconds since the Unix epoch.
            present: Paths of the runs that are there.
        """
        with self._writing() as database:
            database.executemany(
                "UPDATE runs SET seen = ? WHERE path = ?",
                [(now, json.dumps(path)) for path in present],
            )
            database.execute(
                "DELETE FROM alerts WHERE time < ? AND id NOT IN "
                "(SELECT id FROM deliveries WHERE sent IS NULL)",
                (now - RETENTION,),
            )
            database.execute("DELETE FROM runs WHERE seen < ?", (now - UNSEEN,))

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                yield self._database
        except sqlite3.Error as error:
            raise JournalError(f"{self.file}: {error}") from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise


def journal_file(places: Sequence[Path | str]) -> Path:
    """The file of the journal of some places, in any order."""
    spelled = (one if isinstance(one, str) else os.path.abspath(one) for one in places)
    named = "\0".join(sorted(spelled))
    name = f"watch-{zlib.crc32(named.encode('utf-8', 'surrogatepass')):08x}.sqlite"
    return state_directory() / name


def _opened(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=0.2, isolation_level=None, check_same_thread=False)
    try:
        # One process at a time, for as long as it runs; and what is committed outlives a power cut.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA synchronous = EXTRA")
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("BEGIN EXCLUSIVE")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA):
            raise sqlite3.DatabaseError(f"schema {version}")
        for statement in _TABLES.split(";\n"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {SCHEMA}")
        database.execute("COMMIT")
    except BaseException:
        database.close()
        raise
    os.chmod(file, 0o600)
    return database
