"""What `explain` says of a line."""

from __future__ import annotations

import pytest

from lossmon.readers.text.explain import explain_line


def test_what_was_taken_and_what_was_left() -> None:
    found = explain_line("[rank0]: step 12/100 | loss 0.5 | batch size: 32 | time: 0.4 | 0:01:02\n")
    assert found.metrics == (("loss", 0.5),)
    assert found.position == (("step", "12"), ("total", "100"), ("rank", "0"))
    assert dict(found.left) == {
        "32": "'batch size' is a setting, a clock or a count",
        "0.4": "'time' is a setting, a clock or a count",
        "0": "part of a clock, a path, a version or an id",
        "01": "part of a clock, a path, a version or an id",
        "02": "part of a clock, a path, a version or an id",
    }
    assert found.reason == ""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("WARNING: loss is 5", "a warning or an error"),
        ("Saving model at step 5", "a message, not a record"),
        ("amp=False, loss=0.5, cache=True", "a list of settings"),
        ("we have seen that the loss fell to 0.5", "a sentence"),
        ("hello", "no number in it"),
        ("temperature 36.5", "neither a position nor a loss"),
        ("Epoch 3/15", "it gives the lines below it their position"),
        ("x" * 20_000, "too long for a record"),
    ],
)
def test_why_a_line_gives_no_metric(line: str, reason: str) -> None:
    assert explain_line(line).reason == reason


def test_the_last_state_of_a_bar_is_explained() -> None:
    found = explain_line(
        "\r 1%|  | 1/9 [0:01<0:02, 1it/s, loss=2]\r 2%|# | 2/9 [0:01<0:02, 1it/s, loss=1]"
    )
    assert found.metrics == (("loss", 1.0),)
    assert found.position == (("step", "2"), ("total", "9"))
