"""What the tables of MLflow, Trackio and Optuna mean."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable
from dataclasses import field
from typing import NamedTuple, Protocol

from lossmon.frozen import dataclass
from lossmon.readers.frames import clean_name, frame_of
from lossmon.readers.jsonl_records import parse_whole
from lossmon.readers.values import moment, number, written_moment
from lossmon.types import Axis, Facts

MOST = 20_000
"""Rows taken at one visit: some 50 ms."""

_LARGEST = 1.7976931348623157e308
"""What MLflow writes for infinity, the database having none."""

_FAILED = {"FAILED": "failed", "KILLED": "killed"}


class Logged(NamedTuple):
    """One value that a run logged; the wall time is in seconds since the Unix epoch."""

    tag: str
    step: int
    wall_time: float
    value: float
    axis: Axis = Axis.STEP


@dataclass(slots=True)
class News:
    """What one visit found.

    Attributes:
        values: In the order in which they were logged.
        facts: What is known of the run.
        replaced: Another run is the newest one: what was given before is void.
        more: There are more rows to fetch.
        notes: Worth a word.
    """

    values: list[Logged] = field(default_factory=list)
    facts: Facts | None = None
    replaced: bool = False
    more: bool = False
    notes: list[str] = field(default_factory=list)


class Account(Protocol):
    """Knows the tables of one kind of database, and how far they were read."""

    def news(self, connection: sqlite3.Connection) -> News:
        """Return what was logged since the last visit."""
        ...


def _int(value: object) -> int:
    taken = number(value)
    return int(taken) if taken is not None and math.isfinite(taken) else 0


def _float(value: object) -> float:
    taken = number(value)
    return math.nan if taken is None else taken


class MlflowAccount:
    """MLflow's tables: one row a value; NaN is flagged and infinity the largest number."""

    def __init__(self) -> None:
        self._run: object = None
        self._row = 0

    def news(self, connection: sqlite3.Connection) -> News:
        """Return what the newest run has logged, a running one before any that has ended."""
        runs = connection.execute(
            "SELECT run_uuid, name, status, start_time FROM runs "
            "ORDER BY status = 'RUNNING' DESC, start_time DESC LIMIT 1"
        ).fetchall()
        if not runs:
            return News()
        run, name, status, started = runs[0]
        news = News(replaced=self._run is not None and run != self._run)
        if run != self._run:
            self._run, self._row = run, 0
            news.notes += _others(connection, "SELECT COUNT(*) FROM runs")
        rows = connection.execute(
            "SELECT rowid, key, value, timestamp, step, is_nan FROM metrics "
            "WHERE run_uuid = ? AND rowid > ? ORDER BY rowid LIMIT ?",
            (run, self._row, MOST),
        ).fetchall()
        for self._row, key, value, time, step, is_nan in rows:
            taken = math.nan if is_nan else _finite(_float(value))
            tag = clean_name(str(key))
            news.values.append(Logged(tag, _int(step), moment(_float(time)), taken))
        news.more = len(rows) == MOST
        news.facts = Facts(
            name=clean_name(str(name or "")) or None,
            started=moment(_float(started)),
            finished=True if status == "FINISHED" else None,
            failure=_FAILED.get(str(status)),
            settings=_settings(
                connection.execute("SELECT key, value FROM params WHERE run_uuid = ?", (run,))
            ),
        )
        return news


def _finite(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) >= _LARGEST else value


def _settings(rows: sqlite3.Cursor) -> dict[str, str]:
    return {clean_name(str(key)): clean_name(str(value)) for key, value in rows.fetchmany(1000)}


def _others(connection: sqlite3.Connection, query: str) -> list[str]:
    (count,) = connection.execute(query).fetchone()
    return [f"older runs in this database, not shown: {count - 1:,}"] if count > 1 else []


