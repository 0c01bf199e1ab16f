"""Work that is given up where a network file system stalls it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.filesystems import Mount
from lossmon.monitor import stalled_reads
from lossmon.monitor.stalled_reads import FileSystemStalled, unless_stalled


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Everything is on a network file system; what waits for this waits for that system."""
    monkeypatch.setattr(stalled_reads, "silent_mounts", lambda paths: (Mount("/mnt/a", "nfs4"),))
    monkeypatch.setattr(stalled_reads, "PATIENCE", 0.1)
    monkeypatch.setattr(stalled_reads, "EVERY", 0.02)
    answers = threading.Event()
    yield answers
    answers.set()


def test_what_gets_no_further_is_given_up_with_the_name_of_the_mount(
    answers: threading.Event,
) -> None:
    with pytest.raises(FileSystemStalled, match=r"/mnt/a \(nfs4\) has not answered for 0.1 s"):
        unless_stalled(answers.wait, [Path("run")])


@pytest.mark.usefixtures("answers")
def test_work_that_gets_on_may_take_as_long_as_it_takes() -> None:
    def work() -> int:
        pauses = threading.Event()
        return sum(not pauses.wait(0.005) for _ in range(60))

    assert unless_stalled(work, [Path("run")]) == 60


@pytest.mark.usefixtures("answers")
def test_an_error_of_the_work_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        unless_stalled(lambda: 1 / 0, [Path("run")])


def test_on_a_local_disk_no_thread_is_made(tmp_path: Path) -> None:
    assert unless_stalled(threading.current_thread, [tmp_path]) is threading.current_thread()
