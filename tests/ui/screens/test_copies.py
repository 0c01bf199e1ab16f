"""What of a run is put on the clipboard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.types import UNJUDGED
from lossmon.ui.screens.dashboard_keys import copies_of, following, path_of
from tests.ui import stage


def test_a_checkpoint_is_copied_with_the_path_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "run" / "checkpoint-7").mkdir(parents=True)
    expected = str(tmp_path / "run" / "checkpoint-7")
    assert path_of(tmp_path / "run", "checkpoint-7") == expected
    assert path_of(tmp_path / "run" / "train.log", "checkpoint-7") == expected
    assert path_of(tmp_path / "run", "checkpoint-8") == "checkpoint-8"


def test_the_next_copy_is_taken_in_turn() -> None:
    run = stage.overfitting()
    copies = copies_of(run, "en", run.series[0])
    assert [copy.what for copy in copies] == ["value", "verdict", "checkpoint"]
    assert float(copies[0].text) == pytest.approx(run.series[0].last)
    last, taken = "", []
    for _ in range(4):
        copy = following(copies, last)
        assert copy is not None
        last = copy.what
        taken.append(last)
    assert taken == ["value", "verdict", "checkpoint", "value"]


def test_what_is_copied_has_no_control_characters() -> None:
    (copy, *_) = copies_of(replace(stage.overfitting(), name="a\x1b[2J\nrm"), "en")
    assert copy.text.isprintable() and "rm: OVERFITTING" in copy.text


def test_nothing_is_copied_of_a_run_that_says_nothing() -> None:
    run = replace(stage.healthy(), diagnosis=UNJUDGED, best=None)
    assert following(copies_of(run, "en"), "") is None
