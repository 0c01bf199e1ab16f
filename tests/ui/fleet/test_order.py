"""In which order runs stand."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from lossmon.types import Confidence, Diagnosis, Finding, RunSnapshot, RunState, Severity
from lossmon.ui.fleet.order import DAY, Key, arranged, natural, needs_attention
from tests.ui import stage


def one(
    name: str, severity: Severity, state: RunState = RunState.RUNNING, age: float = 1
) -> RunSnapshot:
    """A run with a verdict of some severity."""
    finding = Finding("finding", severity, 10, Confidence.HIGH)
    run = stage.run(finding, name=name, n=60, state=state)
    return replace(run, diagnosis=Diagnosis(finding, (finding,), ()), last_time=stage.NOW - age)


URGENT = (
    one("critical", Severity.CRITICAL),
    one("failed", Severity.OK, RunState.FAILED),
    one("stalled", Severity.OK, RunState.STALLED),
    one("warning", Severity.WARNING),
    one("notice", Severity.NOTICE),
    one("healthy", Severity.OK),
    one("ended badly", Severity.WARNING, RunState.FINISHED),
    one("a ended well", Severity.OK, RunState.FINISHED),
    one("b silent for days", Severity.OK, RunState.STALLED, 3 * DAY),
)


def names(runs: list[RunSnapshot]) -> list[str]:
    return [run.name for run in runs]


def test_who_needs_attention_stands_first() -> None:
    wanted = names(list(URGENT))
    assert names(arranged(URGENT[::-1], Key.ATTENTION, False, stage.NOW)) == wanted
    assert [needs_attention(run, stage.NOW) for run in URGENT] == [True] * 4 + [False] * 5


def test_the_same_runs_always_have_the_same_order() -> None:
    some = URGENT[3:7]
    for key in Key:
        orders = {
            tuple(names(arranged(mixed, key, False, stage.NOW))) for mixed in permutations(some)
        }
        assert len(orders) == 1


def test_names_with_numbers_are_sorted_by_the_numbers() -> None:
    runs = [one(name, Severity.OK) for name in ("lr10", "LR2", "lr1", "7", "")]
    assert names(arranged(runs, Key.NAME, False, stage.NOW)) == ["", "7", "lr1", "LR2", "lr10"]
    assert natural("²") < natural("³")


def with_loss(name: str, *values: float) -> RunSnapshot:
    steps = np.arange(1, len(values) + 1)
    loss = stage.series(stage.TRAIN_LOSS, steps, np.array(values))
    return RunSnapshot(name, Path("/runs") / name, series=(loss,), train=0, step=len(values))


@pytest.mark.parametrize("turned, first", [(False, ["low", "high"]), (True, ["high", "low"])])
def test_what_has_no_number_stands_last_either_way(turned: bool, first: list[str]) -> None:
    runs = [
        RunSnapshot("none", Path("/runs/none")),
        with_loss("broken", 1.0, float("nan")),
        with_loss("high", 3.0, 2.0),
        with_loss("low", 1.0),
    ]
    assert names(arranged(runs, Key.TRAIN, turned, stage.NOW)) == [*first, "broken", "none"]


def test_the_furthest_run_stands_first_by_step() -> None:
    runs = [with_loss("short", 1.0), with_loss("long", 1.0, 1.0, 1.0)]
    assert names(arranged(runs, Key.STEP, False, stage.NOW)) == ["long", "short"]
