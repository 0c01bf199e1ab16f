"""Tables of MLflow: one row per value; NaN is flagged, infinity is the largest number."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from lossmon.readers.databases.reader import openers
from lossmon.readers.databases.rows import (
    MOST_SETTINGS,
    RowCursor,
    RunMarks,
    RunProgress,
    RunRows,
    as_float,
    as_name,
    as_step,
    release,
)
from lossmon.readers.format import MOST_RUNS, ContainedRun
from lossmon.readers.hyperparameters import facts_of_texts
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.names import clean_name
from lossmon.readers.values import moment
from lossmon.types import Facts

_LARGEST = 1.7976931348623157e308
"""What MLflow writes for infinity, which the database cannot hold."""

_FAILED = {"FAILED": "failed", "KILLED": "killed"}

_RUNS = (
    "SELECT run_uuid, name, status, start_time, end_time FROM runs "
    "WHERE lifecycle_stage IS NOT 'deleted' ORDER BY start_time DESC, rowid DESC LIMIT ?"
)


class MlflowTables:
    """The tables of MLflow."""

    def __init__(self) -> None:
        self._metrics = RunMarks("metrics", "run_uuid")
        self._params = RunMarks("params", "run_uuid")

    def refresh(self, connection: sqlite3.Connection) -> Sequence[ContainedRun] | None:
        """Return the runs that were not deleted; None if the database was replaced."""
        if not (self._metrics.refresh(connection) and self._params.refresh(connection)):
            return None
        rows = connection.execute(_RUNS, (MOST_RUNS + 1,)).fetchall()
        return [
            ContainedRun(
                str(run),
                as_name(name),
                moment(as_float(started)),
                mark=(name, status, ended, self._metrics.of(run), self._params.of(run)),
            )
            for run, name, status, started, ended in rows
        ]

    def rows(self, key: str) -> RunRows:
        """Return one run, none of it read yet."""
        return MlflowRows(key)


class MlflowRows:
    """One run of MLflow.

    Args:
        run: Its `run_uuid`.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._cursor = RowCursor("metrics", "key, value, timestamp, step, is_nan", "run_uuid", run)

    def read(self, connection: sqlite3.Connection, batch: BatchBuilder) -> RunProgress:
        """Add what was logged since the last visit."""
        rows, more = self._cursor.read(connection)
        facts = self._facts(connection)
        release(connection)
        for key, value, time, step, is_nan in rows:
            logged = math.nan if is_nan else _unbounded(as_float(value))
            tag = clean_name(str(key))
            batch.points.add(tag, as_step(step), moment(as_float(time)), logged)
        return RunProgress(facts, more)

    def _facts(self, connection: sqlite3.Connection) -> Facts | None:
        state = "SELECT name, status, start_time FROM runs WHERE run_uuid = ?"
        found = connection.execute(state, (self._run,)).fetchone()
        if found is None:
            return None
        name, status, started = found
        settings = connection.execute(
            "SELECT key, value FROM params WHERE run_uuid = ?", (self._run,)
        )
        return replace(
            facts_of_texts(
                {
                    clean_name(str(key)): clean_name(str(value))
                    for key, value in settings.fetchmany(MOST_SETTINGS)
                }
            ),
            name=as_name(name) or None,
            started=moment(as_float(started)),
            # A resumed run has the status of a running one again.
            finished=status == "FINISHED",
            failure=_FAILED.get(str(status), ""),
        )


def _unbounded(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) >= _LARGEST else value


open_database, open_newest = openers("mlflow", MlflowTables)
