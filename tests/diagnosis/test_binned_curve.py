"""A binned curve holds a whole series in constant memory, however it arrives."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.diagnosis.binned_curve import (
    CAPACITY,
    COUNT,
    HIGH,
    HIGH_STEP,
    LOW,
    LOW_STEP,
    MEAN,
    BinnedCurve,
)
from lossmon.diagnosis.curve_stats import CurveStats, running_median, slopes


def binned(values: np.ndarray, cuts: list[int]) -> BinnedCurve:
    curve = BinnedCurve()
    steps = np.arange(len(values))
    for part, at in zip(np.split(values, cuts), np.split(steps, cuts), strict=True):
        curve.extend(at, part)
    return curve


@pytest.mark.parametrize("n", [1, 12, 13, CAPACITY - 1, CAPACITY, CAPACITY + 1, 5000])
def test_no_point_is_lost(n: int) -> None:
    values = np.random.default_rng(n).standard_normal(n)
    bins = binned(values, []).bins
    assert len(bins) <= CAPACITY + 1
    assert bins[:, COUNT].sum() == n
    assert (bins[:, COUNT] * bins[:, MEAN]).sum() == pytest.approx(values.sum())


@given(st.integers(1, 3000), st.lists(st.integers(0, 3000), max_size=30))
def test_any_cut_gives_the_same_bits(n: int, cuts: list[int]) -> None:
    values = np.random.default_rng(n).lognormal(size=n)
    assert np.array_equal(binned(values, sorted(cuts)).bins, binned(values, []).bins)


def test_extremes_keep_their_steps() -> None:
    values = np.ones(10_000)
    values[[1234, 8765]] = 0.5, 7.0
    bins = binned(values, []).bins
    low, high = int(bins[:, LOW].argmin()), int(bins[:, HIGH].argmax())
    assert (bins[low, LOW_STEP], bins[high, HIGH_STEP]) == (1234, 8765)


@pytest.mark.parametrize("at", [0, 1, 100, 999, 1000, 4000])
def test_a_cut_forgets_what_lies_at_or_beyond_it(at: int) -> None:
    curve = binned(np.arange(1000.0), [])
    curve.truncate(at)
    bins = curve.bins
    assert bins[:, COUNT].sum() == curve.points
    assert not len(bins) or bins[-1, MEAN] < at + curve.size
    curve.extend(np.arange(at, at + 10), np.full(10, 5.0))
    assert curve.last_step == at + 9


WINDOWS = [(20, 40), (-0.5, 99.5), (10.5, 11.5), (0, 7), (90, 105), (50, 50), (-9, -5), (200, 201)]


@pytest.mark.parametrize(("start", "end"), WINDOWS)
def test_means_between_steps_are_those_of_the_points(start: float, end: float) -> None:
    values = np.random.default_rng(1).standard_normal(100)
    curve = CurveStats(binned(values, []).bins)
    # Each point reaches half a step to both sides; a window beside all of them takes the nearest.
    half, middle = max(end - start, 1) / 2, min(max((start + end) / 2, 0), 99)
    reach = np.arange(100)[:, None] + (-0.5, 0.5)
    inside = np.diff(np.clip(reach, middle - half, middle + half))[:, 0]
    wanted = np.average(values, weights=inside)
    assert curve.mean(start, end) == pytest.approx(wanted)
    assert curve.means(np.array([start]), np.array([end]))[0] == pytest.approx(wanted)
    assert curve.count(middle - half, middle + half) == pytest.approx(inside.sum())


def test_a_mean_after_far_larger_values_is_not_lost() -> None:
    curve = CurveStats(binned(np.geomspace(1e12, 1e-12, 100), []).bins)
    assert 0 < curve.mean(95, 99) < 1e-9


def test_noise_is_told_from_slope() -> None:
    random = np.random.default_rng(0)
    steep = np.linspace(100, 0, 200)
    assert CurveStats(binned(steep, []).bins).noise(0) < 0.05
    scattered = CurveStats(binned(100 + random.standard_normal(20_000), []).bins).noise(0)
    assert scattered == pytest.approx(1, rel=0.1)


def test_slopes_are_those_of_the_neighbours() -> None:
    assert slopes(np.array([0.0, 1.0, 4.0, 9.0])).tolist() == [1.0, 2.0, 4.0, 5.0]


def test_a_running_median_forgets_lone_points() -> None:
    values = np.ones(50)
    values[[10, 30]] = 99
    assert np.array_equal(running_median(values, 5), np.ones(50))


@pytest.mark.parametrize("window", [3, 5, 9, 11])
def test_a_running_median_is_the_median_of_each_window(window: int) -> None:
    random = np.random.default_rng(window)
    values = np.round(random.standard_normal(300), 1)
    inner = running_median(values, window)[window // 2 : -(window // 2)]
    windows = np.lib.stride_tricks.sliding_window_view(values, window)
    assert np.array_equal(inner, np.median(windows, axis=1))


def test_the_extremes_outlive_joined_bins_and_a_restart() -> None:
    values = np.random.default_rng(0).standard_normal(3000)
    curve = binned(values, [1, 700, 703])
    assert (curve.lowest, curve.highest) == (values.min(), values.max())
    curve.truncate(200)
    bins = curve.bins
    assert (curve.lowest, curve.highest) == (bins[:, LOW].min(), bins[:, HIGH].max())
    curve.truncate(0)
    assert (curve.lowest, curve.highest) == (math.inf, -math.inf)


@pytest.mark.parametrize("cut", [1, 255, 256, 700])
def test_a_curve_that_was_pickled_goes_on_as_it_was(cut: int) -> None:
    steps, values = np.arange(1500), np.random.default_rng(1).normal(size=1500)
    whole, part = BinnedCurve(), BinnedCurve()
    whole.extend(steps, values)
    part.extend(steps[:cut], values[:cut])
    part = pickle.loads(pickle.dumps(part))
    part.extend(steps[cut:], values[cut:])
    assert np.array_equal(part.bins, whole.bins)
    assert (part.points, part.lowest, part.highest) == (1500, whole.lowest, whole.highest)
