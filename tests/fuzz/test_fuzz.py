"""Some cases at each run of the tests; `make fuzz` runs many."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from lossmon.diagnosis.engine import Engine
from lossmon.types import Confidence, Diagnosis, Finding, Severity
from tests.fuzz import case, series
from tests.fuzz.mutations import MUTATIONS, Mutation

BLOCKS = 8


@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_damaged_file_costs_itself_only(block: int, tmp_path: Path) -> None:
    for seed in range(1000 + block, 1080, BLOCKS):
        place = tmp_path / str(seed)
        place.mkdir()
        case.run(seed, place)
        case.clear(place)


def test_no_series_breaks_the_diagnosis() -> None:
    assert [report for report in series.run_all(range(60)) if report] == []


def test_a_case_of_series_notices_a_fact_that_is_not_finite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unsound = Finding("healthy", Severity.OK, 0, Confidence.LOW, {"level": math.nan})
    diagnosis = Diagnosis(unsound, (unsound,), ())
    monkeypatch.setattr(Engine, "diagnosis", lambda *_, **__: diagnosis)
    (report,) = series.run_all(range(1))
    assert report and report.startswith("--- seed 0") and "AssertionError" in report


@pytest.mark.parametrize("mutation", MUTATIONS[4:], ids=lambda one: one.__name__)
def test_a_mutation_changes_what_it_gets(mutation: Mutation) -> None:
    content = b"".join(b"step %d loss %f\n" % (i, 1 / i) for i in range(1, 50))
    assert any(mutation(random.Random(seed), content) != content for seed in range(5))


def test_a_case_notices_an_internal_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("lossmon.diagnosis.engine.Engine.diagnosis", broken)
    with pytest.raises(case.Fault, match="internal error"):
        case.run(1, tmp_path)
