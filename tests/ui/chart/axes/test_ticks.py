from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.chart.axes.ticks import (
    Tick,
    linear_ticks,
    log_ticks,
    nice_ceil,
    step_ticks,
    time_ticks,
)


def labels(ticks: tuple[Tick, ...]) -> list[str]:
    return [tick.label for tick in ticks]


def test_values_are_labelled_in_steps_of_one_two_or_five_with_equal_decimals() -> None:
    assert labels(linear_ticks(0.2, 2.6, 5)) == ["0.5", "1.0", "1.5", "2.0", "2.5"]
    assert labels(linear_ticks(-1, 1, 3)) == ["−1", "0", "1"]
    assert labels(linear_ticks(0, 5e-5, 3)) == ["0", "2e-5", "4e-5"]
    assert labels(linear_ticks(10_000, 60_000, 3)) == ["20k", "40k", "60k"]


def test_far_from_zero_the_labels_tell_the_distance_to_the_first() -> None:
    assert labels(linear_ticks(1e9, 1e9 + 6, 3)) == ["1G", "+2", "+4", "+6"]


def test_steps_are_short_and_whole() -> None:
    assert labels(step_ticks(0, 50_000, 5)) == ["0", "10k", "20k", "30k", "40k", "50k"]
    assert labels(step_ticks(12_000, 13_000, 3)) == ["12k", "12.5k", "13k"]
    assert labels(step_ticks(0, 2, 9)) == ["0", "1", "2"]
    assert labels(step_ticks(0, 2, 4, whole=False)) == ["0.0", "0.5", "1.0", "1.5", "2.0"]


def test_neighbouring_steps_never_share_a_label() -> None:
    ticks = step_ticks(1_000_000, 1_004_000, 4)
    assert len(set(labels(ticks))) == len(ticks) == 5


@pytest.mark.parametrize(
    "ticks, expected",
    [
        (linear_ticks(3.1e-7, 4.9e-7, 4), ["3.5e-7", "4.0e-7", "4.5e-7"]),
        (linear_ticks(2.28e-3, 2.32e-3, 8), None),
        (log_ticks(1.2e-4, 1.201e-4, 5), None),
        (step_ticks(278_871_716, 278_871_730, 4), ["278.872M", "+5", "+10"]),
        (time_ticks(269_280, 269_640, 3), ["3d 2h", "+2m", "+4m", "+6m"]),
    ],
)
def test_no_two_labels_of_a_narrow_range_read_alike(
    ticks: tuple[Tick, ...], expected: list[str] | None
) -> None:
    assert len(set(labels(ticks))) == len(ticks) > 2
    assert expected is None or labels(ticks) == expected


def test_time_is_labelled_as_a_clock_divides_it() -> None:
    assert labels(time_ticks(0, 3600, 4)) == ["0", "15m", "30m", "45m", "1h"]
    assert labels(time_ticks(0, 40, 4)) == ["0", "10s", "20s", "30s", "40s"]
    assert labels(time_ticks(0, 90_000, 3)) == ["0", "12h", "1d"]
    assert labels(time_ticks(0, 1.7280000017280003e308, 1)) == ["0"]


def test_a_log_axis_is_labelled_in_decades_or_within_them() -> None:
    assert labels(log_ticks(1e-3, 1e2, 10)) == ["0.001", "0.01", "0.1", "1", "10", "100"]
    assert labels(log_ticks(0.09, 1.1, 4)) == ["0.1", "0.2", "0.5", "1"]
    assert labels(log_ticks(0.99, 3.1, 7)) == ["1", "1.2", "1.5", "2", "2.5", "3"]
    assert labels(log_ticks(1e-8, 1, 4)) == ["1e-6", "0.001", "1"]
    assert labels(log_ticks(0.3, 3, 6)) == ["0.5", "1", "2"]
    assert len(log_ticks(1e308, 1.7e308, 9)) >= 2


@pytest.mark.parametrize("ticks", [linear_ticks, step_ticks, time_ticks, log_ticks])
@given(low=st.floats(), high=st.floats(), most=st.integers(-1, 60))
def test_ticks_lie_in_the_range_and_their_labels_are_short(
    ticks: object, low: float, high: float, most: int
) -> None:
    assert callable(ticks)
    found = ticks(low, high, most)
    reach = 1e-5 * (high - low) if math.isfinite(high - low) else 0.0
    assert len(found) <= 2 * max(most, 2) + 3
    for tick in found:
        assert low - reach <= tick.at <= high + reach
        assert 0 < len(tick.label) <= 14


@given(st.floats(1e-300, 1e300))
def test_a_nice_number_is_the_next_one_above(size: float) -> None:
    assert size * (1 - 1e-6) <= nice_ceil(size) <= size * 2.6
