from __future__ import annotations

from dataclasses import replace

from lossmon.reports.plain import plain
from tests.ui import stage


def test_a_warning_stands_without_praise_beside_it() -> None:
    run = stage.overfitting()
    findings = (stage.OVERFITTING, stage.NON_FINITE, stage.HEALTHY)
    run = replace(run, diagnosis=replace(run.diagnosis, findings=findings))
    text = plain(run, "en", history=False)
    assert "also: NaN LOSS" in text
    assert "HEALTHY" not in text


def test_names_from_outside_cannot_steer_the_terminal() -> None:
    run = replace(stage.healthy(), name="a\x1b[31m\x9b2J\u202eb", notes=("x\ny\x07",))
    text = plain(run, "en", history=True)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "  note: x\n" not in text
