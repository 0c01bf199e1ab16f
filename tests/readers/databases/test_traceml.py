"""Sessions of TraceML: how long steps take and what the machines do, but no loss."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from lossmon.monitor import Monitor
from lossmon.readers.registry import detect
from lossmon.types import Kind, RunState
from tests.readers.growing import DATA, Collected, read, read_whole

SAMPLE = DATA / "traceml"


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """The directory of a session, as TraceML lays it out."""
    root = tmp_path / "demo-run"
    (root / "aggregator").mkdir(parents=True)
    connection = sqlite3.connect(root / "aggregator" / "telemetry")
    connection.execute("PRAGMA journal_mode = wal")
    connection.executescript((SAMPLE / "telemetry.sql").read_text())
    connection.close()
    shutil.copy(SAMPLE / "manifest.json", root)
    return root


def test_the_time_of_a_step_counts_the_wait_for_its_batch(session: Path) -> None:
    path = session / "aggregator" / "telemetry"
    found = detect(path)
    assert found is not None
    run = read_whole(found.open(path))
    # What was handed to TraceML: 5 ms and more of waiting, 80 ms and more of a step, on rank 0.
    expected = [(s, pytest.approx((5 + s % 3 + 80.0 + s % 5) / 1e3)) for s in range(30)]
    assert run.values("step_time") == expected
    assert run.values("time/forward") == [(s, pytest.approx(0.0205)) for s in range(30)]
    peak = run.values("memory/peak_allocated (GiB)")
    assert peak[-1] == (29, pytest.approx((2.0e9 + 29e6) / 2**30))


def test_a_session_is_one_run_with_its_log_and_its_machines(session: Path) -> None:
    node = session / "nodes" / "node_0"
    node.mkdir(parents=True)
    (node / "training.stdout.log").write_text(
        "".join(f"step {step} loss {2 - step / 10:.4f}\n" for step in range(10))
    )
    (run,) = Monitor([session.parent]).drain().runs
    assert (run.name, run.path) == ("demo-run", session)
    assert (run.state, run.state_reason) == (RunState.FINISHED, "according to the log")
    assert run.sources == ("traceml", "text")
    assert run.train_loss is not None and run.train_loss.n == 10
    assert run.log_name == "training.stdout.log"
    paces = [one.tag for one in run.series if one.meaning.kind is Kind.THROUGHPUT]
    assert paces == ["step_time"]


def test_without_a_gpu_here_those_of_the_session_are_shown(session: Path) -> None:
    hardware = Monitor([session]).drain().hardware
    first = hardware.gpus[0]
    assert [gpu.index for gpu in hardware.gpus] == [0, 1]
    assert (first.utilization, first.temperature, first.power) == (92.0, 60.0, 350.0)
    assert (first.memory_used, first.memory_total) == (20_000_000_000, 80_000_000_000)
    assert hardware.host is not None and hardware.host.cpu == 55.0


@pytest.mark.parametrize(
    ("status", "state"),
    [("running", None), ("completed", True), ("failed", "failed"), ("interrupted", "interrupted")],
)
def test_the_manifest_says_how_it_ended(session: Path, status: str, state: object) -> None:
    path = session / "manifest.json"
    found = detect(path)
    assert found is not None
    path.write_text(json.dumps({**json.loads(path.read_text()), "status": status}))
    (facts,) = read(found.open(path)).facts
    assert (facts.finished or facts.failure or None) == state


def test_a_session_that_is_being_written_is_followed(session: Path) -> None:
    path = session / "aggregator" / "telemetry"
    found = detect(path)
    assert found is not None
    reader = found.open(path)
    read(reader)
    writer = sqlite3.connect(path)
    with writer:
        writer.execute(
            "INSERT INTO step_time_samples (recv_ts_ns, global_rank, step, events_json) "
            "VALUES (1, 0, 30, ?)",
            (json.dumps({"_traceml_internal:step_time": {"cpu": {"duration_ms": 500.0}}}),),
        )
    (points,) = read(reader).points
    assert (points.tag, points.steps.tolist(), points.values.tolist()) == ("step_time", [30], [0.5])
    writer.close()


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_rhythm_the_same_points_come_out(seed: int, mode: str, tmp_path: Path) -> None:
    lines = (SAMPLE / "telemetry.sql").read_text().splitlines()
    tables: dict[str, list[str]] = {}
    for line in reversed([line for line in lines if line.startswith("INSERT")]):
        tables.setdefault(line.split()[2], []).append(line)
    path = tmp_path / "telemetry"
    writer = sqlite3.connect(path)
    writer.execute(f"PRAGMA journal_mode = {mode}")
    writer.execute("PRAGMA synchronous = off")
    writer.executescript("\n".join(line for line in lines if not line.startswith("INSERT")))
    found = detect(path)
    assert found is not None
    reader, live, dice = found.open(path), Collected(), random.Random(seed)
    while tables:
        with writer:
            for _ in range(dice.randrange(1, 9)):
                if tables:
                    table = dice.choice(list(tables))
                    writer.execute(tables[table].pop())
                    if not tables[table]:
                        del tables[table]
        if dice.random() < 0.5:
            live.add(read(reader))
    live.add(read(reader))
    writer.close()
    assert live.series == read_whole(found.open(path)).series


def test_another_manifest_is_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text('{"name": "app", "schema_version": 1, "icons": []}')
    assert detect(path) is None
