"""Limits of the axes as people type them, right and wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.locale import section
from lossmon.ui.chart.axes.limits import EXAMPLE, Limit, LimitsError, parse_limits


@pytest.mark.parametrize(
    "typed, limits",
    [
        ("x 1000..2000", (Limit("x", 1000, 2000),)),
        ("y 0.1..2", (Limit("y", 0.1, 2),)),
        ("y auto", (Limit("y"),)),
        ("X 1k..1.5M", (Limit("x", 1e3, 1.5e6),)),
        ("x=0..5k, y=1e-3..2;", (Limit("x", 0, 5e3), Limit("y", 1e-3, 2))),
        ("x 10 .. 20 y ..3", (Limit("x", 10, 20), Limit("y", None, 3))),
        ("x 2000..1000", (Limit("x", 1000, 2000),)),
        ("y -1..+1", (Limit("y", -1, 1),)),
        ("  ", ()),
    ],
)
def test_limits_are_read(typed: str, limits: tuple[Limit, ...]) -> None:
    assert parse_limits(typed) == limits


@pytest.mark.parametrize(
    "typed, word",
    [
        ("1000..2000", "x 1k"),
        ("z 1..2", "x 1k"),
        ("x 1000-2000", "write low..high or auto"),
        ("x 5", "write low..high or auto"),
        ("y one..two", "one: no number"),
        ("y 1..1", "the upper limit must be higher"),
        ("y nan..2", "nan: no number"),
        ("x 1e999..2", "too large"),
        ("x ..", "a number is missing"),
        ("x 1..2q", "2q: no number"),
        ("x", "x 1k"),
    ],
)
def test_what_is_no_limit_is_told_with_its_reason(typed: str, word: str) -> None:
    with pytest.raises(LimitsError, match=word.replace(".", r"\.")) as told:
        parse_limits(typed)
    assert told.value.why in section("screen", "zh") or told.value.why == EXAMPLE


def test_a_logarithmic_axis_has_no_place_for_zero() -> None:
    with pytest.raises(LimitsError, match="begins above 0"):
        parse_limits("y 0..2", log_y=True)


def test_a_clock_takes_minutes_and_hours() -> None:
    assert parse_limits("x 90s..2h", clock=True) == (Limit("x", 90, 7200),)
    with pytest.raises(LimitsError):
        parse_limits("x 90s..2h")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_word(typed: str) -> None:
    try:
        parse_limits(typed)
    except LimitsError as error:
        assert str(error)
