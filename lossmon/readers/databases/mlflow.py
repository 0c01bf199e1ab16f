"""What the tables of MLflow mean: one row a value; NaN is flagged, infinity the largest number."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lossmon.readers.databases.reader import Database, DatabaseReader
from lossmon.readers.databases.rows import (
    MOST_SETTINGS,
    Cursor,
    Logged,
    Marks,
    News,
    Rows,
    name_of,
    real,
    whole,
)
from lossmon.readers.format import MOST_RUNS, ContainedRun
from lossmon.readers.hyperparameters import facts_of_texts
from lossmon.readers.records.names import clean_name
from lossmon.readers.values import moment

_LARGEST = 1.7976931348623157e308
"""What MLflow writes for infinity, the database having none."""

_FAILED = {"FAILED": "failed", "KILLED": "killed"}

_RUNS = (
    "SELECT run_uuid, name, status, start_time, end_time FROM runs "
    "WHERE lifecycle_stage IS NOT 'deleted' ORDER BY start_time DESC, rowid DESC LIMIT ?"
)


class MlflowTables:
    """The tables of MLflow."""

    def __init__(self) -> None:
        self._metrics = Marks("metrics", "run_uuid")
        self._params = Marks("params", "run_uuid")

    def look(self, connection: sqlite3.Connection) -> Sequence[ContainedRun] | None:
        """Return the runs that were not deleted; None if the database is another one now."""
        if not (self._metrics.look(connection) and self._params.look(connection)):
            return None
        rows = connection.execute(_RUNS, (MOST_RUNS + 1,)).fetchall()
        return [
            ContainedRun(
                str(run),
                name_of(name),
                moment(real(started)),
                mark=(name, status, ended, self._metrics.of(run), self._params.of(run)),
            )
            for run, name, status, started, ended in rows
        ]

    def rows(self, key: str) -> Rows:
        """Return one run, nothing of which was read."""
        return MlflowRows(key)


class MlflowRows:
    """One run of MLflow.

    Args:
        run: Its `run_uuid`.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._cursor = Cursor("metrics", "key, value, timestamp, step, is_nan", "run_uuid", run)

    def news(self, connection: sqlite3.Connection) -> News:
        """Return what was logged since the last visit, and how the run is doing."""
        rows, more = self._cursor.next(connection)
        news = News(more=more)
        for key, value, time, step, is_nan in rows:
            taken = math.nan if is_nan else _unbounded(real(value))
            tag = clean_name(str(key))
            news.values.append(Logged(tag, whole(step), moment(real(time)), taken))
        state = "SELECT name, status, start_time FROM runs WHERE run_uuid = ?"
        found = connection.execute(state, (self._run,)).fetchone()
        if found is None:
            return news
        name, status, started = found
        settings = connection.execute(
            "SELECT key, value FROM params WHERE run_uuid = ?", (self._run,)
        )
        news.facts = replace(
            facts_of_texts(
                {
                    clean_name(str(key)): clean_name(str(value))
                    for key, value in settings.fetchmany(MOST_SETTINGS)
                }
            ),
            name=name_of(name) or None,
            started=moment(real(started)),
            # A run that is taken up again says that it is running, where it had ended before.
            finished=status == "FINISHED",
            failure=_FAILED.get(str(status), ""),
        )
        return news


def _unbounded(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) >= _LARGEST else value


def open_database(path: Path) -> Database:
    """Open a database with its runs."""
    return Database(path, "mlflow", MlflowTables)


def open_newest(path: Path) -> DatabaseReader:
    """Return a reader of the run that stands for the database."""
    return DatabaseReader(open_database(path))
