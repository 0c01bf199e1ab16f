"""Tables of Optuna: a study is an overview of its trials, which are runs of their own."""

from __future__ import annotations

import math
import re
import sqlite3
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from lossmon.readers.databases.optuna_study import (
    MAXIMIZE,
    MINIMIZE,
    ended,
    quiet_from,
    reported_tag,
    setting,
    trial_counts,
    trial_name,
    trial_value,
)
from lossmon.readers.databases.reader import openers
from lossmon.readers.databases.rows import (
    MOST_ROWS,
    MOST_SETTINGS,
    RunProgress,
    RunRows,
    as_float,
    as_int,
    as_name,
    as_step,
)
from lossmon.readers.format import MOST_RUNS, ContainedRun
from lossmon.readers.points_builder import BatchBuilder
from lossmon.readers.records.names import clean_name
from lossmon.readers.values import written_moment
from lossmon.types import Facts

_KEY = re.compile(r"study (\d+)(?: trial (\d+))?")

_TRIALS = (
    "SELECT t.study_id, t.number, t.state, t.datetime_start FROM trials t WHERE EXISTS "
    "(SELECT 1 FROM trial_intermediate_values i WHERE i.trial_id = t.trial_id) "
    "ORDER BY t.trial_id DESC LIMIT ?"
)
"""Trials without intermediate values are points of their study only."""


_STATES = (
    "SELECT study_id, state, COUNT(*), MAX(datetime_complete) FROM trials GROUP BY study_id, state"
)


class OptunaTables:
    """The tables of Optuna."""

    def __init__(self) -> None:
        self._visits = 0

    def refresh(self, connection: sqlite3.Connection) -> Sequence[ContainedRun]:
        """Return the studies, the newest first, each before its trials, the newest first."""
        self._visits += 1
        studies = connection.execute(
            "SELECT study_id, study_name FROM studies ORDER BY study_id DESC LIMIT 100"
        ).fetchall()
        marks: dict[object, tuple[Hashable, ...]] = {}
        for study, *states in connection.execute(_STATES):
            marks[study] = (*marks.get(study, ()), tuple(states))
        trials: dict[object, list[ContainedRun]] = {}
        alone = len(studies) == 1
        names: dict[object, str] = {study: as_name(name) for study, name in studies}
        for study, trial, state, started in connection.execute(_TRIALS, (MOST_RUNS + 1,)):
            run = ContainedRun(
                f"study {as_int(study)} trial {as_int(trial)}",
                trial_name(names.get(study, ""), as_int(trial), alone),
                written_moment(str(started)),
                # A value may be reported again while a trial runs, which does not add a row.
                mark=(state, self._visits if state == "RUNNING" else 0),
            )
            trials.setdefault(study, []).append(run)
        return list(_listed(names, marks, trials))

    def rows(self, key: str) -> RunRows:
        """Return one study or trial, none of it read yet."""
        known = _KEY.fullmatch(key)
        study, trial = (known[1], known[2]) if known else ("-1", None)
        return StudyRows(int(study)) if trial is None else TrialRows(int(study), int(trial))


