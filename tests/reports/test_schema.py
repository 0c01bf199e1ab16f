"""The JSON schema of `lossmon check --json` describes what is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lossmon.monitor import Monitor
from lossmon.reports.record import record
from lossmon.types import (
    Axis,
    Confidence,
    GpuReading,
    HostReading,
    Job,
    JobState,
    Kind,
    MediaKind,
    NodeProcess,
    NodeReading,
    ProcessState,
    RunSnapshot,
    RunState,
    Severity,
    Split,
)
from tests import paths

SCHEMA = json.loads((paths.ROOT / "docs" / "check.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FAMILIES = sorted(path for path in paths.DATA.iterdir() if path.is_dir())


def faults(described: dict[str, Any]) -> list[str]:
    """What is wrong with a record, after the way through JSON."""
    text = json.dumps(described, allow_nan=False)
    return [f"{one.json_path}: {one.message}" for one in VALIDATOR.iter_errors(json.loads(text))]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("family", FAMILIES, ids=[path.name for path in FAMILIES])
def test_every_sample_fits_the_schema(family: Path) -> None:
    runs = Monitor([family]).drain().runs
    assert runs
    for run in runs:
        for points in (False, True):
            assert faults(record(run, "en", points=points)) == []


def test_a_job_and_its_nodes_fit_the_schema() -> None:
    gpu = GpuReading(0, "GPU", utilization=50.0, memory_used=1, memory_total=2, power=float("nan"))
    process = NodeProcess(7, "python", ProcessState.BUSY, rank=0)
    node = NodeReading("node1", time=1.0, gpus=(gpu,), host=HostReading("node1"))
    run = RunSnapshot(
        "run",
        Path("run"),
        job=Job("Slurm", "12_3", state=JobState.RUNNING, started=1.0),
        nodes=(node, NodeReading("node2", time=2.0, processes=(process,))),
    )
    assert faults(record(run, "en")) == []


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (("properties", "state"), RunState),
        (("$defs", "series", "properties", "axis"), Axis),
        (("$defs", "series", "properties", "kind"), Kind),
        (("$defs", "series", "properties", "split"), Split),
        (("properties", "media", "items", "properties", "kind"), MediaKind),
        (("$defs", "job", "properties", "state"), JobState),
        (("properties", "verdict", "properties", "confidence"), Confidence),
    ],
)
def test_the_schema_knows_every_word(place: tuple[str, ...], words: Any) -> None:
    part = SCHEMA
    for key in place:
        part = part[key]
    assert set(part["enum"]) == {word.value for word in words}


def test_the_schema_knows_every_severity() -> None:
    words = SCHEMA["$defs"]["finding"]["properties"]["severity"]["enum"]
    assert words == [severity.word for severity in Severity]


def test_a_record_with_another_key_does_not_fit() -> None:
    described = record(RunSnapshot("run", Path("run")), "en")
    assert faults(described) == []
    assert faults({**described, "unknown": 1}) != []
    assert faults({**described, "step": "1"}) != []
