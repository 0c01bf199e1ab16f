"""Early stopping by a file and by a signal to a real process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.alerts.early_stop import (
    EarlyStop,
    ProcessGone,
    StopRule,
    TargetProcess,
    make_stop_file,
    signal_of,
)
from lossmon.errors import ConfigError
from lossmon.types import RunSnapshot, RunState, Severity, Snapshot
from tests.alerts.runs import FakeClock, change, finding, run

SLEEPER = "import signal, sys; print('ready', flush=True); signal.pause()"


def overfitting(evals: int, **changes: object) -> RunSnapshot:
    """A run whose verdict was shown at step 300, with an eval every hundred steps."""
    verdicts = (("healthy", 100), ("overfitting", 300))
    step = 300 + 100 * evals
    return run(*verdicts, step=step, evals=range(100, step + 1, 100), **changes)  # type: ignore[arg-type]


def confirms(rule: StopRule, snapshot: RunSnapshot) -> bool:
    series = snapshot.eval_loss or snapshot.train_loss
    assert series is not None
    return rule.confirms(snapshot.diagnosis, series.steps)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    yield started
    started.kill()
    started.wait()
    started.stdout.close()


@pytest.mark.parametrize("evals, confirmed", [(0, False), (2, False), (3, True), (4, True)])
def test_a_verdict_is_confirmed_by_evals(evals: int, confirmed: bool) -> None:
    assert confirms(StopRule(patience=3), overfitting(evals)) is confirmed


def test_without_evals_points_confirm() -> None:
    rule = StopRule(patience=3)
    assert not confirms(rule, run(("healthy", 1), ("non_finite", 50), step=52))
    assert confirms(rule, run(("healthy", 1), ("non_finite", 50), step=53))


def test_patience_begins_where_the_verdict_was_shown_not_where_its_cause_began() -> None:
    shown = overfitting(2)
    verdict = replace(shown.diagnosis.verdict, since_step=100)
    early = replace(shown, diagnosis=replace(shown.diagnosis, verdict=verdict))
    assert not confirms(StopRule(patience=3), early)


def test_no_patience_stops_at_once() -> None:
    assert confirms(StopRule(patience=0), overfitting(0))


def test_only_the_verdicts_that_were_chosen_stop() -> None:
    assert not confirms(StopRule(codes=("diverging",)), overfitting(9))


def test_a_verdict_that_got_worse_counts_from_when_it_was_first_shown() -> None:
    worse = overfitting(3)
    diagnosis = worse.diagnosis
    history = (*diagnosis.history, replace(change("overfitting", 600), severity=Severity.CRITICAL))
    assert confirms(
        StopRule(patience=3), replace(worse, diagnosis=replace(diagnosis, history=history))
    )


def test_a_verdict_that_came_back_counts_anew() -> None:
    history = (("overfitting", 300), ("healthy", 600), ("overfitting", 700))
    again = run(*history, step=900, evals=range(100, 901, 100))
    assert not confirms(StopRule(patience=3), again)


def test_a_notice_stops_nothing() -> None:
    snapshot = overfitting(9)
    mild = finding("overfitting", 300, Severity.NOTICE)
    diagnosis = replace(snapshot.diagnosis, verdict=mild)
    assert not confirms(StopRule(), replace(snapshot, diagnosis=diagnosis))


def test_the_file_is_made_once_and_said(tmp_path: Path) -> None:
    stop = EarlyStop(StopRule(), str(tmp_path / "STOP"), clock=FakeClock())
    assert list(stop.observe(Snapshot(runs=(overfitting(2),)))) == []
    (alert,) = stop.observe(Snapshot(runs=(overfitting(3),)))
    assert alert.code == "stopped"
    assert str(tmp_path / "STOP") in alert.text[0]
    assert json.loads((tmp_path / "STOP").read_text()) == {
        "code": "overfitting",
        "since_step": 300,
    }
    (tmp_path / "STOP").unlink()
    assert list(stop.observe(Snapshot(runs=(overfitting(4),)))) == []
    assert not (tmp_path / "STOP").exists()


def test_the_file_may_lie_in_the_directory_of_each_run(tmp_path: Path) -> None:
    runs = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        runs.append(overfitting(3, name=name, path=tmp_path / name))
    stop = EarlyStop(StopRule(), "{path}/STOP")
    assert len(list(stop.observe(Snapshot(runs=tuple(runs))))) == 2
    assert (tmp_path / "a" / "STOP").exists() and (tmp_path / "b" / "STOP").exists()


def test_one_file_for_several_living_runs_is_refused_once(tmp_path: Path) -> None:
    stop = EarlyStop(StopRule(), str(tmp_path / "STOP"))
    both = Snapshot(runs=(overfitting(3, name="a"), run(name="b")))
    (alert,) = stop.observe(both)
    assert alert.code == "not_stopped"
    assert "2 runs are alive" in alert.text[0]
    assert list(stop.observe(both)) == []
    over = replace(both.runs[1], state=RunState.FINISHED)
    (alert,) = stop.observe(Snapshot(runs=(both.runs[0], over)))
    assert alert.code == "stopped"


def test_a_run_that_has_ended_is_left_alone(tmp_path: Path) -> None:
    stop = EarlyStop(StopRule(), str(tmp_path / "STOP"))
    ended = overfitting(9, state=RunState.FINISHED)
    assert list(stop.observe(Snapshot(runs=(ended,)))) == []


def test_a_file_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    stop = EarlyStop(StopRule(), str(tmp_path / "none" / "STOP"))
    (alert,) = stop.observe(Snapshot(runs=(overfitting(3),)))
    assert alert.code == "not_stopped"
    assert "none/STOP" in alert.text[0]


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "STOP").write_text("by hand")
    make_stop_file(tmp_path / "STOP", "diverging", 3)
    assert (tmp_path / "STOP").read_text() == "by hand"


def test_the_process_gets_the_signal(process: subprocess.Popen[str]) -> None:
    stop = EarlyStop(StopRule(), target=TargetProcess(process.pid), signal=signal.SIGTERM)
    (alert,) = stop.observe(Snapshot(runs=(overfitting(3),)))
    assert alert.code == "stopped"
    assert process.wait(10) == -signal.SIGTERM


def test_a_process_that_has_ended_is_not_signalled(process: subprocess.Popen[str]) -> None:
    target = TargetProcess(process.pid)
    process.kill()
    process.wait()
    stop = EarlyStop(StopRule(), target=target)
    (alert,) = stop.observe(Snapshot(runs=(overfitting(3),)))
    assert alert.code == "not_stopped"
    assert f"process {process.pid} has ended" in alert.text[0]


def test_another_process_with_the_number_is_not_taken(process: subprocess.Popen[str]) -> None:
    started = TargetProcess(process.pid).started
    assert TargetProcess(process.pid, started).started == pytest.approx(started, abs=1)
    with pytest.raises(ProcessGone, match="another one has its number"):
        TargetProcess(process.pid, started - 60)


def test_a_number_without_a_process_is_refused(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    with pytest.raises(ConfigError, match=f"--pid {process.pid}"):
        TargetProcess(process.pid)
    with pytest.raises(ProcessGone):
        TargetProcess(process.pid, 1.0)


def test_signals_have_names() -> None:
    assert signal_of("term") is signal_of("SIGTERM") is signal.SIGTERM
    for wrong in ("9", "DOOM", ""):
        with pytest.raises(ValueError, match="is not a signal"):
            signal_of(wrong)
