"""What the tables of Trackio mean: one row a step, its values as JSON."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lossmon.readers.databases.reader import Database, DatabaseReader
from lossmon.readers.databases.rows import (
    Cursor,
    Logged,
    Marks,
    News,
    Rows,
    name_of,
    whole,
)
from lossmon.readers.format import MOST_RUNS, ContainedRun
from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.records.frame import frame_of
from lossmon.readers.records.json_records import parse_whole
from lossmon.readers.values import written_moment
from lossmon.types import Axis, Facts

_ENDING = "train_runtime"
"""What the Trainer logs at the end of a training. Trackio itself says nothing of an end."""

_PRIVATE = "_"
"""How the names begin that Trackio adds to a configuration."""


class TrackioTables:
    """The tables of Trackio: versions that number their runs, and older ones that name them."""

    def __init__(self) -> None:
        self._run = ""
        self._runs: dict[str, ContainedRun] = {}
        self._marks: tuple[Marks, ...] = ()

    def look(self, connection: sqlite3.Connection) -> Sequence[ContainedRun] | None:
        """Return the runs, the last begun first; None if the database is another one now."""
        if not self._run:
            self._run = _run_column(connection)
            self._marks = (Marks("metrics", self._run), Marks("system_metrics", self._run))
            fresh = list(_runs(connection, self._run))
        else:
            fresh = []
        if not all([marks.look(connection) for marks in self._marks]):
            return None
        fresh += [str(run) for run in self._marks[0].runs if str(run) not in self._runs]
        for run in fresh:
            self._runs[run] = self._part(connection, run)
        parts = [
            ContainedRun(
                part.key, part.name, part.started, mark=tuple(m.of(part.key) for m in self._marks)
            )
            for part in self._runs.values()
        ]
        parts.sort(key=lambda part: part.started if math.isfinite(part.started) else 0.0)
        return parts[: -MOST_RUNS - 2 : -1]

    def _part(self, connection: sqlite3.Connection, run: str) -> ContainedRun:
        first = connection.execute(
            f"SELECT run_name, timestamp FROM metrics WHERE {self._run} = ? ORDER BY step LIMIT 1",
            (run,),
        ).fetchone()
        name, time = first or ("", "")
        return ContainedRun(run, name_of(name), written_moment(str(time)))

    def rows(self, key: str) -> Rows:
        """Return one run, nothing of which was read."""
        return TrackioRows(key, self._run)


def _run_column(connection: sqlite3.Connection) -> str:
    return "run_id" if ("run_id",) in _columns(connection, "metrics") else "run_name"


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[str]]:
    return connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()


def _runs(connection: sqlite3.Connection, run: str) -> Iterator[str]:
    """Every run, found by leaps through the index rather than by a walk through all rows."""
    leap = f"SELECT MIN({run}) FROM metrics WHERE {run} > ?"
    (found,) = connection.execute(f"SELECT MIN({run}) FROM metrics").fetchone()
    while found is not None:
        yield str(found)
        (found,) = connection.execute(leap, (found,)).fetchone()


class TrackioRows:
    """One run of Trackio.

    Args:
        run: Its number, in older versions its name.
        column: Where that stands: `run_id` or `run_name`.
    """

    def __init__(self, run: str, column: str) -> None:
        self._run, self._column = run, column
        self._metrics = Cursor("metrics", "run_name, timestamp, step, metrics", column, run)
        self._system = Cursor("system_metrics", "timestamp, metrics", column, run)
        self._name = ""
        self._readings = 0
        self._ended = False

    def news(self, connection: sqlite3.Connection) -> News:
        """Return what was logged since the last visit.

        Readings of the machine become `system/` scalars. They have no step: they are numbered.
        """
        rows, more = self._metrics.next(connection)
        news = News(more=more)
        for name, time, step, metrics in rows:
            self._name = name_of(name)
            when = written_moment(str(time))
            said = dict(_json_values(metrics))
            news.values += [Logged(tag, whole(step), when, value) for tag, value in said.items()]
            self._ended = _ENDING in said
        rows, more = self._system.next(connection)
        news.more = news.more or more
        for time, metrics in rows:
            when = written_moment(str(time))
            for tag, value in _json_values(metrics):
                tag = f"system/{tag}"
                news.values.append(Logged(tag, self._readings, when, value, Axis.ORDER))
            self._readings += 1
        news.facts = replace(
            self._config(connection), name=self._name or None, finished=self._ended
        )
        return news

    def _config(self, connection: sqlite3.Connection) -> Facts:
        if (self._column,) not in _columns(connection, "configs"):
            return Facts()
        row = connection.execute(
            f"SELECT config FROM configs WHERE {self._column} = ? ORDER BY id DESC LIMIT 1",
            (self._run,),
        ).fetchone()
        record = parse_whole(_text(row[0])) if row else None
        own = {name: said for name, said in (record or {}).items() if name[:1] != _PRIVATE}
        return facts_of(own)


def _text(metrics: object) -> str:
    return metrics.decode(errors="replace") if isinstance(metrics, bytes) else str(metrics)


def _json_values(metrics: object) -> Iterator[tuple[str, float]]:
    record = parse_whole(_text(metrics))
    if record is not None:
        for name, column in frame_of([record]).columns.items():
            yield name, float(column.values[0])


def open_database(path: Path) -> Database:
    """Open a database with its runs."""
    return Database(path, "trackio", TrackioTables)


def open_newest(path: Path) -> DatabaseReader:
    """Return a reader of the run that stands for the database."""
    return DatabaseReader(open_database(path))