class TrackioAccount:
    """Trackio's tables: one row a step, its values as JSON."""

    def __init__(self) -> None:
        self._run: object = None
        self._row = 0
        self._system_row = 0
        self._step: object = 0

    def news(self, connection: sqlite3.Connection) -> News:
        """Return what the run has logged that wrote the newest row."""
        newest = connection.execute(
            "SELECT run_name FROM metrics ORDER BY id DESC LIMIT 1"
        ).fetchall()
        if not newest:
            return News()
        run = newest[0][0]
        news = News(replaced=self._run is not None and run != self._run)
        if run != self._run:
            self._run, self._row, self._system_row, self._step = run, 0, 0, 0
            news.notes += _others(connection, "SELECT COUNT(DISTINCT run_name) FROM metrics")
        rows = connection.execute(
            "SELECT id, timestamp, step, metrics FROM metrics "
            "WHERE run_name = ? AND id > ? ORDER BY id LIMIT ?",
            (run, self._row, MOST),
        ).fetchall()
        for self._row, time, step, metrics in rows:
            when = written_moment(str(time))
            for tag, value in _json_values(metrics):
                news.values.append(Logged(tag, _int(step), when, value))
        news.more = len(rows) == MOST
        news.facts = Facts(name=clean_name(str(run)) or None)
        step = rows[-1][2] if rows else self._step
        self._step = step
        self._take_system(connection, run, _int(step), news)
        return news

    def _take_system(
        self, connection: sqlite3.Connection, run: object, step: int, news: News
    ) -> None:
        """Add readings of the machine as `system/` scalars, at the step that was logged last."""
        rows = connection.execute(
            "SELECT id, timestamp, metrics FROM system_metrics "
            "WHERE run_name = ? AND id > ? ORDER BY id LIMIT ?",
            (run, self._system_row, MOST),
        ).fetchall()
        for self._system_row, time, metrics in rows:
            when = written_moment(str(time))
            for tag, value in _json_values(metrics):
                news.values.append(Logged(f"system/{tag}", step, when, value))
        news.more = news.more or len(rows) == MOST


def _json_values(metrics: object) -> Iterable[tuple[str, float]]:
    text = metrics.decode(errors="replace") if isinstance(metrics, bytes) else str(metrics)
    record = parse_whole(text)
    if record is not None:
        for name, column in frame_of([record]).columns.items():
            yield name, float(column.values[0])


class OptunaAccount:
    """Optuna's tables: trials are series, as in its journal."""

    def __init__(self) -> None:
        self._study: object = None
        self._intermediate = 0
        self._value = 0

    def news(self, connection: sqlite3.Connection) -> News:
        """Return what the trials of the newest study have reported."""
        studies = connection.execute(
            "SELECT study_id, study_name FROM studies ORDER BY study_id DESC LIMIT 1"
        ).fetchall()
        if not studies:
            return News()
        study, name = studies[0]
        news = News(replaced=self._study is not None and study != self._study)
        if study != self._study:
            self._study, self._intermediate, self._value = study, 0, 0
        reported = connection.execute(
            "SELECT i.trial_intermediate_value_id, t.number, i.step, i.intermediate_value, "
            "i.intermediate_value_type FROM trial_intermediate_values i "
            "JOIN trials t ON t.trial_id = i.trial_id WHERE t.study_id = ? "
            "AND i.trial_intermediate_value_id > ? "
            "ORDER BY i.trial_intermediate_value_id LIMIT ?",
            (study, self._intermediate, MOST),
        ).fetchall()
        for self._intermediate, trial, step, value, kind in reported:
            tag = f"trial/{_int(trial)}"
            news.values.append(Logged(tag, _int(step), math.nan, _typed(value, kind)))
        final = connection.execute(
            "SELECT v.trial_value_id, t.number, v.value, v.value_type FROM trial_values v "
            "JOIN trials t ON t.trial_id = v.trial_id WHERE t.study_id = ? AND v.objective = 0 "
            "AND v.trial_value_id > ? ORDER BY v.trial_value_id LIMIT ?",
            (study, self._value, MOST),
        ).fetchall()
        for self._value, trial, value, kind in final:
            news.values.append(
                Logged("objective", _int(trial), math.nan, _typed(value, kind), Axis.TRIAL)
            )
        news.more = MOST in (len(reported), len(final))
        news.facts = Facts(name=clean_name(str(name)) or None)
        return news


def _typed(value: object, kind: object) -> float:
    return {"INF_POS": math.inf, "INF_NEG": -math.inf}.get(str(kind), _float(value))
