"""Whose turn it is to be judged."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from lossmon.monitor import Monitor
from lossmon.monitor.scheduler import Scheduler
from lossmon.types import UNJUDGED


class Run:
    """A run that needs some slices of judging, each of which takes a moment."""

    def __init__(self, name: str, slices: int, log: list[str], **what: object) -> None:
        self.path = Path(name)
        self.slices, self._log = slices, log
        self.is_live = bool(what.get("live"))
        self.written = int(str(what.get("written", 0)))

    @property
    def awaits_judgement(self) -> bool:
        return self.slices > 0

    def judge(self, deadline: float) -> None:
        self.slices -= 1
        self._log.append(self.path.name)


def late() -> float:
    """A deadline that has passed."""
    return time.monotonic() - 1


def test_however_late_it_is_one_run_has_its_turn() -> None:
    log: list[str] = []
    turns, runs = Scheduler(), [Run("a", 1, log), Run("b", 1, log)]
    turns.judge(runs, late())
    assert log == ["a"]
    turns.judge(runs, late())
    assert log == ["a", "b"]


def test_what_is_looked_at_and_what_is_alive_comes_first_then_the_newest() -> None:
    log: list[str] = []
    runs = [
        Run("old", 1, log, written=1),
        Run("new", 1, log, written=2),
        Run("live", 1, log, written=0, live=True),
        Run("seen", 1, log, written=1),
    ]
    turns = Scheduler()
    turns.prioritised = (Path("seen"),)
    turns.judge(runs, math.inf)
    assert log == ["seen", "live", "new", "old"]


def test_a_run_that_takes_long_holds_up_no_other() -> None:
    log: list[str] = []
    runs = [Run("long", 50, log, written=2), Run("a", 1, log), Run("b", 1, log)]
    turns = Scheduler()
    for _ in range(3):
        turns.judge(runs, late())
    assert log == ["long", "a", "b"]


def test_without_a_deadline_all_is_judged() -> None:
    log: list[str] = []
    runs = [Run("a", 3, log), Run("b", 2, log)]
    Scheduler().judge(runs, math.inf)
    assert sorted(log) == ["a"] * 3 + ["b"] * 2


def test_a_run_without_new_points_is_asked_too_for_its_plan_may_have_changed() -> None:
    log: list[str] = []
    Scheduler().judge([Run("quiet", 0, log), Run("a", 1, log)], math.inf)
    assert log == ["a", "quiet"]


def test_the_run_that_is_prioritised_is_judged_first(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
        write(tmp_path / name / "trainer_log.jsonl", 300)
    monitor = Monitor([tmp_path])
    while not all(run.step == 300 for run in monitor.poll(1.0, judge=False).runs):
        continue
    monitor.prioritise((tmp_path / "b",))
    judged = {run.name for run in monitor.poll(0.0).runs if run.diagnosis is not UNJUDGED}
    assert judged == {"b"}
    assert all(run.diagnosis is not UNJUDGED for run in monitor.drain().runs)


def write(path: Path, steps: int) -> None:
    lines = (
        f'{{"current_steps": {step}, "total_steps": {steps}, "loss": {1 + 9 / step}}}\n'
        for step in range(1, steps + 1)
    )
    path.write_text("".join(lines))


def test_an_order_is_kept_for_a_while_unless_other_runs_come_into_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lossmon.monitor.scheduler.RANKING", math.inf)
    log: list[str] = []
    turns, runs = Scheduler(), [Run(name, 1, log) for name in "abc"]
    turns.judge(runs, late())
    runs.append(Run("seen", 1, log, written=1))
    turns.judge(runs, late())
    turns.prioritised = (Path("seen"),)
    turns.judge(runs, math.inf)
    assert log[:3] == ["a", "b", "seen"]


def test_an_order_that_took_long_is_kept_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    now = 0.0

    class Slow(Run):
        @property
        def awaits_judgement(self) -> bool:
            nonlocal now
            now += 1.0
            return super().awaits_judgement

    monkeypatch.setattr("lossmon.monitor.scheduler.time.monotonic", lambda: now)
    turns, runs = Scheduler(), [Slow(name, 1, log) for name in "abc"]
    turns.judge(runs, -1.0)
    runs.append(Slow("late", 1, log, written=1))
    for _ in range(3):
        turns.judge(runs, -1.0)
    assert log == ["a", "b", "c", "late"]
