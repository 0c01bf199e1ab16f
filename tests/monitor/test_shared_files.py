"""Several runs in one file, watched while they are written."""

from __future__ import annotations

import math
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from lossmon.monitor import Monitor
from lossmon.monitor.file_follower import LAST_LOOK
from lossmon.monitor.runs.description import own_label
from lossmon.types import RunSnapshot, RunState
from tests.readers.growing import DATA

NOW = 1.8e9
"""Seconds since the Unix epoch at which these runs take place."""


class Tracked:
    """A database of MLflow that a test writes.

    Args:
        path: Where it is.
        mode: Journal mode of SQLite.
    """

    def __init__(self, path: Path, mode: str = "delete") -> None:
        self.path = path
        self._connection = sqlite3.connect(path)
        self._connection.execute(f"PRAGMA journal_mode = {mode}")
        self._connection.execute("PRAGMA synchronous = off")
        tables = (DATA / "mlflow" / "several.sql").read_text().split("INSERT INTO")
        creates = [part[part.find(";\nCREATE") + 2 :] for part in tables if ";\nCREATE" in part]
        self._connection.executescript(tables[0] + "".join(creates))
        self._begun = 0

    def begin(self, run: str) -> None:
        """Begin a run, later than all before it."""
        self._begun += 1
        with self._connection:
            self._connection.execute(
                "INSERT INTO runs (run_uuid, name, status, start_time, lifecycle_stage) "
                "VALUES (?, ?, 'RUNNING', ?, 'active')",
                (run, f"name-{run}", int((NOW + self._begun) * 1e3)),
            )

    def log(self, run: str, step: int, loss: float = 1.0, at: float = NOW) -> None:
        """Log the loss of one step."""
        with self._connection:
            self._connection.execute(
                "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
                "VALUES ('loss', ?, ?, ?, ?, 0)",
                (loss, int(at * 1e3), run, step),
            )

    def end(self, run: str, status: str = "FINISHED") -> None:
        """End a run."""
        with self._connection:
            self._connection.execute(
                "UPDATE runs SET status = ?, end_time = 1 WHERE run_uuid = ?", (status, run)
            )

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


@pytest.fixture(params=["delete", "wal"])
def tracked(request: pytest.FixtureRequest, tmp_path: Path) -> Tracked:
    (tmp_path / "output").mkdir()
    return Tracked(tmp_path / "output" / "mlflow.db", request.param)


def look(monitor: Monitor) -> dict[str, RunSnapshot]:
    monitor.rescan()
    return {run.name: run for run in monitor.drain().runs}


def test_a_run_that_begins_later_turns_up_first_and_the_others_stay(tracked: Tracked) -> None:
    tracked.begin("a")
    tracked.log("a", 0)
    monitor = Monitor([tracked.path.parent])
    before = look(monitor)
    assert list(before) == ["name-a"]
    tracked.begin("b")
    tracked.log("b", 5)
    after = look(monitor)
    assert list(after) == ["name-b", "name-a"]
    assert after["name-a"].path == before["name-a"].path == tracked.path.parent
    assert after["name-b"].path == tracked.path / "b"
    assert [run.step for run in after.values()] == [5, 0]
    tracked.close()


def test_what_another_run_logs_is_no_sign_of_life(tracked: Tracked) -> None:
    tracked.begin("dead")
    tracked.log("dead", 0, at=NOW)
    tracked.begin("alive")
    tracked.log("alive", 0, at=NOW)
    clock = [NOW]
    monitor = Monitor([tracked.path], clock=lambda: clock[0])
    look(monitor)
    for step in range(1, 25):
        clock[0] += 30.0
        tracked.log("alive", step, at=clock[0])
        runs = look(monitor)
    assert runs["name-alive"].state is RunState.RUNNING
    assert runs["name-dead"].state is RunState.STALLED
    tracked.close()


def test_a_run_at_rest_keeps_its_very_snapshot_while_another_one_grows(tracked: Tracked) -> None:
    for run in ("a", "b"):
        tracked.begin(run)
        tracked.log(run, 0)
    tracked.end("a")
    monitor = Monitor([tracked.path])
    before = look(monitor)
    tracked.log("b", 1)
    after = look(monitor)
    assert after["name-a"] is before["name-a"]
    assert after["name-b"].step == 1
    tracked.close()


def test_an_end_is_seen_although_no_point_comes_with_it(tracked: Tracked) -> None:
    tracked.begin("a")
    tracked.log("a", 0)
    monitor = Monitor([tracked.path])
    look(monitor)
    tracked.end("a", "KILLED")
    run = look(monitor)["name-a"]
    assert (run.state, run.state_reason) == (RunState.FAILED, "killed")
    tracked.close()


def test_a_database_without_a_run_is_waited_for(tracked: Tracked) -> None:
    monitor = Monitor([tracked.path.parent])
    assert look(monitor) == {}
    tracked.begin("a")
    tracked.log("a", 3)
    assert look(monitor)["name-a"].step == 3
    tracked.close()


def test_a_log_beside_the_database_belongs_to_the_run_that_was_newest(tracked: Tracked) -> None:
    for run in ("a", "b"):
        tracked.begin(run)
        tracked.log(run, 0)
    (tracked.path.parent / "train.log").write_text("loading the model\nstep 0: loss 1.0\n")
    runs = look(Monitor([tracked.path.parent]))
    assert {name: run.log_name for name, run in runs.items()} == {
        "name-b": "train.log",
        "name-a": "",
    }
    tracked.close()


