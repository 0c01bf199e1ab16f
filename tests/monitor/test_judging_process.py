"""A fleet is judged by two processes as it is by one, whatever becomes of the second."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from lossmon.diagnosis.engine import Engine
from lossmon.monitor import Monitor
from lossmon.monitor.judging_process import JudgingProcess, serve
from lossmon.monitor.runs.run_monitor import RunMonitor
from lossmon.types import Diagnosis

RUNS = 12


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Runs of which half diverge, and enough of them for a second process."""
    monkeypatch.setattr("lossmon.monitor.scheduler.FLEET", 4)
    monkeypatch.setattr(JudgingProcess, "helps", lambda: True)
    monkeypatch.setattr("lossmon.monitor.judging_process.PATIENCE", 600.0)
    for number in range(RUNS):
        losses = [3 * 0.97**step for step in range(80)]
        losses += [0.3 * 1.1**step for step in range(20 + number)] if number % 2 else []
        rows = [json.dumps({"step": step, "loss": loss}) for step, loss in enumerate(losses)]
        (tmp_path / f"run{number}").mkdir()
        (tmp_path / f"run{number}" / "log.jsonl").write_text("\n".join(rows) + "\n")
    yield tmp_path


@pytest.fixture
def returned(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each backlog that was lent came back with an engine."""
    known: list[bool] = []
    take_back = RunMonitor.take_back

    def noted(run: RunMonitor, lent: object, engine: Engine | None) -> None:
        known.append(engine is not None)
        take_back(run, lent, engine)  # type: ignore[arg-type]

    monkeypatch.setattr(RunMonitor, "take_back", noted)
    return known


def diagnoses(path: Path) -> dict[str, Diagnosis]:
    """The diagnosis of each run."""
    return {run.name: run.diagnosis for run in Monitor([path]).drain().runs}


def test_two_processes_judge_a_fleet_as_one_does(
    fleet: Path, returned: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = diagnoses(fleet)
    assert returned and all(returned)
    monkeypatch.setattr(JudgingProcess, "helps", lambda: False)
    assert shared == diagnoses(fleet) and len(shared) == RUNS
    assert {one.verdict.code for one in shared.values()} == {"healthy", "diverging"}


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_is_lost_costs_no_verdict(
    fleet: Path, returned: list[bool], monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
) -> None:
    started, lost = subprocess.Popen, []

    def hurt(*arguments: object, **options: object) -> object:
        process = started(*arguments, **options)  # type: ignore[call-overload]
        os.kill(process.pid, sent)
        lost.append(process)
        return process

    monkeypatch.setattr("lossmon.monitor.judging_process.PATIENCE", 0.05)
    monkeypatch.setattr("lossmon.monitor.judging_process.subprocess.Popen", hurt)
    shared = diagnoses(fleet)
    assert returned and not any(returned)
    assert [process.wait(60) for process in lost] == [-signal.SIGKILL]
    monkeypatch.setattr(JudgingProcess, "helps", lambda: False)
    assert shared == diagnoses(fleet)


class Streams:
    """Standard streams of a child."""

    def __init__(self, *tasks: object) -> None:
        self.stdin = SimpleNamespace(buffer=io.BytesIO(b"".join(map(pickle.dumps, tasks))))
        self.stdout = SimpleNamespace(buffer=io.BytesIO())


def test_what_cannot_be_judged_is_sent_back_without_an_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = Streams((Engine(), ("no batch",)), (Engine(), ()))
    monkeypatch.setattr(sys, "stdin", streams.stdin)
    monkeypatch.setattr(sys, "stdout", streams.stdout)
    serve()
    answers = streams.stdout.buffer
    answers.seek(0)
    assert pickle.load(answers) is None and isinstance(pickle.load(answers), Engine)
    assert answers.read() == b""


def test_the_process_ends_with_what_lends_to_it() -> None:
    helper = JudgingProcess()
    process = helper._process
    del helper
    assert process.wait(60) == 0


def test_points_that_are_read_meanwhile_are_judged_after_those_that_were_lent(fleet: Path) -> None:
    monitor = Monitor([fleet])
    while not (runs := monitor.poll(1.0, judge=False).runs) or any(not run.step for run in runs):
        continue
    assert monitor.poll(0.0).busy
    lent = [run for run in monitor._runs.values() if run._feed.is_lent]
    assert lent
    for run in lent:
        first = 80 + RUNS + 20
        with (run.path / "log.jsonl").open("a") as log:
            log.writelines(f'{{"step": {first + n}, "loss": {1.2**n}}}\n' for n in range(30))
    judged = {run.path: run for run in monitor.drain().runs}
    assert {judged[run.path].diagnosis.verdict.code for run in lent} == {"diverging"}
    assert not monitor.poll(math.inf).busy and monitor._scheduler._helper is None
