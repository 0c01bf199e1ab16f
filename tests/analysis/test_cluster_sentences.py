from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.analysis.cluster_sentences import job_sentence, limit_sentence, node_sentences
from lossmon.reports.plain import plain
from lossmon.reports.record import record
from lossmon.types import (
    GpuReading,
    Job,
    JobState,
    NodeProcess,
    NodeReading,
    ProcessState,
    RunSnapshot,
    RunState,
)

NOW = 1_700_000_000.0
HOUR = 3600.0
JOB = Job(
    "Slurm",
    "12345_7",
    "tune",
    JobState.RUNNING,
    partition="gpu",
    nodes="gpu[01-04]",
    limit=NOW + 3 * HOUR,
    restarts=1,
)
RUN = RunSnapshot("run", Path("run"), state=RunState.RUNNING, last_time=NOW, job=JOB)


def test_a_job_is_named_with_where_it_runs() -> None:
    assert job_sentence(RUN, "en") == (
        "Slurm job 12345_7 (tune), partition gpu, on gpu[01-04], requeued 1×"
    )
    assert job_sentence(RUN, "zh") == (
        "Slurm 作业 12345_7（tune），分区 gpu，节点 gpu[01-04]，已重新排队 1 次"
    )
    bare = replace(RUN, job=Job("PBS", "9"))
    assert job_sentence(bare, "en") == "PBS job 9"
    assert job_sentence(replace(RUN, job=None), "en") == ""


def test_why_a_job_waits_is_told() -> None:
    waiting = replace(JOB, state=JobState.PENDING, reason="Resources", nodes="", restarts=0)
    sentence = job_sentence(replace(RUN, job=waiting), "en")
    assert sentence == "Slurm job 12345_7 (tune), partition gpu, pending (Resources)"


@pytest.mark.parametrize(
    ("remaining", "english"),
    [
        (5 * HOUR, "ends 2 h after the time limit"),
        (2.5 * HOUR, "ends 30 m before the time limit"),
        (None, "3 h to the time limit"),
    ],
)
def test_the_limit_is_held_against_the_end(remaining: float | None, english: str) -> None:
    assert limit_sentence(replace(RUN, remaining=remaining), NOW, "en") == english


def test_what_remains_counts_from_the_newest_point() -> None:
    run = replace(RUN, remaining=3 * HOUR, last_time=NOW - HOUR)
    assert limit_sentence(run, NOW, "en") == "ends 1 h before the time limit"


@pytest.mark.parametrize(
    "run",
    [
        replace(RUN, job=None),
        replace(RUN, job=replace(JOB, limit=None)),
        replace(RUN, job=replace(JOB, limit=NOW - 1)),
        replace(RUN, job=replace(JOB, state=JobState.TIMEOUT)),
        replace(RUN, state=RunState.FINISHED),
    ],
)
def test_without_a_limit_ahead_nothing_is_said(run: RunSnapshot) -> None:
    assert limit_sentence(run, NOW, "en") == ""


def test_what_is_wrong_with_nodes_is_told_and_what_is_well_is_not() -> None:
    gpus = tuple(GpuReading(at, "GPU", used) for at, used in enumerate((95.0, 96.0, 40.0)))
    nodes = (
        NodeReading("a", NOW, gpus),
        NodeReading("b", NOW - 240, gpus[:2], stale=True),
        NodeReading("c", NOW, (GpuReading(1, "GPU", lost=True),)),
        NodeReading(
            "d",
            NOW,
            processes=(
                NodeProcess(7, "python", ProcessState.GONE, rank=3),
                NodeProcess(8, "python", ProcessState.BUSY),
            ),
        ),
    )
    assert node_sentences(nodes, NOW, "en") == [
        "d: python (7) is gone",
        "c: GPU 1 does not answer",
        "b: no sample for 4 m",
        "a: GPU 2 at 40 %, the others at 95 %",
    ]
    assert node_sentences((NodeReading("a", NOW, gpus[:2]),), NOW, "en") == []


def test_reports_say_it_too() -> None:
    run = replace(
        RUN, remaining=5 * HOUR, nodes=(NodeReading("b", NOW - 240, (GpuReading(0, "GPU", 5.0),)),)
    )
    text = " ".join(plain(run, "en", history=False, now=NOW).split())
    assert "job: Slurm job 12345_7 (tune)" in text and "ends 2 h after the time limit" in text
    document = record(run, "en")
    assert document["job"]["limit"] == NOW + 3 * HOUR and document["job"]["state"] == "running"
    (node,) = document["nodes"]
    assert (node["node"], node["stale"], node["gpus"][0]["utilization"]) == ("b", False, 5.0)
