"""What real logs hold, as their own frameworks' readers say, is what lossmon shows."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest

from lossmon.monitor import Monitor
from lossmon.types import RunSnapshot, RunState, Series
from tests import paths

DATA = paths.DATA

LATER = 30 * 86400.0
"""Seconds after which nobody takes a log that was just checked out for one that is growing."""


def expectations() -> list[Any]:
    expected = json.loads((DATA / "expected.json").read_text())
    return [
        pytest.param(family, run, id=f"{family}/{run['path']}")
        for family, runs in expected.items()
        for run in runs
    ]


def opened(path: Path) -> list[RunSnapshot]:
    return list(Monitor([path], clock=lambda: time.time() + LATER).drain().runs)


def assert_is(series: Series | None, expected: dict[str, Any] | None) -> None:
    if series is None or expected is None:
        assert (series, expected) == (None, None)
        return
    assert (series.tag, series.n) == (expected["tag"], expected["n"])
    assert (series.first_step, series.last_step) == (expected["first_step"], expected["last_step"])
    if expected["last"] is None or (expected["last"] == 0.0 and series.n_nonfinite):
        # A loss that was printed as 0.0 in place of NaN is NaN again.
        assert not math.isfinite(series.last)
    else:
        assert series.last == pytest.approx(expected["last"], rel=1e-6, abs=1e-45)


@pytest.mark.parametrize(("family", "expected"), expectations())
def test_a_real_log_shows_what_its_framework_wrote(family: str, expected: dict[str, Any]) -> None:
    path = DATA / family / expected["path"]
    (run,) = opened(path)
    assert run.path == path
    assert list(run.sources) == expected["sources"]
    assert len(run.restarts) == expected["restarts"]
    assert run.state is RunState(expected["state"])
    assert run.errors == ()
    assert_is(run.train_loss, expected["train"])
    assert_is(run.eval_loss, expected["eval"])


def test_several_runs_of_a_directory_are_found_apart() -> None:
    found = {str(run.path.relative_to(DATA)) for run in opened(DATA / "hf_trainer")}
    names = ("multi_eval", "nan", "overfit")
    places = ("trl_dpo", *(f"{v}/{name}" for v in ("v4", "v5") for name in names))
    assert found == {f"hf_trainer/{place}" for place in places}
