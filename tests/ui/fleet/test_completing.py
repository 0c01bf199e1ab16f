"""What the tab key makes of a filter."""

from __future__ import annotations

import pytest

from lossmon.ui.fleet.query import completed


@pytest.mark.parametrize(
    "text, longer",
    [
        ("", ""),
        ("sta", "state:"),
        ("state:run", "state:running"),
        ("state:sta", "state:stalled"),
        ("state:running,fa", "state:running,failed"),
        ("badge:over", "badge:overfitting"),
        ("sft -ba", "sft -badge:"),
        ("s", "s"),
        ("se", "severity:"),
        ("warm", "warmup_steps"),
        ("nothing", "nothing"),
        ("nothing:x", "nothing:x"),
        ("loss<0.", "loss<0."),
    ],
)
def test_a_word_is_completed_as_far_as_it_is_clear(text: str, longer: str) -> None:
    assert completed(text, lambda: ("warmup_steps",)) == longer
