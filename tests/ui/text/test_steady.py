"""Steady texts: no change by rounding alone."""

from __future__ import annotations

from lossmon.ui.widgets.verdicts import SteadyText


def test_measured_numbers_that_tremble_stay_and_drift_is_shown() -> None:
    text = SteadyText()
    first = text.hold("train 0.683, 80% below its start")
    assert text.hold("train 0.684, 81% below its start") == first
    assert text.hold("train 0.682, 79% below its start") == first
    moved = "train 0.681, 80% below its start"
    assert text.hold(moved) == moved
    assert text.hold(first) == first
    assert text.hold("train 0.684, 80% below its start", "another run") != first


def test_steps_and_words_are_exact() -> None:
    text = SteadyText()
    for said in ("minimum 2.27 at step 80", "minimum 2.27 at step 81", "no minimum"):
        assert text.hold(said) == said
    assert text.hold("1.5 of 9") == "1.5 of 9" and text.hold("1.5 of 10") == "1.5 of 10"
