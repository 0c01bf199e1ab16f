"""Numbers and times as people type them."""

from __future__ import annotations

import math

import pytest

from lossmon.ui.fleet.fields import number, seconds


@pytest.mark.parametrize(
    "text, value",
    [
        ("1", 1.0),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("1e-3", 1e-3),
        ("1E-3", 1e-3),
        ("20k", 20_000.0),
        ("1.5M", 1.5e6),
        ("7B", 7e9),
        ("2T", 2e12),
        ("10%", 0.1),
        ("1,240", 1240.0),
        ("inf", math.inf),
    ],
)
def test_a_number_is_read_with_its_suffix(text: str, value: float) -> None:
    assert number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "k", "1e", "abc", "1kk", "--1", "1 2", "٣", "1e9999"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize(
    "text, value",
    [("30s", 30.0), ("90", 90.0), ("10m", 600.0), ("2h", 7200.0), ("1h30m", 5400.0),
     ("1.5d", 129_600.0), ("1w", 604_800.0), ("1h 30m", 5400.0)],
)  # fmt: skip
def test_a_time_is_read_in_its_units(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "h", "2x", "-5", "2hh", "two hours"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert seconds(text) is None
