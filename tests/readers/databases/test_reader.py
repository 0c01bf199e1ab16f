"""Databases: read live, never locked, and left as they were found."""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import PIPE
from types import SimpleNamespace

import pytest

from lossmon.errors import ReadError
from lossmon.monitor import Monitor
from lossmon.readers.databases.optuna import OptunaTables
from lossmon.readers.databases.reader import LONGEST_REST, Database
from lossmon.readers.databases.rows import MOST_ROWS, RunMarks
from lossmon.readers.databases.trackio import TrackioTables
from lossmon.readers.discovery.discovery import Discovery
from lossmon.readers.files.sqlite import TornError, visit
from lossmon.readers.registry import detect
from lossmon.types import Reader
from tests.readers.growing import DATA, read, read_whole


def opened(path: Path, source: str) -> Reader:
    found = detect(path)
    assert found is not None
    assert found.source == source
    return found.open(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that takes long to make, and short to copy."""
    path = tmp_path_factory.mktemp("made") / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        # Nothing is lost if the machine dies here, and each statement waits for the disk else.
        connection.execute("PRAGMA synchronous=OFF")
        connection.executescript((DATA / "mlflow" / "mlflow.sql").read_text())
    return path


@pytest.fixture
def mlflow(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path))


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_mlflow_flags_nan_and_writes_infinity_as_the_largest_number(mlflow: Path) -> None:
    reader = opened(mlflow, "mlflow")
    batch = read(reader)
    loss = next(points for points in batch.points if points.tag == "train/loss")
    assert loss.steps.tolist() == list(range(122))
    assert loss.values[0] == 2.5782514621404196
    assert math.isnan(loss.values[120])
    assert loss.values[121] == math.inf
    assert loss.wall_times[0] == 1795220237.623
    assert (batch.facts[0].name, batch.facts[0].finished) == ("demo", True)
    assert batch.facts[0].settings == {"lr": "0.001", "bsz": "8"}


def test_new_rows_are_given_once(mlflow: Path) -> None:
    reader = opened(mlflow, "mlflow")
    read(reader)
    assert read(reader).points == ()
    change(
        mlflow,
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
        "SELECT 'train/loss', 0.25, 1795220239000, run_uuid, 130, 0 FROM runs",
    )
    batch = read(reader)
    assert not batch.replaced
    assert [(p.tag, p.steps.tolist(), p.values.tolist()) for p in batch.points] == [
        ("train/loss", [130], [0.25])
    ]


def test_a_writer_has_its_database_to_itself_between_two_visits(
    mlflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: now, time=time.time)
    monkeypatch.setattr("lossmon.readers.databases.reader.time", clock)
    monkeypatch.setattr("lossmon.readers.databases.reader.REST", math.inf)
    reader = opened(mlflow, "mlflow")
    read(reader)
    change(
        mlflow,
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
        "SELECT 'train/loss', 0.25, 1795220239000, run_uuid, 130, 0 FROM runs",
    )
    now += LONGEST_REST / 2
    assert not read(reader).points
    now += LONGEST_REST
    assert read(reader).points


def test_a_reader_of_a_whole_database_stays_with_the_run_that_was_newest(mlflow: Path) -> None:
    reader = opened(mlflow, "mlflow")
    read(reader)
    change(
        mlflow,
        "INSERT INTO runs (run_uuid, name, status, start_time) VALUES ('new', 'n', 'RUNNING', 9)",
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
        "VALUES ('loss', 1.0, 1795220239000, 'new', 0, 0)",
    )
    batch = read(reader)
    assert (batch.points, batch.replaced) == ((), False)


def test_many_rows_come_in_pieces(mlflow: Path) -> None:
    rows = [("loss", 1.0, 1795220239000, "new", step) for step in range(MOST_ROWS + 5)]
    connection = sqlite3.connect(mlflow)
    with connection:
        connection.execute(
            "INSERT INTO runs (run_uuid, status, start_time) VALUES ('new', 'RUNNING', 2e12)"
        )
        connection.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
            "VALUES (?, ?, ?, ?, ?, 0)",
            rows,
        )
    connection.close()
    run = read_whole(opened(mlflow, "mlflow"))
    assert [step for step, _ in run.values("loss")] == list(range(MOST_ROWS + 5))


def test_a_writer_that_holds_it_is_waited_for(mlflow: Path) -> None:
    reader = opened(mlflow, "mlflow")
    writer = sqlite3.connect(mlflow, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    batch = read(reader)
    assert (batch.points, batch.pending) == ((), 1)
    writer.execute("ROLLBACK")
    writer.close()
    assert read_whole(reader).series


def test_a_writer_that_never_lets_go_is_named_and_still_waited_for(
    mlflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lossmon.readers.databases.reader.PATIENCE", 0.0)
    monkeypatch.setattr("lossmon.readers.databases.reader.PAUSE", 0.0)
    reader = opened(mlflow, "mlflow")
    writer = sqlite3.connect(mlflow, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    assert read(reader).pending == 1
    with pytest.raises(OSError, match="keeps it locked"):
        read(reader)
    writer.execute("ROLLBACK")
    writer.close()
    assert read(reader).points


def test_reading_never_locks_a_writer_out(mlflow: Path) -> None:
    read(opened(mlflow, "mlflow"))
    writer = sqlite3.connect(mlflow, timeout=0.0)
    with writer:
        writer.execute("DELETE FROM params")
    writer.close()


def test_trackio_rows_hold_json(tmp_path: Path) -> None:
    path = tmp_path / "tiny.db"
    shutil.copy(DATA / "trackio" / "tiny.db", path)
    run = read_whole(opened(path, "trackio"))
    assert run.values("train/loss")[0] == (0, 2.5782514621404196)
    assert math.isnan(run.values("train/loss")[-1][1])
    assert run.values("x/inf") == [(120, math.inf)]
    assert len(run.values("eval/loss")) == 5


def test_trackio_counts_optimizer_steps_where_they_are_logged(tmp_path: Path) -> None:
    path = tmp_path / "tiny.db"
    shutil.copy(DATA / "trackio" / "tiny.db", path)
    with sqlite3.connect(path) as writer:
        writer.execute(
            "UPDATE metrics SET metrics = json_set(metrics, '$.\"train/global_step\"', 5 * step)"
        )
    run = read_whole(opened(path, "trackio"))
    assert run.values("x/inf") == [(600, math.inf)]
    assert "train/global_step" not in run.series


def test_a_database_with_a_log_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "tiny.db"
    shutil.copy(DATA / "trackio" / "tiny.db", path)
    read(opened(path, "trackio"))
    assert os.listdir(tmp_path) == ["tiny.db"]


WRITER = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("UPDATE configs SET config = '{}'")
print("written", flush=True)
sys.stdin.readline()
connection.close() if sys.argv[2] == "closed" else os._exit(1)
"""
"""A program that ends, in one way or the other, when it is told so."""


@pytest.fixture
def journaled(tmp_path: Path) -> Path:
    """A database with a write-ahead log."""
    return Path(shutil.copy(DATA / "trackio" / "tiny.db", tmp_path))


@contextmanager
def writing(path: Path, end: str) -> Iterator[Callable[[], object]]:
    """Write in another process; yields what makes it end."""
    command = (sys.executable, "-c", WRITER, path, end)
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        yield lambda: writer.communicate("\n")


def test_a_writer_that_closes_while_it_is_read_leaves_no_log_behind(journaled: Path) -> None:
    with writing(journaled, "closed") as end, visit(journaled) as connection:
        end()
        assert connection.execute("SELECT config FROM configs").fetchall() == [("{}",)]
        assert len(os.listdir(journaled.parent)) == 3
    assert os.listdir(journaled.parent) == ["tiny.db"]
    with closing(sqlite3.connect(journaled)) as connection:
        assert connection.execute("SELECT config FROM configs").fetchall() == [("{}",)]


def test_the_log_of_a_writer_that_was_killed_stays_as_it_is(journaled: Path) -> None:
    with writing(journaled, "killed") as end:
        end()
    files = (journaled, Path(f"{journaled}-wal"))
    before = [file.read_bytes() for file in files]
    with visit(journaled) as connection:
        assert connection.execute("SELECT config FROM configs").fetchall() == [("{}",)]
    assert [file.read_bytes() for file in files] == before


def test_what_a_writer_changed_under_a_reader_is_read_again(journaled: Path) -> None:
    database = Database(journaled, "trackio", TrackioTables)
    reader = database.open("c196f43b19b24822adbde6ca860b8d7c")
    read_whole(reader)
    # Nobody has it open, so that it is read without a lock.
    with pytest.raises(TornError), database.visit() as connection:
        change(journaled, "UPDATE metrics SET metrics = '{\"train/loss\": 0.5}'")
        connection.execute("SELECT COUNT(*) FROM metrics").fetchone()
    assert {value for _, value in read_whole(reader).values("train/loss")} == {0.5}


def test_what_a_live_writer_has_in_its_log_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "tiny.db"
    shutil.copy(DATA / "trackio" / "tiny.db", path)
    writer = sqlite3.connect(path)
    with writer:
        writer.execute(
            "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) "
            "VALUES ('r', '2026-11-21T00:18:09+00:00', 'demo', 200, '{\"train/loss\": 0.5}')"
        )
    run = read_whole(opened(path, "trackio"))
    assert run.values("train/loss")[-1] == (200, 0.5)
    writer.close()


def test_where_the_log_cannot_be_opened_the_rest_is_read(tmp_path: Path) -> None:
    path, copy = tmp_path / "tiny.db", tmp_path / "copy" / "tiny.db"
    shutil.copy(DATA / "trackio" / "tiny.db", path)
    writer = sqlite3.connect(path)
    with writer:
        writer.execute("UPDATE configs SET config = '{}'")
    copy.parent.mkdir()
    shutil.copy(path, copy)
    shutil.copy(f"{path}-wal", f"{copy}-wal")
    writer.close()
    # As in a directory that may not be written, the index of the log cannot be made.
    Path(f"{copy}-shm").mkdir()
    assert len(read_whole(opened(copy, "trackio")).values("eval/loss")) == 5


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_log_that_is_none_is_not_waited_for(journaled: Path, mode: str) -> None:
    with closing(sqlite3.connect(journaled)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    if mode == "WAL":
        Path(f"{journaled}-wal").write_bytes(bytes(range(256)) * 20)
        Path(f"{journaled}-shm").mkdir()
    else:
        os.mkfifo(f"{journaled}-journal")
    with visit(journaled) as connection:
        assert connection.execute("SELECT COUNT(*) FROM configs").fetchone()


def test_a_database_whose_journal_goes_meanwhile_is_read_under_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.db"
    change(path, "CREATE TABLE a (b)")
    journal, looked = Path(f"{path}-journal"), os.stat
    journal.touch()

    def gone(file: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if file == journal:
            journal.unlink(missing_ok=True)
        return looked(file, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "stat", gone)
    with visit(path), closing(sqlite3.connect(path, timeout=0)) as writer:
        writer.execute("INSERT INTO a VALUES (1)")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.commit()


def test_other_databases_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    change(path, "CREATE TABLE metrics (a)")
    assert detect(path) is None


def test_a_query_that_never_ends_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lossmon.readers.files.sqlite.LONGEST", 0.0)
    path = tmp_path / "x.db"
    change(path, "CREATE TABLE a (b)")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"
    with pytest.raises(ReadError, match="interrupted"), visit(path) as connection:
        connection.execute(endless).fetchall()


@pytest.mark.parametrize("size", [0, 16, 100, 5000, 20_000])
def test_a_damaged_database_is_an_error_with_its_name(tmp_path: Path, size: int) -> None:
    path = tmp_path / "tiny.db"
    shutil.copy(DATA / "trackio" / "tiny.db", path)
    reader = opened(path, "trackio")
    content = path.read_bytes()
    path.write_bytes(content[:size] + bytes(len(content) - size))
    with pytest.raises(ReadError, match=r"tiny\.db"):
        read(reader)


@pytest.mark.parametrize("size", [3000, 9000])
def test_one_that_cannot_be_asked_for_its_tables_is_named(tmp_path: Path, size: int) -> None:
    path = tmp_path / "study.db"
    content = (DATA / "optuna" / "study.db").read_bytes()
    path.write_bytes(content[:size])
    discovery = Discovery([tmp_path])
    assert discovery.scan().notes == (f"{path}: database disk image is malformed",)
    path.write_bytes(content)
    os.utime(path, (1e9, 1e9))
    scan = discovery.scan()
    assert (scan.notes, scan.runs[0].name) == ((), "tiny")


def test_a_file_that_is_no_database_whatever_its_name_is_no_news(tmp_path: Path) -> None:
    (tmp_path / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(8000))
    assert Discovery([tmp_path]).scan().notes == ()


def test_one_whose_writer_was_killed_within_a_transaction_is_shown_without_it(
    mlflow: Path, tmp_path: Path
) -> None:
    killed = tmp_path / "killed" / mlflow.name
    killed.parent.mkdir()
    with closing(sqlite3.connect(mlflow, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 2")
        writer.execute("BEGIN")
        writer.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
            "SELECT 'train/loss', 0.25, 1795220239000, run_uuid, ?, 0 FROM runs",
            [(step,) for step in range(1000, 3000)],
        )
        for file in mlflow.parent.glob(f"{mlflow.name}*"):
            shutil.copy(file, killed.with_name(file.name))
        writer.execute("ROLLBACK")
    files = sorted(killed.parent.iterdir())
    contents = [file.read_bytes() for file in files]
    assert len(files) == 2, "the database and its journal"
    expected, found = (read(opened(path, "mlflow")).points for path in (mlflow, killed))
    assert [(p.tag, p.steps.tolist()) for p in found] == [
        (p.tag, p.steps.tolist()) for p in expected
    ]
    assert sorted(killed.parent.iterdir()) == files
    assert [file.read_bytes() for file in files] == contents


def test_one_that_is_locked_at_the_first_look_is_named(mlflow: Path) -> None:
    writer = sqlite3.connect(mlflow, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    (note,) = Discovery([mlflow]).scan().notes
    assert note == f"{mlflow}: its writer keeps it locked; it is tried again"
    writer.close()


def test_a_search_hardly_waits_for_one_that_is_locked(
    mlflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, waits = sqlite3.connect, list[float]()

    def noted(address: str, *, uri: bool, timeout: float) -> sqlite3.Connection:
        waits.append(timeout)
        return connect(address, uri=uri, timeout=timeout)

    with closing(connect(mlflow, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(sqlite3, "connect", noted)
        Discovery([mlflow]).scan()
    assert 0 < sum(waits) < 0.2


def test_a_study_of_optuna_2_which_flagged_no_infinity_is_read(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    shutil.copy(DATA / "optuna" / "study.db", path)
    change(
        path,
        "ALTER TABLE trial_values DROP COLUMN value_type",
        "ALTER TABLE trial_intermediate_values DROP COLUMN intermediate_value_type",
    )
    database = Database(path, "optuna", OptunaTables)
    assert len(read_whole(database.open("study 1")).values("objective/minimize")) == 19
    assert len(read_whole(database.open("study 1 trial 0")).values("eval/objective")) == 20


def test_the_last_value_of_a_pruned_trial_is_not_the_best_of_its_study(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    shutil.copy(DATA / "optuna" / "study.db", path)
    change(
        path,
        "UPDATE trial_values SET value = 0.5 WHERE trial_id = "
        "(SELECT trial_id FROM trials WHERE number = 4)",
    )
    (study, *_) = Monitor([path]).drain().runs
    assert study.diagnosis.verdict.facts["trial"] == 3


def test_one_that_vanished_gives_nothing(mlflow: Path) -> None:
    reader = opened(mlflow, "mlflow")
    mlflow.unlink()
    assert read(reader).points == ()


def test_the_plan_of_a_trainer_is_among_the_parameters(mlflow: Path) -> None:
    change(
        mlflow,
        "INSERT INTO params (key, value, run_uuid) "
        "SELECT 'num_train_epochs', '3.0', run_uuid FROM runs",
        "INSERT INTO params (key, value, run_uuid) SELECT 'max_steps', '-1', run_uuid FROM runs",
    )
    (facts,) = read(opened(mlflow, "mlflow")).facts
    assert (facts.total_epochs, facts.total_steps) == (3.0, None)
    change(mlflow, "UPDATE params SET value = '200' WHERE key = 'max_steps'")
    (facts,) = read(opened(mlflow, "mlflow")).facts
    assert (facts.total_epochs, facts.total_steps) == (None, 200)


def test_trackio_s_run_has_ended_with_the_closing_record_of_a_trainer(tmp_path: Path) -> None:
    path = tmp_path / "tiny.db"
    shutil.copy(DATA / "trackio" / "tiny.db", path)
    reader = opened(path, "trackio")
    assert read(reader).facts[0].finished is False
    add = (
        "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) "
        "SELECT run_id, timestamp, run_name, 300, '{}' FROM metrics LIMIT 1"
    )
    change(path, add.format('{"train_runtime": 5.0, "train_loss": 1.0}'))
    assert read(reader).facts[0].finished is True
    change(path, add.format('{"train/loss": 0.5}'))
    assert read(reader).facts[0].finished is False


def test_runs_with_new_rows_are_found_in_short_transactions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lossmon.readers.databases.rows.MOST_SCANNED", 2)
    connection, marks = sqlite3.connect(":memory:", isolation_level=None), RunMarks("rows", "run")
    connection.execute("CREATE TABLE rows (run)")
    began: list[str] = []
    connection.set_trace_callback(began.append)
    for runs in ("", "abacca", "bb"):
        connection.executemany("INSERT INTO rows VALUES (?)", runs)
        connection.execute("BEGIN")
        assert marks.refresh(connection)
        connection.execute("END")
    assert [marks.of(run) for run in "abcd"] == [6, 8, 5, None]
    assert began.count("BEGIN") == 3 + 3 + 1
    connection.execute("DELETE FROM rows WHERE rowid = 8")
    assert not marks.refresh(connection)
