from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.monitor import Monitor
from lossmon.types import RunState


def table(path: Path, steps: range) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{step},{step // 50},{3 / (1 + step / 50):.5f}\n" for step in steps]
    path.write_text("step,epoch,train_loss\n" + "".join(lines))


def text(path: Path, steps: range) -> None:
    path.write_text("".join(f"step {step} loss {3 / (1 + step / 50):.5f}\n" for step in steps))


@pytest.mark.parametrize("first", [80, 100, 105], ids=["overlap", "meets", "one on"])
def test_a_version_that_goes_on_from_the_one_before_is_one_run(tmp_path: Path, first: int) -> None:
    logs = tmp_path / "lightning_logs"
    table(logs / "version_0" / "metrics.csv", range(5, 101, 5))
    table(logs / "version_1" / "metrics.csv", range(first, 201, 5))
    (run,) = Monitor([tmp_path]).drain().runs
    assert run.path == logs / "version_1"
    assert run.train_loss is not None
    assert run.train_loss.steps.tolist() == list(range(5, 201, 5))
    assert run.restarts == ((first,) if first <= 100 else ())


def test_a_version_that_begins_at_the_beginning_is_a_run_of_its_own(tmp_path: Path) -> None:
    for version in (0, 1, 2):
        table(tmp_path / f"version_{version}" / "metrics.csv", range(5, 101, 5))
    assert len(Monitor([tmp_path]).drain().runs) == 3


def test_a_chain_of_jobs_is_one_run(tmp_path: Path) -> None:
    for job, start in ((99, 0), (100, 40), (101, 90)):
        text(tmp_path / f"slurm-{job}.out", range(start, start + 60))
    (run,) = Monitor([tmp_path]).drain().runs
    assert run.train_loss is not None
    assert run.train_loss.steps.tolist() == list(range(150))
    assert run.restarts == (40, 90)


def test_a_resumption_that_is_watched_joins_what_it_continues(tmp_path: Path) -> None:
    table(tmp_path / "version_0" / "metrics.csv", range(5, 101, 5))
    monitor = Monitor([tmp_path])
    assert len(monitor.drain().runs) == 1
    for end in (110, 150, 205):
        table(tmp_path / "version_1" / "metrics.csv", range(100, end, 5))
        monitor.rescan()
        (run,) = monitor.drain().runs
        assert run.train_loss is not None and run.train_loss.n == (end - 5) // 5


def test_a_log_beside_a_resumed_run_belongs_to_it(tmp_path: Path) -> None:
    text(tmp_path / "train.log", range(0, 200, 5))
    table(tmp_path / "lightning_logs" / "version_0" / "metrics.csv", range(5, 101, 5))
    table(tmp_path / "lightning_logs" / "version_1" / "metrics.csv", range(100, 201, 5))
    (run,) = Monitor([tmp_path]).drain().runs
    assert run.log


def test_a_crash_before_the_resumption_is_past(tmp_path: Path) -> None:
    text(tmp_path / "slurm-99.out", range(50))
    crash = "Traceback (most recent call last):\n  File 'a.py', line 1\nRuntimeError: boom\n"
    with (tmp_path / "slurm-99.out").open("a") as log:
        log.write(crash)
    (run,) = Monitor([tmp_path]).drain().runs
    assert (run.state, run.state_reason) == (RunState.FAILED, "RuntimeError: boom")
    text(tmp_path / "slurm-100.out", range(40, 60))
    (run,) = Monitor([tmp_path]).drain().runs
    assert run.state is RunState.RUNNING
