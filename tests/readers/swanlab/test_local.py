"""SwanLab's local logs, whose names stand in a database beside the runs."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from lossmon.monitor import Monitor
from lossmon.readers.registry import detect
from lossmon.types import RunSnapshot
from tests.readers.growing import DATA

SAMPLE = DATA / "swanlab" / "v0.7_local" / "swanlog"
RUN = "run-20261121_034358-jnszea20hxr95a6l69kp6"
NAMES = {"0": "train/loss", "1": "eval/loss"}


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "swanlog"))


def name(logs: Path) -> None:
    connection = sqlite3.connect(logs / "runs.swanlab")
    with connection:
        connection.execute("CREATE TABLE experiment (id INTEGER PRIMARY KEY, run_id TEXT)")
        connection.execute("CREATE TABLE tag (experiment_id INTEGER, name TEXT, folder TEXT)")
        connection.execute("INSERT INTO experiment VALUES (1, ?)", (RUN,))
        connection.executemany(
            "INSERT INTO tag VALUES (1, ?, ?)", [(tag, folder) for folder, tag in NAMES.items()]
        )
    connection.close()


def read(logs: Path) -> RunSnapshot:
    (run,) = Monitor([logs]).drain().runs
    return run


def test_points_get_their_names_from_the_database(logs: Path) -> None:
    name(logs)
    run = read(logs)
    assert run.train_loss is not None and run.eval_loss is not None
    assert run.train_loss.steps.tolist() == list(range(0, 300, 10))
    assert run.train_loss.values.tolist() == [3 / (i + 1) + 0.1 for i in range(30)]
    assert run.eval_loss.steps.tolist() == [0, 100, 200]
    assert run.train_loss.wall_times[0] == 1795232639.698045


def test_without_the_database_they_are_numbered(logs: Path) -> None:
    assert {one.tag for one in read(logs).series} == {"metric 0", "metric 1"}


def test_beside_the_own_record_nameless_points_are_left_to_it(logs: Path) -> None:
    (logs / RUN / "backup.swanlab").write_bytes(b":SWL\xd6\xe1\x01")
    assert read(logs).series == ()


def test_a_damaged_database_names_nothing(logs: Path) -> None:
    (logs / "runs.swanlab").write_bytes(b"SQLite format 3\0" + b"\1" * 5000)
    assert {one.tag for one in read(logs).series} == {"metric 0", "metric 1"}


def test_hardware_readings_are_no_metrics_of_the_training(logs: Path) -> None:
    machine = {"0": "__swanlab__.gpu.0.pct", "1": "__swanlab__.cpu.pct"}
    name(logs)
    connection = sqlite3.connect(logs / "runs.swanlab")
    with connection:
        for folder, tag in machine.items():
            connection.execute("UPDATE tag SET name = ? WHERE folder = ?", (tag, folder))
    connection.close()
    assert {one.tag for one in read(logs).series} == {"system/gpu.0.pct", "system/cpu.pct"}


def test_other_logs_in_such_a_place_are_none_of_it(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "0" / "1000.log"
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({"step": 1, "loss": 2.5}) + "\n")
    found = detect(log)
    assert found is not None and found.source != "swanlab"