def _listed(
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


class StudyRows:
    """The final values of the trials of one study.

    Args:
        study: Its `study_id`.
    """

    def __init__(self, study: int) -> None:
        self._study = study
        self._last = 0

    def read(self, connection: sqlite3.Connection, batch: BatchBuilder) -> RunProgress:
        """Add the values of the trials that ended since the last visit."""
        directions = _directions(connection, self._study) or [MINIMIZE]
        kind = _or_nothing(connection, "trial_values", "value_type")
        rows = connection.execute(
            f"SELECT v.trial_value_id, t.number, v.objective, v.value, {kind}, "
            "t.datetime_complete FROM trial_values v JOIN trials t ON t.trial_id = v.trial_id "
            "WHERE t.study_id = ? AND v.trial_value_id > ? ORDER BY v.trial_value_id LIMIT ?",
            (self._study, self._last, MOST_ROWS),
        ).fetchall()
        for row in map(_Value._make, rows):
            self._last = row.row
            objective = as_int(row.objective)
            if 0 <= objective < len(directions):
                value = _typed(row.value, row.kind)
                when = written_moment(str(row.when))
                batch.points.add(
                    *trial_value(directions, objective, as_step(row.trial), value, when)
                )
        return self._state(connection, directions)._replace(more=len(rows) == MOST_ROWS)

    def _state(self, connection: sqlite3.Connection, directions: list[str]) -> RunProgress:
        (name,) = connection.execute(
            "SELECT study_name FROM studies WHERE study_id = ?", (self._study,)
        ).fetchone() or ("",)
        states = connection.execute(
            "SELECT state, MAX(datetime_complete), COUNT(*) FROM trials "
            "WHERE study_id = ? GROUP BY state",
            (self._study,),
        ).fetchall()
        end = quiet_from((str(state), written_moment(str(end))) for state, end, _ in states)
        counts = {str(state): as_int(count) for state, _, count in states}
        order = "DESC" if directions[0] == MAXIMIZE else "ASC"
        best = connection.execute(
            "SELECT t.number FROM trial_values v JOIN trials t ON t.trial_id = v.trial_id "
            "WHERE t.study_id = ? AND t.state = 'COMPLETE' AND v.objective = 0 "
            f"AND v.value IS NOT NULL ORDER BY v.value {order} LIMIT 1",
            (self._study,),
        ).fetchone()
        facts = Facts(
            name=as_name(name) or None,
            finished=end is not None and time.time() >= end,
            trials=trial_counts(counts),
            # The value of a pruned trial is merely the last one that it reported.
            best_step=None if best is None else as_step(best[0]),
            settings={"direction": ", ".join(directions)},
        )
        return RunProgress(facts, revisit_at=end)


class TrialRows:
    """The intermediate values of one trial.

    Args:
        study: Its `study_id`.
        trial: Its number in the study.
    """

    def __init__(self, study: int, trial: int) -> None:
        self._study, self._trial = study, trial
        self._seen: list[tuple[int, str]] = []

    def read(self, connection: sqlite3.Connection, batch: BatchBuilder) -> RunProgress:
        """Add what was reported since the last visit, or all of it if old values changed."""
        found = connection.execute(
            "SELECT trial_id, state, datetime_start FROM trials WHERE study_id = ? AND number = ?",
            (self._study, self._trial),
        ).fetchone()
        if found is None:
            return RunProgress()
        trial, state, started = found
        table = "trial_intermediate_values"
        kind = _or_nothing(connection, table, "intermediate_value_type")
        rows = connection.execute(
            f"SELECT step, intermediate_value, {kind} FROM {table} "
            "WHERE trial_id = ? ORDER BY trial_intermediate_value_id",
            (trial,),
        ).fetchall()
        values = [(as_step(step), _typed(value, kind)) for step, value, kind in rows]
        seen = [(step, repr(value)) for step, value in values]
        if seen[: len(self._seen)] != self._seen:
            batch.restart()
            self._seen = []
        tag = reported_tag(next(iter(_directions(connection, self._study)), MINIMIZE))
        for step, value in values[len(self._seen) :]:
            batch.points.add(tag, step, math.nan, value)
        self._seen = seen
        facts = replace(
            ended(str(state)),
            started=written_moment(str(started)),
            settings=self._settings(connection, trial),
        )
        return RunProgress(facts)

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
    """A column, or empty text if the version of the database does not have it (2.x)."""
    columns = connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
    return column if (column,) in columns else "''"


def _typed(value: object, kind: object) -> float:
    return {"INF_POS": math.inf, "INF_NEG": -math.inf}.get(str(kind), as_float(value))


open_database, open_newest = openers("optuna", OptunaTables)
