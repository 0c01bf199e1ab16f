"""Numbers and times as training logs spell them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.readers.values import duration, moment, number, written_moment


@pytest.mark.parametrize(
    "value, expected",
    [
        (0.5, 0.5),
        (3, 3.0),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        ("4.029", 4.029),
        (" 1.758e+04 ", 17580.0),
        ("1_000", 1000.0),
        ("61.5%", 61.5),
        ("12.5k", 12500.0),
        ("7B", 7e9),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("1.#INF", math.inf),
        ("np.float64(0.5)", 0.5),
        ("tensor(0.5, device='cuda:0', grad_fn=<NllLossBackward0>)", 0.5),
        ("Array(0.5, dtype=float32)", 0.5),
        ([0.25], 0.25),
    ],
)
def test_numbers_in_every_spelling(value: object, expected: float) -> None:
    assert number(value) == expected


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan", "NAN", "1.#QNAN", "tensor(nan)"])
def test_not_a_number_is_a_number(text: str) -> None:
    value = number(text)
    assert value is not None
    assert math.isnan(value)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, "", " ", "NA", "N/A", "none", "-", "%", "k", "0x1f", "1:02", "v1.2"),
        *("1.2.3", "abc", [], [1, 2], [[1]], {}, (1,), "9" * 100, "tensor([1, 2])"),
    ],
)
def test_what_is_no_number_is_none(value: object) -> None:
    assert number(value) is None


@given(st.text() | st.integers() | st.floats() | st.lists(st.integers()) | st.none())
def test_nothing_makes_it_fail(value: object) -> None:
    taken = number(value)
    assert taken is None or isinstance(taken, float)


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("0:00:05", 5),
        ("12:34", 754),
        ("1:02:03", 3723),
        ("9 days, 21:39:23", 9 * 86400 + 77963),
        ("1 day, 2:03:04", 93784),
        ("0:00:00.5", 0.5),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "soon", "2026-11-21", "??:??", "1:2:3:4"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert duration(text) is None


def test_moments_are_seconds_or_milliseconds_since_1970() -> None:
    assert moment(1_700_000_000.5) == 1_700_000_000.5
    assert moment(1_700_000_000_500) == 1_700_000_000.5
    assert math.isnan(moment(3600.0))
    assert math.isnan(moment(math.nan))


def test_written_moments_keep_their_time_zone() -> None:
    assert written_moment("2026-11-21T00:00:00+00:00") == 1795219200.0
    assert written_moment("2026-11-21 00:00:00.25+00:00") == 1795219200.25
    assert written_moment("2026-11-21_00-00-00") > 1.79e9
    for text in ("", "today", "2026-99-99T00:00:00", "12:11:32", "9999-12-31T23:59:59-23:59"):
        assert math.isnan(written_moment(text)) or written_moment(text) > 2e11