def test_a_locked_database_is_asked_again(tracked: Tracked) -> None:
    tracked.begin("a")
    tracked.log("a", 0)
    monitor = Monitor([tracked.path.parent])
    look(monitor)
    tracked.begin("b")
    tracked.log("b", 7)
    tracked.close()
    writer = sqlite3.connect(tracked.path, isolation_level=None)
    writer.execute("PRAGMA journal_mode = delete")
    writer.execute("BEGIN EXCLUSIVE")
    monitor.rescan()
    snapshot = monitor.poll()
    assert snapshot.busy
    assert [(run.name, run.errors) for run in snapshot.runs] == [("name-a", ())]
    writer.execute("ROLLBACK")
    writer.close()
    assert look(monitor)["name-b"].step == 7


def test_two_runs_of_one_name_are_told_apart(tracked: Tracked) -> None:
    for run in ("aaaaaaaaaaaa", "bbbbbbbbbbbb"):
        tracked.begin(run)
        tracked.log(run, 0)
    tracked.close()
    connection = sqlite3.connect(tracked.path)
    with connection:
        connection.execute("UPDATE runs SET name = 'same'")
    connection.close()
    assert list(look(Monitor([tracked.path]))) == ["same", "same (aaaaaaaa)"]


def test_of_very_many_runs_the_newest_are_followed(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lossmon.readers.databases.reader.MOST_RUNS", 2)
    for run in ("a", "b", "c"):
        tracked.begin(run)
        tracked.log(run, 0)
    monitor = Monitor([tracked.path])
    assert list(look(monitor)) == ["name-c", "name-b"]
    assert monitor.poll().notes == ("mlflow.db: only the newest 2 runs are followed",)
    tracked.close()


def test_hostile_names_and_keys_are_only_shown(tracked: Tracked) -> None:
    tracked.begin("../../etc")
    tracked.log("../../etc", 0)
    tracked.begin("..")
    tracked.log("..", 0)
    tracked.begin("a/b")
    tracked.log("a/b", 0)
    runs = list(look(Monitor([tracked.path])).values())
    assert [run.path.parent for run in runs[1:]] == [tracked.path, tracked.path]
    assert [run.path.name[:-9] for run in runs[1:]] == ["..", "..-..-etc"]
    tracked.close()


def test_a_database_in_place_of_another_brings_its_own_runs(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    first = Tracked(path)
    first.begin("a")
    first.log("a", 4)
    first.close()
    monitor = Monitor([path])
    assert look(monitor)["name-a"].step == 4
    path.unlink()
    second = Tracked(path)
    second.begin("b")
    second.log("b", 2)
    second.close()
    runs = look(monitor)
    assert runs["name-b"].step == 2


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_database_whose_tables_are_made_later_is_found(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "mlflow.db"
    early = sqlite3.connect(path)
    early.execute(f"PRAGMA journal_mode = {mode}")
    with early:
        early.execute("CREATE TABLE alembic_version (version_num TEXT)")
    monitor = Monitor([tmp_path])
    assert look(monitor) == {}
    tracked = Tracked(path, mode)
    tracked.begin("a")
    tracked.log("a", 1)
    assert look(monitor)["name-a"].step == 1
    tracked.close()
    early.close()


def test_a_database_that_is_locked_at_the_first_look_is_found(tmp_path: Path) -> None:
    tracked = Tracked(tmp_path / "mlflow.db")
    tracked.begin("a")
    tracked.log("a", 1)
    writer = sqlite3.connect(tracked.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute("UPDATE runs SET status = 'FINISHED'")
    monitor = Monitor([tmp_path])
    assert look(monitor) == {}
    writer.execute("COMMIT")
    assert look(monitor)["name-a"].step == 1
    writer.close()
    tracked.close()


def test_another_program_s_database_is_left_alone_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lossmon.readers.discovery.detection.MOST_LOOKS", 3)
    path = tmp_path / "other.db"
    looks = []
    monkeypatch.setattr(
        "lossmon.readers.databases.detection.table_names",
        lambda path: looks.append(path) or frozenset({"notes"}),
    )
    monitor = Monitor([tmp_path])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        for _ in range(8):
            with connection:
                connection.execute("INSERT INTO notes VALUES ('x')")
            os.utime(path, (1e9 + len(looks), 1e9 + len(looks)))
            look(monitor)
    formats = 3
    assert len(looks) == 3 * formats


@pytest.mark.parametrize(
    "directory, label",
    [
        ("run-20250317_144040-a0k0ix2o", "2025-03-17 14:40 a0k0ix2o"),
        ("offline-run-20250317_144040-my-id", "2025-03-17 14:40 my-id"),
        ("20250317-144040", "7-144040"),
        ("aaaaaaaaaaaabbbb", "aaaabbbb"),
    ],
)
def test_a_run_is_told_apart_by_the_date_and_the_id_of_its_directory(
    directory: str, label: str
) -> None:
    assert own_label(Path(directory)) == label


def test_what_is_written_last_is_seen_although_the_database_rests(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [NOW]

    def tick() -> float:
        clock[0] += 1e-5
        return clock[0]

    monkeypatch.setattr("lossmon.readers.databases.reader.REST", math.inf)
    monkeypatch.setattr(
        "lossmon.readers.databases.reader.time", SimpleNamespace(monotonic=tick, time=tick)
    )
    tracked.begin("a")
    tracked.log("a", 0)
    monitor = Monitor([tracked.path], clock=lambda: clock[0])
    assert look(monitor)["name-a"].step == 0
    tracked.log("a", 1)
    assert look(monitor)["name-a"].step == 0, "its writer has it for itself"
    clock[0] += LAST_LOOK
    assert look(monitor)["name-a"].step == 1
    tracked.close()
