from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lossmon.cluster.slurm.commands import Queue, Slurm, SlurmError
from lossmon.cluster.slurm.jobs import SlurmJob, expected
from lossmon.cluster.source import JobSource, matched, may_belong, wanted
from lossmon.monitor import LocalSource
from lossmon.monitor.merged_source import MergedSource
from lossmon.types import Job, JobState, NodeReading, RunSnapshot, RunState
from tests.services.program import wait_until

TUNE = Job("Slurm", "7", "tune", JobState.RUNNING)
LINES = "".join(f'{{"step": {n}, "loss": {3 - n / 10}}}\n' for n in range(9))


class FakeSlurm:
    """The commands of Slurm, with the answers that a test sets."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ids: list[int] = []
        self.error = ""
        self.asked = 0

    def __call__(self, arguments: Sequence[str]) -> str:
        if "--version" in arguments:
            return "slurm-wlm 24.05.1"
        self.asked += 1
        if self.error:
            raise SlurmError(self.error)
        shared = {"name": "tune", "job_state": ["RUNNING"]}
        where = {"current_working_directory": str(self.directory)}
        return json.dumps({"jobs": [{"job_id": one} | shared | where for one in self.ids]})


def source(
    directory: Path, slurm: FakeSlurm, environment: Mapping[str, str], *, follow: bool = False
) -> JobSource:
    changed = threading.Event()
    merged = MergedSource([LocalSource([directory], hardware=False, changed=changed)], changed)

    def add(paths: Sequence[Path]) -> None:
        merged.add(LocalSource(paths, hardware=False, changed=changed))

    return JobSource(merged, Queue(Slurm(slurm)), environment, (), add if follow else None)


def test_a_run_has_the_job_that_writes_its_log(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "slurm-7.out").write_text(LINES)
    slurm = FakeSlurm(tmp_path / "runs")
    slurm.ids = [7]
    jobs = source(tmp_path / "runs", slurm, {})
    jobs.begin()
    try:
        wait_until(lambda: jobs.drain().runs[0].job == TUNE, "the job")
        assert jobs.poll(1.0) is jobs.poll(1.0)
        assert slurm.asked == 1
    finally:
        jobs.stop()


def test_jobs_that_start_later_are_added(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    slurm = FakeSlurm(tmp_path)
    slurm.ids = [8]
    (tmp_path / "slurm-8.out").write_text(LINES)
    jobs = source(tmp_path / "empty", slurm, {}, follow=True)
    jobs.begin()
    try:
        wait_until(lambda: [run.name for run in jobs.drain().runs] == ["tune 8"], "the run")
    finally:
        jobs.stop()


def test_nobody_asks_where_no_run_is_of_a_job_and_an_error_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(LINES)
    slurm = FakeSlurm(tmp_path)
    jobs = source(tmp_path, slurm, {"SLURM_JOB_ID": "3", "SLURM_JOB_NAME": "own"})
    jobs.begin()
    try:
        # A process inside of a job takes what it watches for the output of that job.
        assert [run.job.id for run in jobs.drain().runs if run.job] == ["3"]
        assert slurm.asked == 0
        slurm.error = "squeue did not answer"
        (tmp_path / "slurm-9.out").write_text(LINES)
        wait_until(lambda: slurm.error in jobs.drain().notes, "the note")
    finally:
        jobs.stop()


def run(name: str, **fields: object) -> RunSnapshot:
    shared = {"state": RunState.RUNNING} | fields
    return RunSnapshot(name, Path("/data") / name, **shared)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "expected_id"),
    [("slurm-7.out", "7"), ("tune-7.log", "7"), ("tune.j7.out", "7"), ("epoch-8.log", None)],
)
def test_the_name_of_a_log_says_its_job(name: str, expected_id: str | None) -> None:
    job = matched(run(name), {"7": SlurmJob(TUNE, "7")}, {}, None)
    assert (job.id if job else None) == expected_id
    assert may_belong(run(name))


def test_a_recorded_job_counts_and_takes_the_limit_of_the_queue() -> None:
    node = NodeReading("gpu01", 1.0, job=Job("Slurm", "7"))
    recorded = run("output", nodes=(node,))
    assert wanted([recorded]) == {"7"}
    assert matched(recorded, {}, {}, None) == Job("Slurm", "7")
    assert matched(recorded, {"7": SlurmJob(TUNE, "7")}, {}, None) == TUNE
    assert wanted([run("slurm-7.out", state=RunState.FINISHED)]) == set()


def test_the_output_of_a_waiting_job_is_awaited(tmp_path: Path) -> None:
    waiting = SlurmJob(Job("Slurm", "7", "tune"), "7", "%x-%j.log", "", str(tmp_path))
    assert expected(waiting) == [tmp_path / "tune-7.log"]
    # The tasks of a waiting array have no numbers yet.
    assert expected(SlurmJob(Job("Slurm", "7_[0-3]"), "7", "", "", str(tmp_path))) == []


def test_a_run_is_matched_again_only_when_it_or_the_queue_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("slurm-7.out", "slurm-8.out"):
        (tmp_path / name).write_text(LINES)
    names: list[str] = []

    def counted(run: RunSnapshot, *rest: Any) -> Job | None:
        names.append(run.path.name)
        return matched(run, *rest)

    monkeypatch.setattr("lossmon.cluster.source.matched", counted)
    jobs = source(tmp_path, FakeSlurm(tmp_path), {})
    jobs.drain()
    names.clear()
    with (tmp_path / "slurm-8.out").open("a") as file:
        file.write('{"step": 9, "loss": 2}\n')
    assert [run.job.id for run in jobs.drain().runs if run.job] == ["7", "8"]
    assert set(names) == {"slurm-8.out"}
