"""Whatever the rhythm in which a database is written and read, the same points come out."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossmon.readers.databases.mlflow import MlflowTables
from lossmon.readers.databases.optuna import OptunaTables
from lossmon.readers.databases.reader import Database
from lossmon.readers.databases.rows import TrackerTables
from lossmon.readers.databases.trackio import TrackioTables
from tests.readers.growing import DATA, Collected, read, read_whole

RUNS = ("a", "b")


def schema(kind: str) -> str:
    """The tables of a real sample without its rows."""
    if kind == "optuna":
        sample = sqlite3.connect(
            f"file:{DATA / 'optuna' / 'study.db'}?mode=ro&immutable=1", uri=True
        )
        rows = sample.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        sample.close()
        return ";\n".join(sql for (sql,) in rows)
    lines = (DATA / kind / "several.sql").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("INSERT INTO"))


class Writer:
    """Writes a database as a tracker does: every change a transaction of its own.

    Args:
        path: The database.
        kind: Whose tables it has.
        mode: Journal mode of SQLite.
    """

    def __init__(self, path: Path, kind: str, mode: str) -> None:
        self.kind = kind
        self.connection = sqlite3.connect(path)
        self.connection.execute(f"PRAGMA journal_mode = {mode}")
        self.connection.execute("PRAGMA synchronous = off")
        self.connection.executescript(schema(kind))
        self.count = 0
        for statement, values in BEGINNINGS[kind]:
            with self.connection:
                self.connection.execute(statement, values)

    def log(self, run: str) -> None:
        """Log one more value."""
        self.count += 1
        with self.connection:
            self.connection.execute(*ROWS[self.kind](run, self.count))

    def end(self, run: str) -> None:
        """Change a row, which adds none."""
        with self.connection:
            self.connection.execute(*ENDS[self.kind](run))


Statement = tuple[str, tuple[Any, ...]]

BEGINNINGS: dict[str, list[Statement]] = {
    "mlflow": [
        ("INSERT INTO runs (run_uuid, status, start_time) VALUES (?, 'RUNNING', 1)", (run,))
        for run in RUNS
    ],
    "trackio": [
        (
            "INSERT INTO metrics (run_id, run_name, timestamp, step, metrics) "
            "VALUES (?, ?, '2026-11-21T11:26:49+00:00', 0, '{\"x\": 0}')",
            (run, run),
        )
        for run in RUNS
    ],
    "optuna": [
        ("INSERT INTO studies (study_id, study_name) VALUES (1, 's')", ()),
        (
            "INSERT INTO study_directions (study_id, objective, direction) "
            "VALUES (1, 0, 'MINIMIZE')",
            (),
        ),
        *(
            (
                "INSERT INTO trials (trial_id, number, study_id, state) "
                "VALUES (?, ?, 1, 'RUNNING')",
                (number, number),
            )
            for number in range(len(RUNS))
        ),
        *(
            (
                "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, "
                "intermediate_value_type) VALUES (?, 0, 0.5, 'FINITE')",
                (number,),
            )
            for number in range(len(RUNS))
        ),
    ],
}

ROWS = {
    "mlflow": lambda run, n: (
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
        "VALUES (?, ?, 1795260408384, ?, ?, ?)",
        (f"tag{n % 2}", n / 7, run, n, n % 5 == 0),
    ),
    "trackio": lambda run, n: (
        f"INSERT INTO {'system_' if n % 3 == 0 else ''}metrics "
        f"(run_id, run_name, timestamp, {'' if n % 3 == 0 else 'step, '}metrics) "
        f"VALUES (?, ?, '2026-11-21T11:26:49+00:00', {'' if n % 3 == 0 else f'{n}, '}?)",
        (run, run, json.dumps({"x": n / 7})),
    ),
    "optuna": lambda run, n: (
        "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, "
        "intermediate_value_type) VALUES (?, ?, ?, ?)",
        (RUNS.index(run), n, n / 7, "FINITE" if n % 5 else "INF_POS"),
    ),
}

ENDS = {
    "mlflow": lambda run: ("UPDATE runs SET status = 'FINISHED' WHERE run_uuid = ?", (run,)),
    "trackio": lambda run: (
        "INSERT OR REPLACE INTO configs (run_id, run_name, config, created_at) "
        "VALUES (?, ?, '{\"lr\": 1}', '')",
        (run, run),
    ),
    "optuna": lambda run: (
        "UPDATE trial_intermediate_values SET intermediate_value = 9.5 "
        "WHERE trial_id = ? AND step = 0",
        (RUNS.index(run),),
    ),
}

KEYS = {
    "mlflow": RUNS,
    "trackio": RUNS,
    "optuna": ("study 1 trial 0", "study 1 trial 1"),
}
TABLES: dict[str, type[TrackerTables]] = {
    "mlflow": MlflowTables,
    "trackio": TrackioTables,
    "optuna": OptunaTables,
}

ACTIONS = st.lists(
    st.sampled_from(["log a", "log b", "end a", "read a", "read b", "read both", "checkpoint"]),
    max_size=40,
)


class Readers:
    """Readers of both runs of one database, and what they gave."""

    def __init__(self, path: Path, kind: str) -> None:
        shelf = Database(path, kind, TABLES[kind])
        self.readers = [shelf.open(key) for key in KEYS[kind]]
        self.collected = [Collected() for _ in RUNS]

    def read(self, places: Iterable[int]) -> None:
        for place in places:
            self.collected[place].add(read(self.readers[place]))


PLACES = {"read a": (0,), "read b": (1,), "read both": (0, 1)}


def act(writer: Writer, readers: Readers, actions: Iterable[str]) -> None:
    for action in actions:
        if action in PLACES:
            readers.read(PLACES[action])
        elif action == "checkpoint":
            writer.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            verb, run = action.split()
            (writer.log if verb == "log" else writer.end)(run)


def assert_as_afterwards(path: Path, kind: str, readers: Readers) -> None:
    """What was given equals what is given to a reader that comes when all is written."""
    readers.read((0, 1))
    shelf = Database(path, kind, TABLES[kind])
    for key, live in zip(KEYS[kind], readers.collected, strict=True):
        assert live.series == read_whole(shelf.open(key)).series


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("kind", list(TABLES))
@given(actions=ACTIONS)
@settings(max_examples=15)
def test_the_same_points_come_out_of_every_rhythm(kind: str, mode: str, actions: list[str]) -> None:
    with tempfile.TemporaryDirectory() as kept:
        path = Path(kept) / "x.db"
        writer = Writer(path, kind, mode)
        readers = Readers(path, kind)
        act(writer, readers, actions)
        assert_as_afterwards(path, kind, readers)
        writer.connection.close()


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("kind", list(TABLES))
@given(before=ACTIONS, after=ACTIONS)
@settings(max_examples=10)
def test_a_database_that_was_replaced_is_read_from_its_start(
    kind: str, mode: str, before: list[str], after: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as kept:
        path = Path(kept) / "x.db"
        readers = Readers(path, kind)
        for actions in (before, after):
            for name in ("x.db", "x.db-wal", "x.db-shm"):
                (Path(kept) / name).unlink(missing_ok=True)
            readers.read((0, 1))
            writer = Writer(path, kind, mode)
            act(writer, readers, actions)
            readers.read((0, 1))
            writer.connection.close()
        assert_as_afterwards(path, kind, readers)


@pytest.mark.parametrize("kind", ["mlflow", "trackio"])
def test_rows_that_were_taken_away_are_given_no_more(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    writer = Writer(path, kind, "delete")
    readers = Readers(path, kind)
    act(writer, readers, ["log a", "log b", "log a", "read both"])
    column = "run_uuid" if kind == "mlflow" else "run_id"
    with writer.connection:
        writer.connection.execute(f"DELETE FROM metrics WHERE {column} = 'a'")
    act(writer, readers, ["log b", "read both"])
    readers.read((1,))
    shelf = Database(path, kind, TABLES[kind])
    assert readers.collected[1].series == read_whole(shelf.open("b")).series
    writer.connection.close()
