"""A monitor that follows runs for long: what came and went leaves nothing behind."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import psutil
import pytest

from lossmon.monitor import UNLIMITED, Monitor, MonitorConfig
from lossmon.monitor.runs.diagnosis_feed import DiagnosisFeed
from tests.monitor.logs import append, falling

ROUNDS = 12
"""Rounds of which each is a day: new logs, a new run, an old run removed."""


def test_descriptors_and_threads_stay_as_runs_and_logs_come_and_go(tmp_path: Path) -> None:
    monitor, process = Monitor([tmp_path]), psutil.Process()
    held: list[tuple[int, int]] = []
    for day in range(ROUNDS):
        run = tmp_path / f"run-{day:02}"
        run.mkdir()
        append(run / "trainer_log.jsonl", falling(1, 30))
        (run / "metrics.csv").write_text("step,loss\n1,2.0\n2,1.5\n")
        (run / f"train-{day}.log").write_text("step 1 loss 2.0\nstep 2 loss 1.5\n")
        shutil.rmtree(tmp_path / f"run-{day - 3:02}", ignore_errors=True)
        monitor.rescan()
        while monitor.poll(1.0).busy:
            continue
        held.append((process.num_fds(), threading.active_count()))
    assert [held[3]] * (ROUNDS - 3) == held[3:]


def test_the_memory_of_a_run_stays_within_its_budget(tmp_path: Path) -> None:
    log, budget = tmp_path / "trainer_log.jsonl", 1 << 19
    monitor = Monitor([tmp_path], MonitorConfig(memory_budget=budget))
    sizes = []
    for part in range(6):
        append(log, falling(1 + part * 5_000, 1 + (part + 1) * 5_000, 10**6))
        (run,) = monitor.drain().runs
        sizes.append(sum(one.values.nbytes for one in run.series))
    assert run.step == 30_000
    assert max(sizes[2:]) < budget


@pytest.mark.parametrize("fails", [False, True])
def test_a_log_that_grows_faster_than_it_is_judged_stays_within_the_budget_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    log, budget = tmp_path / "trainer_log.jsonl", 1 << 19
    monitor = Monitor([tmp_path], MonitorConfig(memory_budget=budget))
    append(log, falling(1, 100, 10**6))
    monitor.drain()

    def slow(feed: DiagnosisFeed, facts: object, deadline: float) -> bool:
        if fails and not feed.error:
            raise ValueError("no verdict")
        return False

    with monkeypatch.context() as patch:
        patch.setattr(DiagnosisFeed, "update", slow)
        # Every poll reads what is new, also on a busy machine, where the lines would add up.
        patch.setattr("lossmon.monitor.monitor.LOOK_SHARE", 0.0)
        for part in range(12):
            append(log, falling(100 + part * 2_000, 2_100 + part * 2_000, 10**6))
            monitor.poll(0.02)
            (run,) = monitor.poll(0.02).runs
            assert sum(one.values.nbytes for one in run.series) < budget
    (run,) = monitor.drain().runs
    assert run.step == 24_099


def test_series_that_no_verdict_needs_are_thinned_while_a_log_is_read(tmp_path: Path) -> None:
    with (tmp_path / "metrics.jsonl").open("w") as log:
        for step in range(20_000):
            norms = "".join(f', "norm/{number}": {step * number % 977}.5' for number in range(8))
            log.write(f'{{"step": {step}, "loss": {2 / (step + 1)}{norms}}}\n')
    whole, thinned = (
        Monitor([tmp_path], MonitorConfig(memory_budget=budget)) for budget in (UNLIMITED, 1 << 20)
    )
    (expected,), (run,) = whole.drain().runs, thinned.drain().runs
    assert run.diagnosis == expected.diagnosis
    assert sum(map(len, run.series)) < sum(map(len, expected.series)) / 4
    for ours, theirs in zip(run.series, expected.series, strict=True):
        assert ours.tag == theirs.tag
        for name in ("n", "last", "minimum", "min_step", "maximum", "max_step", "last_step"):
            assert getattr(ours, name) == getattr(theirs, name)


def test_a_run_is_read_again_where_a_source_of_which_a_sample_was_kept_leads(
    tmp_path: Path,
) -> None:
    append(tmp_path / "trainer_log.jsonl", falling(1, 9_001))
    rows = [f"{step},{2 / step}\n" for step in range(1, 19_001)]
    table = tmp_path / "metrics.csv"
    table.write_text("".join(["step,loss\n", *rows[:9_000]]))
    monitor = Monitor([tmp_path])
    (run,) = monitor.drain().runs
    assert run.train_loss is not None
    assert (run.train_loss.source, run.train_loss.n) == ("llamafactory", 9_000)
    with table.open("a") as file:
        file.writelines(rows[9_000:])
    (run,) = monitor.drain().runs
    assert run.train_loss is not None
    assert (run.train_loss.source, run.train_loss.n) == ("csv", 19_000)
    assert len(run.train_loss.steps) == 19_000
