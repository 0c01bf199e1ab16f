"""What the tables of Optuna mean: a study is an overview of its trials, each a run of its own."""

from __future__ import annotations

import math
import re
import sqlite3
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lossmon.readers.databases.optuna_study import (
    MINIMIZE,
    ended,
    quiet_from,
    reported_tag,
    setting,
    trial_name,
    trial_value,
)
from lossmon.readers.databases.reader import Database, DatabaseReader
from lossmon.readers.databases.rows import (
    MOST,
    MOST_SETTINGS,
    Logged,
    News,
    Rows,
    name_of,
    real,
    whole,
)
from lossmon.readers.format import MOST_RUNS, ContainedRun
from lossmon.readers.records.names import clean_name
from lossmon.readers.values import written_moment
from lossmon.types import Facts

_KEY = re.compile(r"study (\d+)(?: trial (\d+))?")

_TRIALS = (
    "SELECT t.study_id, t.number, t.state, t.datetime_start FROM trials t WHERE EXISTS "
    "(SELECT 1 FROM trial_intermediate_values i WHERE i.trial_id = t.trial_id) "
    "ORDER BY t.trial_id DESC LIMIT ?"
)
"""Trials that reported nothing on their way are points of their study and no curves."""


_STATES = (
    "SELECT study_id, state, COUNT(*), MAX(datetime_complete) FROM trials GROUP BY study_id, state"
)


class OptunaTables:
    """The tables of Optuna."""

    def __init__(self) -> None:
        self._looks = 0

    def look(self, connection: sqlite3.Connection) -> Sequence[ContainedRun]:
        """Return the studies, the newest first, and behind each its trials, the newest first."""
        self._looks += 1
        studies = connection.execute(
            "SELECT study_id, study_name FROM studies ORDER BY study_id DESC LIMIT 100"
        ).fetchall()
        marks: dict[object, tuple[Hashable, ...]] = {}
        for study, *states in connection.execute(_STATES):
            marks[study] = (*marks.get(study, ()), tuple(states))
        trials: dict[object, list[ContainedRun]] = {}
        alone = len(studies) == 1
        names: dict[object, str] = {study: name_of(name) for study, name in studies}
        for study, trial, state, started in connection.execute(_TRIALS, (MOST_RUNS + 1,)):
            part = ContainedRun(
                f"study {whole(study)} trial {whole(trial)}",
                trial_name(names.get(study, ""), whole(trial), alone),
                written_moment(str(started)),
                # A value may be reported anew while a trial runs, which adds no row.
                mark=(state, self._looks if state == "RUNNING" else 0),
            )
            trials.setdefault(study, []).append(part)
        return list(_behind(names, marks, trials))

    def rows(self, key: str) -> Rows:
        """Return one study or trial, nothing of which was read."""
        known = _KEY.fullmatch(key)
        study, trial = (known[1], known[2]) if known else ("-1", None)
        return Study(int(study)) if trial is None else Trial(int(study), int(trial))


def _behind(
    names: dict[object, str],
    marks: Mapping[object, Hashable],
    trials: dict[object, list[ContainedRun]],
) -> Iterator[ContainedRun]:
    for study, name in names.items():
        yield ContainedRun(f"study {study}", name, overview=True, mark=(name, marks.get(study)))
        yield from trials.get(study, ())


def _directions(connection: sqlite3.Connection, study: int) -> list[str]:
    rows = connection.execute(
        "SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective", (study,)
    )
    return [clean_name(str(direction)).lower() for (direction,) in rows.fetchmany(100)]


class _Value(NamedTuple):
    row: int
    trial: int
    objective: int
    value: object
    kind: object
    when: object


