"""A file system that does not answer: polls return all the same, and name it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lossmon.commands.arguments.sources import patient
from lossmon.filesystems import silent_mounts
from lossmon.monitor import LocalSource
from lossmon.monitor.patient_source import PatientSource
from lossmon.types import Snapshot
from tests.services.program import wait_until


class HangingSource(LocalSource):
    """A source whose polls wait for as long as a test wants."""

    def __init__(self, path: Path) -> None:
        super().__init__([path], hardware=False)
        self.answers = threading.Event()
        self.answers.set()
        self.fault: Exception | None = None

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        self.answers.wait(60)
        if self.fault is not None:
            raise self.fault
        return super().poll(budget, judge=judge)


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[HangingSource]:
    (tmp_path / "train.jsonl").write_text('{"step": 1, "loss": 2.5}\n')
    source = HangingSource(tmp_path)
    yield source
    source.answers.set()


def test_a_mount_that_hangs_is_named_and_the_runs_stay(hanging: HangingSource) -> None:
    source = PatientSource(hanging, "/mnt/runs (nfs4)", patience=0.05)
    wait_until(lambda: not source.poll(60.0).busy, "the run")
    before = source.poll(60.0)
    assert before is source.poll(60.0) and before.notes == ()
    hanging.answers.clear()
    late = source.poll(0.0)
    assert late.runs == before.runs and len(late.runs) == 1
    assert late.notes[0].startswith("/mnt/runs (nfs4) has not answered since ")
    assert source.poll(0.0) is late
    source.changed.clear()
    hanging.answers.set()
    assert source.changed.wait(30), "that it answers again is news"
    assert source.poll(60.0).notes == ()
    source.stop()


def test_a_mount_that_hangs_from_the_start_gives_an_empty_picture(hanging: HangingSource) -> None:
    hanging.answers.clear()
    source = PatientSource(hanging, "/mnt/runs (nfs4)", patience=0.05)
    late = source.poll(0.0)
    assert (late.runs, late.waiting_for) == ((), "/mnt/runs (nfs4)") and late.notes
    source.stop()


def test_an_error_of_a_poll_is_raised(hanging: HangingSource) -> None:
    hanging.fault = RuntimeError("broken")
    source = PatientSource(hanging, "/mnt/runs (nfs4)")
    with pytest.raises(RuntimeError, match="broken"):
        source.poll(1.0)
    hanging.fault = None
    assert source.poll(1.0).runs
    source.stop()


def test_only_network_file_systems_need_patience(
    hanging: HangingSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(f"1 0 8:1 / / rw - ext4 a rw\n2 1 0:9 / {tmp_path}/runs rw - nfs4 b rw\n")
    mounts = partial(silent_mounts, mounts=table)
    monkeypatch.setattr("lossmon.commands.arguments.sources.silent_mounts", mounts)
    assert patient(hanging, [Path("/usr")]) is hanging
    found = patient(hanging, [Path("/usr"), tmp_path])
    assert isinstance(found, PatientSource), "of what is mounted below as well"


def test_it_begins_without_a_poll_where_nothing_is_known_to_hang(
    hanging: HangingSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    monkeypatch.setattr(hanging, "begin", begun.set)
    source = PatientSource(hanging, "/mnt/runs (nfs4)")
    source.begin()
    assert begun.wait(30)
    source.stop()
