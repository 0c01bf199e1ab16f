from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lossmon.monitor.runs.run_state import (
    ENDED_AFTER,
    STALL_FLOOR,
    RunVitals,
    StepRate,
    merged_facts,
    remaining,
    state,
    step_rate,
    updated_facts,
)
from lossmon.types import Facts, Meaning, RunState, Series

MEANING = Meaning("train/loss", "train loss")


def timed(steps: list[int], walls: list[float]) -> Series:
    return Series(
        "loss",
        MEANING,
        steps=np.array(steps, np.int64),
        values=np.zeros(len(steps)),
        wall_times=np.array(walls, np.float64),
    )


def vital(
    *, facts: Facts | None = None, step: int | None = 50, total: int | None = 100, sign: float = 0.0
) -> RunVitals:
    return RunVitals(facts or Facts(), step, total, stride=5, interval=10.0, last_activity=sign)


@pytest.mark.parametrize(
    ("case", "now", "expected"),
    [
        pytest.param(vital(), 5.0, RunState.RUNNING, id="fresh"),
        pytest.param(vital(), STALL_FLOOR - 1, RunState.RUNNING, id="an eval takes a while"),
        pytest.param(vital(), STALL_FLOOR + 1, RunState.STALLED, id="silent for long"),
        pytest.param(vital(step=None), 5.0, RunState.WAITING, id="nothing logged"),
        pytest.param(vital(step=100), 1e6, RunState.FINISHED, id="last step reached"),
        pytest.param(vital(step=99), 5.0, RunState.RUNNING, id="one step before the last"),
        pytest.param(
            replace(vital(step=99), first=0), 5.0, RunState.FINISHED, id="the last one from 0"
        ),
        pytest.param(
            vital(facts=Facts(finished=True)), 1e6, RunState.FINISHED, id="according to the log"
        ),
        pytest.param(vital(facts=Facts(failure="OOM")), 5.0, RunState.FAILED, id="crashed"),
        pytest.param(vital(facts=Facts(failure="")), 5.0, RunState.RUNNING, id="crash taken back"),
        pytest.param(
            vital(total=None), ENDED_AFTER + 1, RunState.FINISHED, id="old, total unknown"
        ),
        pytest.param(
            replace(vital(total=None), superseded=True),
            STALL_FLOOR + 1,
            RunState.FINISHED,
            id="a later training was begun",
        ),
        pytest.param(vital(), ENDED_AFTER + 1, RunState.STALLED, id="old, steps are missing"),
        pytest.param(vital(step=95), ENDED_AFTER, RunState.FINISHED, id="counted from 0"),
        pytest.param(vital(step=95), 5.0, RunState.RUNNING, id="the last stretch"),
    ],
)
def test_state(case: RunVitals, now: float, expected: RunState) -> None:
    assert state(case, now)[0] is expected


def test_the_reason_of_a_failure_is_told() -> None:
    assert state(vital(facts=Facts(failure="CUDA out of memory")), 1.0)[1] == "CUDA out of memory"


@pytest.mark.parametrize(
    ("steps", "walls", "expected"),
    [
        pytest.param([1, 2, 3, 4], [0, 2, 4, 6], 0.5, id="steady"),
        pytest.param([10, 20, 30, 40], [0, 2, 4, 6], 5.0, id="every tenth step"),
        pytest.param([1, 2, 3, 4, 5], [0, 1, 2, 300, 301], 1.0, id="a pause does not count"),
        pytest.param([1, 2, 3, 4, 5], [0, 0, 0, 0, 8], 0.5, id="written in one burst"),
        pytest.param([1, 2, 3], [math.nan] * 3, None, id="no clock"),
        pytest.param([1, 2], [0, 1], None, id="too few"),
        pytest.param([1, 2, 3], [5, 5, 5], None, id="one moment"),
        pytest.param(
            [*range(300)], [*range(100), *[100] * 200], 4.55, id="the newest read at once"
        ),
        pytest.param([1, 1, 1], [0, 1, 2], None, id="one step"),
    ],
)
def test_pace(steps: list[int], walls: list[float], expected: float | None) -> None:
    measured = step_rate(timed(steps, walls)).steps_per_second
    assert measured == (None if expected is None else pytest.approx(expected, rel=0.01))


def test_there_is_no_pace_without_a_curve() -> None:
    assert step_rate(None).steps_per_second is None


def test_the_measured_pace_goes_before_the_estimate_of_the_framework() -> None:
    told = vital(facts=Facts(remaining=999.0))
    assert remaining(told, StepRate(2.0)) == 25.0
    assert remaining(told, StepRate()) == 999.0
    assert remaining(vital(total=None), StepRate(2.0)) is None
    assert remaining(vital(facts=Facts(remaining=math.inf), total=None), StepRate()) is None


def test_what_a_source_says_later_replaces_what_it_said() -> None:
    before = Facts(total_steps=10, failure="crash", settings={"lr": "1", "bs": "2"})
    after = updated_facts(before, Facts(failure="", settings={"lr": "3"}))
    assert (after.total_steps, after.failure) == (10, "")
    assert after.settings == {"lr": "3", "bs": "2"}


def test_the_better_source_is_believed_first() -> None:
    merged = merged_facts(
        [Facts(name="a"), Facts(name="b", total_steps=7, settings={"x": "1"}), Facts(finished=True)]
    )
    assert (merged.name, merged.total_steps, merged.finished) == ("a", 7, True)
    assert merged.settings == {"x": "1"}