class Study:
    """What the trials of one study came to.

    Args:
        study: Its `study_id`.
    """

    def __init__(self, study: int) -> None:
        self._study = study
        self._given: set[int] = set()
        self._last = 0

    def news(self, connection: sqlite3.Connection) -> News:
        """Return the values of the trials that ended since the last visit."""
        directions = _directions(connection, self._study) or [MINIMIZE]
        kind = _or_nothing(connection, "trial_values", "value_type")
        rows = connection.execute(
            f"SELECT v.trial_value_id, t.number, v.objective, v.value, {kind}, "
            "t.datetime_complete FROM trial_values v JOIN trials t ON t.trial_id = v.trial_id "
            "WHERE t.study_id = ? AND v.trial_value_id > ? ORDER BY v.trial_value_id LIMIT ?",
            (self._study, self._last, MOST),
        ).fetchall()
        news = News(more=len(rows) == MOST)
        for row in map(_Value._make, rows):
            self._last = row.row
            if 0 <= whole(row.objective) < len(directions):
                news.values.append(
                    trial_value(
                        directions,
                        whole(row.objective),
                        whole(row.trial),
                        _typed(row.value, row.kind),
                        written_moment(str(row.when)),
                    )
                )
        (name,) = connection.execute(
            "SELECT study_name FROM studies WHERE study_id = ?", (self._study,)
        ).fetchone() or ("",)
        states = connection.execute(
            "SELECT state, MAX(datetime_complete) FROM trials WHERE study_id = ? GROUP BY state",
            (self._study,),
        ).fetchall()
        news.again = quiet_from((str(state), written_moment(str(end))) for state, end in states)
        news.facts = Facts(
            name=name_of(name) or None,
            finished=news.again is not None and time.time() >= news.again,
            settings={"direction": ", ".join(directions)},
        )
        return news


class Trial:
    """What one trial reported on its way.

    Args:
        study: Its `study_id`.
        trial: Its number in the study.
    """

    def __init__(self, study: int, trial: int) -> None:
        self._study, self._trial = study, trial
        self._given: list[tuple[int, str]] = []

    def news(self, connection: sqlite3.Connection) -> News:
        """Return what was reported since the last visit, all of it where old values changed."""
        found = connection.execute(
            "SELECT trial_id, state, datetime_start FROM trials WHERE study_id = ? AND number = ?",
            (self._study, self._trial),
        ).fetchone()
        if found is None:
            return News()
        trial, state, started = found
        table = "trial_intermediate_values"
        kind = _or_nothing(connection, table, "intermediate_value_type")
        rows = connection.execute(
            f"SELECT step, intermediate_value, {kind} FROM {table} "
            "WHERE trial_id = ? ORDER BY trial_intermediate_value_id",
            (trial,),
        ).fetchall()
        values = [(whole(step), _typed(value, kind)) for step, value, kind in rows]
        told = [(step, repr(value)) for step, value in values]
        news = News(anew=told[: len(self._given)] != self._given)
        tag = reported_tag(next(iter(_directions(connection, self._study)), MINIMIZE))
        new = values if news.anew else values[len(self._given) :]
        news.values = [Logged(tag, step, math.nan, value) for step, value in new]
        self._given = told
        news.facts = replace(
            ended(str(state)),
            started=written_moment(str(started)),
            settings=self._settings(connection, trial),
        )
        return news

    def _settings(self, connection: sqlite3.Connection, trial: object) -> dict[str, str]:
        rows = connection.execute(
            "SELECT param_name, param_value, distribution_json FROM trial_params "
            "WHERE trial_id = ? ORDER BY param_id",
            (trial,),
        )
        return {
            clean_name(str(name)): setting(value, distribution)
            for name, value, distribution in rows.fetchmany(MOST_SETTINGS)
        }


def _or_nothing(connection: sqlite3.Connection, table: str, column: str) -> str:
    """A column, or empty text where the database is of a version that had none such (2.x)."""
    columns = connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
    return column if (column,) in columns else "''"


def _typed(value: object, kind: object) -> float:
    return {"INF_POS": math.inf, "INF_NEG": -math.inf}.get(str(kind), real(value))


def open_database(path: Path) -> Database:
    """Open a database with its runs."""
    return Database(path, "optuna", OptunaTables)


def open_newest(path: Path) -> DatabaseReader:
    """Return a reader of the run that stands for the database."""
    return DatabaseReader(open_database(path))
