"""One training that several loggers write is one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.monitor import Monitor
from tests.readers.tensorboard.event_files import recorded, scalar


def value(step: int) -> float:
    return 3 / (1 + step / 50)


def events(directory: Path, steps: range, lowered: float = 0.0) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    logged = [scalar("train_loss", step, value(step) - lowered) for step in steps]
    (directory / "events.out.tfevents.1700000000.host.1.0").write_bytes(recorded(*logged))


def table(directory: Path, steps: range) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    lines = [f"{step},{step // 50},{value(step)}\n" for step in steps]
    (directory / "metrics.csv").write_text("step,epoch,train_loss\n" + "".join(lines))


def test_loggers_that_number_by_themselves_are_one_run_while_it_grows(tmp_path: Path) -> None:
    logs = tmp_path / "lightning_logs"
    monitor = Monitor([tmp_path])
    for end, expected in ((11, 2), (41, 1), (101, 1)):
        events(logs / "version_0", range(5, end, 5))
        table(logs / "version_1", range(5, max(11, end - 20), 5))
        monitor.rescan()
        runs = monitor.drain().runs
        assert len(runs) == expected
    (run,) = runs
    assert run.path == logs / "version_0"
    assert run.sources == ("tensorboard", "lightning")
    assert run.train_loss is not None and run.train_loss.n == 20


def test_a_text_log_with_rounded_values_one_step_on_belongs_to_its_run(tmp_path: Path) -> None:
    for number in (0, 1):
        events(tmp_path / "logs" / f"version_{number}", range(4, 100, 5), lowered=number / 10)
    lines = [f"step {step + 1} train_loss {value(step):.3f}\n" for step in range(4, 100, 5)]
    (tmp_path / "train.log").write_text("".join(lines))
    first, second = Monitor([tmp_path]).drain().runs
    assert (first.sources, second.sources) == (("tensorboard", "text"), ("tensorboard",))


@pytest.mark.parametrize("lowered", [0.01, 1.0])
def test_two_trainings_of_two_loggers_stay_two_runs(tmp_path: Path, lowered: float) -> None:
    events(tmp_path / "version_0", range(5, 101, 5), lowered)
    table(tmp_path / "version_1", range(5, 101, 5))
    assert len(Monitor([tmp_path]).drain().runs) == 2


def test_a_log_that_holds_the_end_alone_belongs_to_the_run_that_ended_so(tmp_path: Path) -> None:
    for number in (0, 1):
        logged = [scalar("train_loss", step, value(step) - number / 10) for step in range(100)]
        logged += [scalar("val_loss", 99, 0.5 + number / 10)]
        directory = tmp_path / "logs" / f"version_{number}"
        directory.mkdir(parents=True)
        (directory / "events.out.tfevents.1700000000.host.1.0").write_bytes(recorded(*logged))
    end = f"step 100 train_loss {value(99) - 0.1:.3f} val_loss 0.600\n"
    (tmp_path / "train.log").write_text(end)
    first, second = Monitor([tmp_path]).drain().runs
    assert (first.sources, second.sources) == (("tensorboard",), ("tensorboard", "text"))
