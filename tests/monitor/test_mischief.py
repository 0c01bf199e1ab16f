"""What happens to files while they are watched."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lossmon.monitor import Monitor
from lossmon.types import RunSnapshot, Snapshot
from tests.monitor.logs import append, falling, record


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """A log that is written and looked at."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.directory.mkdir()
        self.log = directory / "trainer_log.jsonl"
        self.clock = Clock()
        self.monitor = Monitor([directory], clock=self.clock)

    def write(self, start: int, stop: int) -> None:
        append(self.log, falling(start, stop))

    def all(self) -> Snapshot:
        self.monitor.rescan()
        return self.monitor.drain()

    def look(self) -> RunSnapshot:
        (run,) = self.all().runs
        return run

    def steps(self) -> list[int]:
        run = self.look()
        assert run.train_loss is not None
        return [int(step) for step in run.train_loss.steps]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path / "output")
    watched.write(1, 31)
    assert watched.steps() == list(range(1, 31))
    yield watched
    if watched.directory.is_dir():
        watched.directory.chmod(0o755)


def test_a_log_that_is_cut_and_written_again_shows_the_new_points(watched: Watched) -> None:
    watched.log.write_text("")
    watched.write(1, 5)
    assert watched.steps() == [1, 2, 3, 4]
    watched.write(5, 9)
    assert watched.steps() == list(range(1, 9))


def test_an_emptied_log_keeps_its_curve(watched: Watched) -> None:
    watched.log.write_text("")
    assert watched.steps() == list(range(1, 31))


def test_a_log_that_is_cut_and_goes_on_keeps_its_past(watched: Watched) -> None:
    watched.log.write_text("")
    watched.write(31, 41)
    assert watched.steps() == list(range(1, 41))
    assert watched.look().restarts == ()


@pytest.mark.parametrize("looks", [True, False], ids=["seen between", "not seen between"])
def test_a_rotated_log_goes_on(tmp_path: Path, looks: bool) -> None:
    directory = tmp_path / "output"
    directory.mkdir()
    log, rotated = directory / "train.log", directory / "train.log.1"
    monitor = Monitor([directory])
    append(log, [f"step {step} loss {3 / step:.4f}\n" for step in range(1, 31)])
    monitor.drain()
    log.rename(rotated)
    if looks:
        monitor.rescan()
        monitor.drain()
    append(log, [f"step {step} loss {3 / step:.4f}\n" for step in range(31, 41)])
    monitor.rescan()
    (run,) = monitor.drain().runs
    assert run.train_loss is not None
    assert run.train_loss.steps.tolist() == list(range(1, 41))
    assert run.restarts == ()


def test_a_log_that_is_rewritten_in_place_is_read_again(watched: Watched) -> None:
    lines = [record(step, loss=9.0) for step in range(1, 31)]
    watched.log.write_text("".join(lines))
    run = watched.look()
    assert run.train_loss is not None
    assert run.train_loss.values.tolist() == [9.0] * 30
    assert run.restarts == ()


def test_a_deleted_log_keeps_its_curve_and_begins_anew(watched: Watched) -> None:
    watched.log.unlink()
    assert watched.steps() == list(range(1, 31))
    watched.write(1, 11)
    assert watched.steps() == list(range(1, 11))


def test_a_directory_that_is_deleted_and_made_again_is_followed(watched: Watched) -> None:
    shutil.rmtree(watched.directory)
    assert watched.steps() == list(range(1, 31))
    watched.directory.mkdir()
    watched.write(1, 8)
    assert watched.steps() == list(range(1, 8))


