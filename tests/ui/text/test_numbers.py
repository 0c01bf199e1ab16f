from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.text import numbers

GIB = 1 << 30


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.4132, "0.4132"),
        (0.398, "0.3980"),
        (0.99996, "1.000"),
        (1.62, "1.620"),
        (9.9999, "10.00"),
        (-123.456, "−123.5"),
        (1234.5, "1,234"),
        (12_500, "12.5k"),
        (3.5e-05, "3.5e-5"),
        (0.0, "0"),
        (math.nan, "nan"),
        (-math.inf, "−inf"),
        (1e20, "1.0e20"),
    ],
)
def test_a_value_has_four_digits_that_keep_their_width(number: float, text: str) -> None:
    assert numbers.value(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (800, "800"), (1240, "1.24k"), (12_500, "12.5k"), (999_999, "1M"), (0.5, "0.5")],
)
def test_a_count_is_as_short_as_three_digits_allow(number: float, text: str) -> None:
    assert numbers.si(number) == text


def test_progress_is_spelled_out_below_ten_thousand() -> None:
    assert numbers.progress(1240, 3000) == "1,240/3,000"
    assert numbers.progress(18_200, 120_000) == "18.2k/120k"
    assert numbers.progress(1240, None) == "1,240"


def test_memory_is_told_in_the_unit_of_the_total() -> None:
    assert numbers.used_of(61 * GIB, 80 * GIB) == "61/80G"
    assert numbers.used_of(61.2 * GIB, 80 * GIB, decimals=1) == "61.2/80.0G"
    assert numbers.size(1.2 * 1024 * GIB) == "1.2T"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (45, "45s"),
        (840, "14m"),
        (7800, "2h 10m"),
        (7200, "2h"),
        (280_800, "3d 6h"),
        (math.inf, "?"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (3.9, "3 s"),
        (839, "13 m"),
        (7300, "2 h"),
        (500_000, "5 d"),
        (1_790_000_000, "56 y"),
    ],
)
def test_an_age_has_one_unit_and_is_never_rounded_up(seconds: float, text: str) -> None:
    assert numbers.age(seconds) == text


def test_a_slow_rate_is_told_as_seconds_per_iteration() -> None:
    assert numbers.rate(2.1) == "2.1 it/s"
    assert numbers.rate(0.3125) == "3.2 s/it"
    assert numbers.rate(18_100, "tok") == "18.1k tok/s"
    assert numbers.rate(0) == "?"


def test_a_slope_is_given_per_so_many_steps() -> None:
    assert numbers.slope(-0.00021, 100) == "−0.021/100"
    assert numbers.slope(0.00006, 1000) == "+0.060/1k"
    assert numbers.slope(0.00006, 100) == "+0.006/100"
    assert numbers.slope(-3.2e-8, 100) == "−3.2e-6/100"
    assert numbers.slope(0.0, 10_000) == "±0/10k"
    assert numbers.slope(-0.25, 1) == "−0.250"


@given(st.floats())
def test_every_number_fits_into_ten_cells(number: float) -> None:
    assert 0 < len(numbers.value(number)) <= 10
    assert 0 < len(numbers.si(number)) <= 10
    assert len(numbers.slope(number, 100)) <= 14


@given(st.floats(), st.integers(0, 1 << 70))
def test_durations_and_sizes_take_any_number(seconds: float, count: int) -> None:
    assert numbers.duration(seconds) and numbers.age(seconds) and numbers.rate(seconds)
    assert numbers.size(count) and numbers.used_of(count, count + 1)
