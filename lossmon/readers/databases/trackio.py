"""Tables of Trackio: one row per step, with its values as JSON."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lossmon.readers.databases.reader import openers
from lossmon.readers.databases.rows import (
    RowCursor,
    RunMarks,
    RunProgress,
    RunRows,
    as_name,
    as_step,
    release,
)
from lossmon.readers.format import MOST_RUNS, ContainedRun
from lossmon.readers.hyperparameters import facts_of
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.frame import frame_of
from lossmon.readers.records.json_records import parse_whole
from lossmon.readers.values import is_step, written_moment
from lossmon.types import Axis, Facts

_ENDING = "train_runtime"
"""Metric that the Trainer logs at the end of a training. Trackio itself does not mark the end."""

_STEP_NAMES = ("train/global_step", "trainer/global_step", "global_step")
"""Metrics that are the optimizer step. Trackio's own step counts calls of `log`."""

_PRIVATE = "_"
"""Prefix of the names that Trackio adds to a configuration."""


class TrackioTables:
    """The tables of Trackio: newer versions number their runs, older ones name them."""

    def __init__(self) -> None:
        self._run = ""
        self._runs: dict[str, ContainedRun] = {}
        self._marks: tuple[RunMarks, ...] = ()

    def refresh(self, connection: sqlite3.Connection) -> Sequence[ContainedRun] | None:
        """Return the runs, the newest first; None if the database was replaced."""
        if not self._run:
            self._run = _run_column(connection)
            self._marks = (RunMarks("metrics", self._run), RunMarks("system_metrics", self._run))
            fresh = list(_runs(connection, self._run))
        else:
            fresh = []
        if not all([marks.refresh(connection) for marks in self._marks]):
            return None
        fresh += [str(key) for key in self._marks[0].runs if str(key) not in self._runs]
        for key in fresh:
            self._runs[key] = self._contained(connection, key)
        runs = [
            ContainedRun(
                run.key, run.name, run.started, mark=tuple(m.of(run.key) for m in self._marks)
            )
            for run in self._runs.values()
        ]
        runs.sort(key=lambda run: run.started if math.isfinite(run.started) else 0.0)
        return runs[: -MOST_RUNS - 2 : -1]

    def _contained(self, connection: sqlite3.Connection, run: str) -> ContainedRun:
        first = connection.execute(
            f"SELECT run_name, timestamp FROM metrics WHERE {self._run} = ? ORDER BY step LIMIT 1",
            (run,),
        ).fetchone()
        name, time = first or ("", "")
        return ContainedRun(run, as_name(name), written_moment(str(time)))

    def rows(self, key: str) -> RunRows:
        """Return one run, none of it read yet."""
        return TrackioRows(key, self._run)


def _run_column(connection: sqlite3.Connection) -> str:
    return "run_id" if ("run_id",) in _columns(connection, "metrics") else "run_name"


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[str]]:
    return connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()


def _runs(connection: sqlite3.Connection, run: str) -> Iterator[str]:
    """Every run, found by leaps through the index rather than by reading all rows."""
    leap = f"SELECT MIN({run}) FROM metrics WHERE {run} > ?"
    (found,) = connection.execute(f"SELECT MIN({run}) FROM metrics").fetchone()
    while found is not None:
        yield str(found)
        (found,) = connection.execute(leap, (found,)).fetchone()


class TrackioRows:
    """One run of Trackio.

    Args:
        run: Its number, in older versions its name.
        column: Column with that: `run_id` or `run_name`.
    """

    def __init__(self, run: str, column: str) -> None:
        self._run, self._column = run, column
        self._metrics = RowCursor("metrics", "run_name, timestamp, step, metrics", column, run)
        self._system = RowCursor("system_metrics", "timestamp, metrics", column, run)
        self._name = ""
        self._readings = 0
        self._step: int | None = None
        """Newest optimizer step; None in a run that does not log it."""
        self._ended = False

    def read(self, connection: sqlite3.Connection, batch: BatchBuilder) -> RunProgress:
        """Add what was logged since the last visit.

        Readings of the machine become `system/` scalars. They have no step, so they are numbered.
        """
        rows, more = self._metrics.read(connection)
        readings, more_readings = self._system.read(connection)
        settings = self._config(connection)
        release(connection)
        for name, time, step, metrics in rows:
            self._name = as_name(name)
            when = written_moment(str(time))
            values = dict(_json_values(metrics))
            logged = [values.pop(name) for name in _STEP_NAMES if name in values]
            if logged and is_step(logged[0]):
                self._step = int(logged[0])
            at = as_step(step) if self._step is None else self._step
            batch.points.add_row(at, when, values.items())
            self._ended = _ENDING in values
        for time, metrics in readings:
            when = written_moment(str(time))
            pairs = ((f"system/{tag}", value) for tag, value in _json_values(metrics))
            batch.points.add_row(self._readings, when, pairs, Axis.ORDER)
            self._readings += 1
        facts = replace(settings, name=self._name or None, finished=self._ended)
        return RunProgress(facts, more or more_readings)

    def _config(self, connection: sqlite3.Connection) -> Facts:
        if (self._column,) not in _columns(connection, "configs"):
            return Facts()
        row = connection.execute(
            f"SELECT config FROM configs WHERE {self._column} = ? ORDER BY id DESC LIMIT 1",
            (self._run,),
        ).fetchone()
        record = parse_whole(_text(row[0])) if row else None
        own = {name: value for name, value in (record or {}).items() if name[:1] != _PRIVATE}
        return facts_of(own)


def _text(metrics: object) -> str:
    return metrics.decode(errors="replace") if isinstance(metrics, bytes) else str(metrics)


def _json_values(metrics: object) -> Iterator[tuple[str, float]]:
    record = parse_whole(_text(metrics))
    if record is not None:
        for name, column in frame_of([record]).columns.items():
            yield name, float(column.values[0])


open_database, open_newest = openers("trackio", TrackioTables)