def test_a_log_that_may_not_be_read_says_so_until_it_may(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.write(31, 35)
    really_open = os.open

    def forbidden(path: str, *args: int) -> int:
        if str(path) == str(watched.log):
            raise PermissionError(13, "Permission denied")
        return really_open(path, *args)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", forbidden)
        run = watched.look()
        assert any("trainer_log.jsonl" in error and "denied" in error for error in run.errors)
        assert run.step == 30
    assert watched.steps() == list(range(1, 35))
    assert watched.look().errors == ()


@pytest.mark.parametrize("kind", ["directory", "fifo", "loop"])
def test_a_log_that_turns_into_something_else_keeps_its_curve(watched: Watched, kind: str) -> None:
    watched.log.unlink()
    if kind == "directory":
        watched.log.mkdir()
    elif kind == "fifo":
        os.mkfifo(watched.log)
    else:
        watched.log.symlink_to(watched.log)
    assert watched.steps() == list(range(1, 31))
    if kind == "directory":
        watched.log.rmdir()
    else:
        watched.log.unlink()
    watched.write(1, 5)
    assert watched.steps() == [1, 2, 3, 4]


def test_half_a_line_of_a_full_disk_is_mended_by_the_next(watched: Watched) -> None:
    with watched.log.open("a") as file:
        file.write(record(31, loss=0.5)[:20])
    assert watched.steps() == list(range(1, 31))
    with watched.log.open("a") as file:
        file.write("\n")
    watched.write(32, 41)
    assert watched.steps() == [*range(1, 31), *range(32, 41)]
    assert watched.look().errors == ()


def test_a_clock_that_goes_back_upsets_nothing(watched: Watched) -> None:
    for back in (3600.0, 86400.0):
        watched.clock.now -= back
        watched.write(31, 33) if back == 3600.0 else watched.write(33, 36)
        run = watched.look()
        assert run.train_loss is not None
        assert run.remaining is None or run.remaining >= 0
        assert run.restarts == ()
    assert watched.steps() == list(range(1, 36))


def test_a_file_from_the_future_is_followed(watched: Watched) -> None:
    future = watched.clock.now + 1e9
    os.utime(watched.log, (future, future))
    watched.write(31, 36)
    os.utime(watched.log, (future, future))
    assert watched.steps() == list(range(1, 36))


def test_runs_that_appear_later_stand_beside_the_first(tmp_path: Path) -> None:
    root = tmp_path / "outputs"
    root.mkdir()
    monitor = Monitor([root])
    for number, name in enumerate(("a", "b", "c"), start=1):
        (root / name).mkdir()
        append(root / name / "trainer_log.jsonl", falling(1, 10 * number))
        monitor.rescan()
        runs = monitor.drain().runs
        assert [run.step for run in runs] == [10 * n - 1 for n in range(1, number + 1)]
    assert [run.name for run in runs] == ["a", "b", "c"]


def test_a_renamed_run_goes_on_under_its_new_name(tmp_path: Path) -> None:
    root = tmp_path / "outputs"
    (root / "old").mkdir(parents=True)
    (root / "other").mkdir()
    append(root / "other" / "trainer_log.jsonl", falling(1, 5))
    append(root / "old" / "trainer_log.jsonl", falling(1, 21))
    monitor = Monitor([root])
    monitor.drain()
    (root / "old").rename(root / "new")
    append(root / "new" / "trainer_log.jsonl", falling(21, 31))
    monitor.rescan()
    runs = {run.name: run for run in monitor.drain().runs}
    assert set(runs) == {"new", "other"}
    assert runs["new"].step == 30


def test_values_stay_finite_numbers_after_any_mischief(watched: Watched) -> None:
    watched.log.write_bytes(b"\x00" * 4096)
    run = watched.look()
    watched.log.write_text("")
    watched.write(1, 6)
    run = watched.look()
    assert run.train_loss is not None
    assert np.isfinite(run.train_loss.values).all()
    assert run.train_loss.steps.tolist() == [1, 2, 3, 4, 5]


def test_a_corrupt_log_that_is_replaced_shows_each_point_once(tmp_path: Path) -> None:
    directory = tmp_path / "output"
    directory.mkdir()
    state = directory / "trainer_state.json"
    state.write_text("{" * 100_000)
    monitor = Monitor([directory])
    monitor.drain()
    log = [{"step": step, "loss": 1 / step} for step in (1, 2, 3)]
    fresh = directory / "fresh"
    fresh.write_text(json.dumps({"global_step": 3, "max_steps": 9, "log_history": log}))
    for _ in range(2):
        shutil.copy(fresh, state)
        monitor.rescan()
        (run,) = monitor.drain().runs
        assert run.train_loss is not None and run.train_loss.n == 3
        assert (run.restarts, run.errors) == ((), ())
