"""VerdictWait for a verdict, on logs that grow while they are followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.reports.wait import VerdictWait, condition, essence
from lossmon.types import RunState
from tests.monitor.logs import append, falling, record
from tests.reports.test_record import snapshot


def waiting(path: Path, until: str | None, timeout: float | None = 60.0) -> VerdictWait:
    return VerdictWait([path], Config(), until, timeout)


def test_it_ends_as_soon_as_every_run_has_ended(tmp_path: Path) -> None:
    log = tmp_path / "trainer_log.jsonl"
    append(log, falling(1, 51))
    one = waiting(tmp_path, "finished")
    states = []
    for run in one.changes():
        states.append(run.state)
        append(log, falling(51, 101))
    assert states == [RunState.RUNNING, RunState.FINISHED]
    assert one.reached


def test_it_ends_with_the_verdict_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "trainer_log.jsonl"
    append(log, falling(1, 51))
    one = waiting(tmp_path, "non_finite")
    codes = []
    for run in one.changes():
        codes.append(run.diagnosis.verdict.code)
        append(log, [record(step, loss=float("nan")) for step in range(51, 60)])
    assert codes == ["healthy", "non_finite"]
    assert one.reached


def test_a_verdict_that_cannot_come_any_more_is_not_waited_for(tmp_path: Path) -> None:
    append(tmp_path / "trainer_log.jsonl", falling(1, 101))
    one = waiting(tmp_path, "diverging", None)
    assert [run.state for run in one.changes()] == [RunState.FINISHED]
    assert not one.reached


def test_it_gives_up_when_the_time_is_over(tmp_path: Path) -> None:
    append(tmp_path / "trainer_log.jsonl", falling(1, 51))
    one = waiting(tmp_path, "finished", 0.05)
    assert len(list(one.changes())) <= 1
    assert not one.reached


def test_a_directory_that_is_empty_is_waited_for(tmp_path: Path) -> None:
    assert list(waiting(tmp_path, "finished", 0.0).changes()) == []


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ConfigError, match="--until sunrise: use finished, warming_up"):
        condition("sunrise")


def test_a_step_is_no_change_and_a_state_is() -> None:
    run = snapshot()
    assert essence(run) == essence(snapshot(step=31))
    assert essence(run) != essence(snapshot(state=RunState.FINISHED))
