from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.cluster.slurm.jobs import SlurmJob, outputs
from lossmon.types import Job


def job(directory: Path, stdout: str, identity: str = "12345", **fields: str) -> SlurmJob:
    number = fields.pop("number", identity)
    made = Job("Slurm", identity, fields.pop("name", "train-a"), user="ada")
    return SlurmJob(made, number, stdout, fields.pop("stderr", ""), str(directory))


@pytest.mark.parametrize(
    ("stdout", "name"),
    [
        ("slurm-%j.out", "slurm-12345.out"),
        ("%x.%j.log", "train-a.12345.log"),
        ("%x-%8j", "train-a-00012345"),
        ("%u_%%.out", "ada_%.out"),
        (r"slurm-\%j.out", "slurm-%j.out"),
    ],
)
def test_the_output_is_found_from_its_pattern(tmp_path: Path, stdout: str, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / "slurm-99999.out").touch()
    assert outputs(job(tmp_path, stdout)) == [tmp_path / name]
    assert outputs(job(tmp_path, str(tmp_path / stdout))) == [tmp_path / name]


def test_each_task_of_an_array_has_its_own(tmp_path: Path) -> None:
    for task in (1, 2, 12):
        (tmp_path / f"slurm-100_{task}.out").touch()
    made = job(tmp_path, "slurm-%A_%a.out", "100_2", number="103")
    assert outputs(made) == [tmp_path / "slurm-100_2.out"]
    # As some versions say where the user gave no name.
    made = job(tmp_path, f"{tmp_path}/slurm-103.out", "100_2", number="103")
    assert outputs(made) == [tmp_path / "slurm-100_2.out"]
    assert outputs(job(tmp_path, "", "100_2", number="103")) == [tmp_path / "slurm-100_2.out"]


def test_files_of_every_rank_and_node_are_found(tmp_path: Path) -> None:
    for name in ("run-7-gpu01-0.log", "run-7-gpu02-1.log", "run-8-gpu01-0.log"):
        (tmp_path / name).touch()
    found = outputs(job(tmp_path, "run-%j-%N-%t.log", "7"))
    assert [path.name for path in found] == ["run-7-gpu01-0.log", "run-7-gpu02-1.log"]


def test_standard_error_comes_second_and_a_file_of_both_once(tmp_path: Path) -> None:
    (tmp_path / "a.out").touch()
    (tmp_path / "a.err").touch()
    assert outputs(job(tmp_path, "a.out", stderr="a.err")) == [
        tmp_path / "a.out",
        tmp_path / "a.err",
    ]
    assert outputs(job(tmp_path, "a.out", stderr="a.out")) == [tmp_path / "a.out"]


@pytest.mark.parametrize("stdout", ["", "/dev/null", "missing-%j.out", "no/such/%t.out", "\0"])
def test_what_is_not_there_is_not_given(tmp_path: Path, stdout: str) -> None:
    assert outputs(job(tmp_path, stdout)) == []
