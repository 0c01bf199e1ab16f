"""What Slurm itself says, of a Slurm that runs here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.cluster.slurm.commands import Slurm, SlurmError
from lossmon.cluster.slurm.jobs import SlurmJob, from_json, outputs
from lossmon.types import JobState
from tests.services.program import wait_until
from tests.services.slurm import ask, running_slurm


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    with running_slurm(tmp_path / "slurm") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield environment


def submit(slurm: dict[str, str], directory: Path, *options: str) -> str:
    script = directory / "job.sh"
    steps = "for n in 1 2 3 4 5 6 7 8 9; do echo step $n loss 0.$((10 - n)); done"
    script.write_text(f"#!/bin/bash\n{steps}\nsleep 600\n")
    where = (f"--chdir={directory}", "--parsable")
    return ask(slurm, "sbatch", *where, *options, str(script)).strip()


def test_jobs_arrays_limits_requeues_and_outputs(
    slurm: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = Slurm()
    single = submit(slurm, tmp_path, "--job-name=a b|c", "--time=10", "--output=%x-%j.log")
    array = submit(slurm, tmp_path, "--array=0-1", "--time=1-0")
    held = submit(slurm, tmp_path, "--hold", "--array=3-9%2")

    def mine() -> dict[str, SlurmJob]:
        return {job.job.id: job for job in commands.mine()}

    running = {single, f"{array}_0", f"{array}_1"}
    wait_until(
        lambda: all(
            (job := mine().get(one)) is not None and job.job.state is JobState.RUNNING
            for one in running
        ),
        "three jobs to run",
    )
    jobs = mine()
    job = jobs[single].job
    assert (job.name, job.partition, job.user, job.restarts) == ("a b|c", "debug", "root", 0)
    assert job.started is not None and job.limit == job.started + 600
    assert job.nodes
    task = jobs[f"{array}_1"].job
    assert task.started is not None and task.limit == task.started + 86400
    (waiting,) = (one.job for one in jobs.values() if one.job.state is JobState.PENDING)
    assert (waiting.id, waiting.reason) == (f"{held}_[3-9%2]", "JobHeldUser")

    wait_until(lambda: len(outputs(jobs[single])) == 1, "the output")
    assert outputs(jobs[single]) == [tmp_path / f"a b|c-{single}.log"]
    wait_until(lambda: outputs(jobs[f"{array}_1"]), "the output of the task")
    assert outputs(jobs[f"{array}_1"]) == [tmp_path / f"slurm-{array}_1.out"]
    assert {one.job.id for one in commands.job(array)} == {f"{array}_0", f"{array}_1"}
    assert [one.job.id for one in commands.job(single)] == [single]
    assert [one.job.id for one in commands.named("a b|c")] == [single]

    # What a version with filters for JSON would print is what we read as text.
    printed = {one.job.id: one for one in from_json(json.loads(ask(slurm, "squeue", "--json")))}
    fresh = mine()
    assert {i: one.job for i, one in printed.items()} == {i: one.job for i, one in fresh.items()}
    assert {i: outputs(one) for i, one in printed.items()} == {
        i: outputs(one) for i, one in fresh.items()
    }

    assert main(["check", "--job", single, "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert (run["job"]["id"], run["job"]["state"], run["step"]) == (single, "running", 9)
    assert run["job"]["limit"] == job.limit
    assert main(["check", "--job", array, "--json"]) == 0
    names = [json.loads(line)["run"] for line in capsys.readouterr().out.splitlines()]
    assert names == [f"job.sh {array}_0", f"job.sh {array}_1"]
    assert main(["check", "--job", held]) == 3

    ask(slurm, "scontrol", "requeue", single)
    wait_until(lambda: mine()[single].job.restarts == 1, "the requeue")
    ask(slurm, "scancel", single)
    wait_until(lambda: mine()[single].job.state is JobState.CANCELLED, "the end")
    with pytest.raises(SlurmError, match=r"job 99999 is not in the queue, and .*accounting"):
        commands.job("99999")
