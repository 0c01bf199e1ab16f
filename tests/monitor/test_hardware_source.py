"""Whose hardware a snapshot shows."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from lossmon.monitor import Monitor, NoHardware
from lossmon.types import GpuReading, HardwareReading, HostReading

HERE = HostReading("login", memory_used=1, memory_total=2)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "project.db"
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE configs (id INTEGER, config TEXT)")
        connection.execute(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, "
            "step INTEGER, metrics TEXT)"
        )
        connection.execute(
            "CREATE TABLE system_metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, "
            "metrics TEXT)"
        )
        when = "2026-01-01T00:00:00+00:00"
        connection.execute(
            "INSERT INTO metrics VALUES (1, ?, 'r', 7, ?)", (when, json.dumps({"loss": 2.5}))
        )
        connection.execute(
            "INSERT INTO system_metrics VALUES (1, ?, 'r', ?)",
            (when, json.dumps({"gpu/0/utilization": 88.0, "gpu/mean_utilization": 88.0})),
        )
    connection.close()
    return path


def shown(project: Path, local: HardwareReading) -> HardwareReading:
    return Monitor([project], hardware=NoHardware(local)).drain().hardware


def test_without_a_gpu_here_the_recorded_one_is_shown(project: Path) -> None:
    reading = shown(project, HardwareReading(note="no NVIDIA driver", host=HERE))
    assert [gpu.utilization for gpu in reading.gpus] == [88.0]
    assert reading.note.startswith("recorded by trackio")


def test_a_gpu_here_is_the_one_that_is_shown(project: Path) -> None:
    local = HardwareReading((GpuReading(0, "H200"),), host=HERE)
    assert shown(project, local) is local


def test_a_reading_stays_the_same_object_while_nothing_changes(project: Path) -> None:
    monitor = Monitor([project], hardware=NoHardware(HardwareReading(host=HERE)))
    first = monitor.drain()
    assert monitor.drain() is first
