"""The bell rings for every change that matters, and for nothing that we do ourselves."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon import watch as watch_module
from lossmon.filesystems import file_system, is_silent
from lossmon.watch import Watch

LONG = 10.0
"""Seconds after which a bell that should ring is given up."""

SILENCE = 0.3
"""Seconds in which a bell that must not ring had time to."""


@pytest.fixture
def bell() -> threading.Event:
    return threading.Event()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "POLL", 0.01)
    monkeypatch.setattr(watch_module, "POLL_SHARE", 1.0)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    path.write_text("begin\n")
    return path


@pytest.fixture
def watch(tmp_path: Path, log: Path, bell: threading.Event) -> Iterator[Watch]:
    with Watch([tmp_path], bell) as started:
        yield started


def append(path: Path, text: str = "more\n") -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_line_that_is_appended_rings(watch: Watch, bell: threading.Event, log: Path) -> None:
    append(log)
    assert bell.wait(LONG)
    assert watch.notes == ()


def test_a_new_file_rings(watch: Watch, bell: threading.Event, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("a\n")
    assert bell.wait(LONG)


def test_a_new_directory_rings(watch: Watch, bell: threading.Event, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    assert bell.wait(LONG)


def test_a_file_moved_into_place_rings(watch: Watch, bell: threading.Event, log: Path) -> None:
    other = log.parent.parent / f"{log.parent.name}.tmp"
    other.write_text("new\n")
    other.rename(log)
    assert bell.wait(LONG)


def test_reading_does_not_ring(watch: Watch, bell: threading.Event, log: Path) -> None:
    for _ in range(20):
        log.read_text()
        list(log.parent.iterdir())
    assert not bell.wait(SILENCE)


def test_writing_weights_does_not_ring(watch: Watch, bell: threading.Event, tmp_path: Path) -> None:
    for _ in range(20):
        append(tmp_path / "model.safetensors")
    assert not bell.wait(SILENCE)


def test_files_in_directories_below_ring_once_they_are_named(
    watch: Watch, bell: threading.Event, tmp_path: Path
) -> None:
    events = tmp_path / "runs" / "tb" / "events.out.tfevents.1.vm"
    events.parent.mkdir(parents=True)
    events.write_text("")
    watch.update([events])
    assert bell.wait(LONG)
    bell.clear()
    append(events)
    assert bell.wait(LONG)


def test_a_single_file_can_be_watched(log: Path, bell: threading.Event) -> None:
    with Watch([log], bell):
        append(log)
        assert bell.wait(LONG)


@pytest.mark.usefixtures("quick")
def test_a_root_that_does_not_exist_yet_is_waited_for(
    tmp_path: Path, bell: threading.Event
) -> None:
    root = tmp_path / "output"
    with Watch([root], bell) as watch:
        assert watch.notes == (f"waiting for {root}",)
        root.mkdir()
        assert bell.wait(LONG)
        assert watch.notes == ()
        bell.clear()
        append(root / "train.log")
        assert bell.wait(LONG)


def test_a_directory_made_anew_is_watched_anew(
    watch: Watch, bell: threading.Event, tmp_path: Path
) -> None:
    inner = tmp_path / "a"
    inner.mkdir()
    watch.update([inner / "m.csv"])
    inner.rmdir()
    inner.mkdir()
    assert bell.wait(LONG)
    end = time.monotonic() + LONG
    rang = False
    while not rang and time.monotonic() < end:
        watch.update([inner / "m.csv"])
        bell.clear()
        append(inner / "m.csv")
        rang = bell.wait(0.05)
    assert rang


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "polling: no inotify watches left"),
        (OSError(errno.EMFILE, "Too many open files"), "polling: no inotify instances left"),
        (RuntimeError("can't start new thread"), "polling: no thread left"),
    ],
    ids=str,
)
def test_polling_takes_over_where_nothing_is_left_for_events(
    error: Exception,
    said: str,
    log: Path,
    bell: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: Watch, directory: str) -> None:
        raise error

    monkeypatch.setattr(Watch, "_schedule", refuse)
    with Watch([log], bell) as watch:
        (note,) = watch.notes
        assert said in note
        append(log)
        assert bell.wait(LONG)


@pytest.mark.usefixtures("quick")
def test_a_network_file_system_is_polled(
    log: Path, bell: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "file_system", lambda path: "nfs4")
    with Watch([log.parent], bell) as watch:
        watch.update([log])
        assert watch.notes == ("polling: network file system (nfs4)",)
        append(log)
        assert bell.wait(LONG)


@pytest.mark.usefixtures("quick")
def test_a_quiet_file_is_looked_at_rarely_and_still_rings(
    log: Path, bell: threading.Event, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "is_silent", lambda kind: True)
    old = time.time() - 2 * watch_module.QUIET
    for path in (log, log.parent):
        os.utime(path, (old, old))
    looks = 0
    status = watch_module._status

    def counted(path: str) -> object:
        nonlocal looks
        looks += path == str(log)
        return status(path)

    with Watch([log], bell) as watch:
        watch.update([log])
        monkeypatch.setattr(watch_module, "_status", counted)
        monkeypatch.setattr(watch_module, "QUIET_TURNS", 1 << 30)
        threading.Event().wait(SILENCE)
        assert looks <= 1
        monkeypatch.setattr(watch_module, "QUIET_TURNS", 2)
        bell.clear()
        with log.open("a") as file:
            file.write("step 2\n")
        assert bell.wait(LONG)


def test_a_thousand_runs_take_a_handful_of_watches(tmp_path: Path, bell: threading.Event) -> None:
    files = [tmp_path / f"run{number}" / "m.csv" for number in range(200)]
    for file in files:
        file.parent.mkdir()
        append(file)
    before = threading.active_count()
    with Watch([tmp_path], bell) as watch:
        watch.update(files)
        assert threading.active_count() - before <= watch_module.MOST_WATCHES * 2 + 3
        assert "directories to watch" in watch.notes[0]
        for file in (files[0], files[-1]):
            bell.clear()
            append(file)
            assert bell.wait(LONG)


def test_a_paused_watch_has_no_thread_per_directory_and_rings_when_it_resumes(
    watch: Watch, bell: threading.Event, log: Path
) -> None:
    threads = threading.active_count()
    watch.pause()
    assert threading.active_count() < threads
    append(log)
    watch.update([log])
    assert threading.active_count() < threads
    watch.resume()
    assert bell.is_set()
    bell.clear()
    append(log)
    assert bell.wait(LONG)


def test_nothing_that_watchdog_logs_reaches_the_terminal(tmp_path: Path) -> None:
    code = """if True:
        import logging, sys, threading
        from pathlib import Path
        from lossmon.watch import Watch
        with Watch([Path(sys.argv[1])], threading.Event()):
            logging.getLogger("watchdog.observers.inotify").error("the thread is inactive")
    """
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_stopping_is_quick_and_may_be_repeated(tmp_path: Path, bell: threading.Event) -> None:
    watch = Watch([tmp_path, tmp_path / "missing"], bell)
    watch.start()
    watch.start()
    watch.stop()
    watch.stop()
    watch.start()
    append(tmp_path / "train.log")
    assert not bell.wait(SILENCE)


def test_a_watch_that_was_never_started_can_be_stopped(bell: threading.Event) -> None:
    Watch([Path()], bell).stop()


def test_importing_it_does_not_import_watchdog() -> None:
    code = "import sys, lossmon.watch; sys.exit('watchdog' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


MOUNTINFO = """\
22 27 0:21 / / rw,relatime - ext4 /dev/sda1 rw
30 27 0:30 / /home rw shared:1 - nfs4 server:/home rw
31 27 0:31 / /home/me/my\\040data rw - fuse.sshfs me@host:/ rw
32 27 0:32 / /scratch rw - lustre mgs@tcp:/fs rw
33 27 0:33 / /scratch/local rw - xfs /dev/nvme0n1 rw
34 27 0:34 / /over rw - tmpfs tmpfs rw
35 27 0:35 / /over rw - overlay overlay rw
"""


@pytest.mark.parametrize(
    ("path", "kind", "silent"),
    [
        ("/data/run", "ext4", False),
        ("/home/me/output", "nfs4", True),
        ("/homeless", "ext4", False),
        ("/home/me/my data/run", "fuse.sshfs", True),
        ("/scratch/run", "lustre", True),
        ("/scratch/local/run", "xfs", False),
        ("/over/run", "overlay", False),
    ],
)
def test_the_file_system_of_a_path_is_known(
    tmp_path: Path, path: str, kind: str, silent: bool
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTINFO)
    assert file_system(Path(path), table) == kind
    assert is_silent(kind) is silent


def test_where_mounts_are_not_listed_the_file_system_is_unknown(tmp_path: Path) -> None:
    assert file_system(tmp_path, tmp_path / "missing") == ""
    assert not is_silent("")
