from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.chart.downsample import MAX_WEIGHT, local_lines, reach, spikes

counts = st.lists(st.integers(0, 9), min_size=3, max_size=80)


@given(counts, st.floats(-1e3, 1e3), st.floats(-10, 10), st.floats(1.5, 200))
def test_a_straight_line_stays_where_it_is(
    points: list[int], start: float, slope: float, width: float
) -> None:
    weights = np.array(points, np.float64)
    line = np.where(weights > 0, start + slope * np.arange(len(points)), math.nan)
    smoothed = local_lines(line, weights, width)
    assert smoothed == pytest.approx(line, nan_ok=True, rel=1e-6, abs=1e-6 * (1 + abs(start)))


def test_noise_on_a_falling_line_is_averaged_out_without_a_lag() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 400)
    line = np.linspace(2.0, 1.0, 400)
    smoothed = local_lines(line + noise, np.full(400, 3.0), 20.0)
    error = smoothed - line
    assert abs(error.mean()) < 0.01
    assert error.std() < 0.03


def test_columns_with_more_points_count_for_more() -> None:
    means, light = np.array([1.0, 1.0, 3.0, 1.0, 1.0]), np.ones(5)
    heavy = np.array([1.0, 1, 50, 1, 1])
    assert local_lines(means, heavy, 2.5)[2] > local_lines(means, light, 2.5)[2]


@pytest.mark.parametrize("huge", [1e300, -1e308])
def test_huge_values_do_not_overflow(huge: float) -> None:
    values = np.array([huge, huge, 0.0, huge, huge])
    assert np.isfinite(local_lines(values, np.full(5, 1e6), 3.0)).all()


def test_one_known_column_stays_as_it_is() -> None:
    means = np.array([math.nan, 4.0, math.nan])
    assert local_lines(means, np.array([0.0, 7, 0]), 9.0) == pytest.approx(means, nan_ok=True)


def test_a_heavier_smoothing_reaches_further() -> None:
    reaches = [reach(weight) for weight in (0.0, 0.3, 0.6, 0.9, MAX_WEIGHT, 2.0)]
    assert reaches == sorted(reaches) and reaches[0] == 0.0


def test_a_tiny_value_is_not_lost_beside_huge_ones() -> None:
    means = np.geomspace(1e12, 1e-12, 100)
    smoothed = local_lines(means, np.ones(100), 2.5)
    assert 0 < smoothed[-1] < 1e-11


def test_one_bad_batch_is_no_hill_in_the_line_and_a_step_that_stays_is_drawn() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, 160)
    loss = np.linspace(2, 1, 160) + noise
    bad, left = loss.copy(), loss.copy()
    bad[[60, 61, 110]] = 30.0
    left[120:] = 5.0
    assert np.flatnonzero(spikes(bad)).tolist() == [60, 61, 110]
    assert not spikes(loss).any() and not spikes(left).any()
    bad[-1] = 30.0
    assert not spikes(bad)[-1]
    assert not spikes(np.full(160, 0.5)).any()
    assert not spikes(np.random.default_rng(1).uniform(0, 1, (40, 170)).ravel()).any()
