from __future__ import annotations

import math

import numpy as np
import pytest

from lossmon.analysis.comparison import ComparedSeries, difference, level
from lossmon.types import Floats


def falling(x: Floats) -> Floats:
    return np.asarray(0.5 + 2 * np.exp(-4 * x / x[-1]))


def noise(rng: np.random.Generator, n: int, correlation: float) -> Floats:
    """Noise of deviation 1 in which neighbours are alike."""
    fresh = rng.normal(size=n) * math.sqrt(1 - correlation**2)
    values = np.empty(n)
    values[0] = rng.normal()
    for at in range(1, n):
        values[at] = correlation * values[at - 1] + fresh[at]
    return values


def runs(
    seed: int, n: int, correlation: float, lead: float, shift: float
) -> tuple[ComparedSeries, ComparedSeries]:
    """Two runs whose second lies higher by `lead` and was logged `shift` steps later."""
    rng = np.random.default_rng(seed)
    x = np.arange(n, dtype=np.float64)
    other = np.append(x[:-1] + shift, x[-1])
    first = falling(x) + 0.05 * noise(rng, n, correlation)
    second = falling(other) + lead + 0.05 * noise(rng, n, correlation)
    return ComparedSeries(other, second), ComparedSeries(x, first)


@pytest.mark.parametrize("shift", [0.0, 0.5], ids=["same steps", "other steps"])
@pytest.mark.parametrize(
    "n, correlation", [(24, 0.0), (24, 0.5), (300, 0.5), (300, 0.8), (2000, 0.5), (2000, 0.8)]
)
def test_two_runs_of_the_same_noise_are_not_called_different(
    n: int, correlation: float, shift: float
) -> None:
    found = [difference(*runs(seed, n, correlation, 0.0, shift), n - 1) for seed in range(100)]
    assert sum(one.is_real for one in found) <= 5


@pytest.mark.parametrize("shift", [0.0, 0.5], ids=["same steps", "other steps"])
def test_long_runs_of_the_same_noise_are_within_it(shift: float) -> None:
    found = [difference(*runs(seed, 2000, 0.5, 0.0, shift), 1999) for seed in range(100)]
    assert sum(one.within_noise for one in found) >= 95


@pytest.mark.parametrize("shift", [0.0, 0.5], ids=["same steps", "other steps"])
@pytest.mark.parametrize("n, correlation", [(300, 0.0), (2000, 0.0), (2000, 0.5)])
def test_a_difference_beyond_the_noise_is_found(n: int, correlation: float, shift: float) -> None:
    found = [difference(*runs(seed, n, correlation, 0.15, shift), n - 1) for seed in range(40)]
    assert sum(one.is_real for one in found) >= 38
    assert np.median([one.value for one in found]) == pytest.approx(0.15, abs=0.02)


def test_correlated_noise_counts_for_fewer_points() -> None:
    sure, unsure = (difference(*runs(3, 2000, rho, 0.0, 0.0), 1999).margin for rho in (0.0, 0.8))
    assert unsure > 2 * sure


def test_a_level_is_that_of_the_curve_without_its_noise() -> None:
    x = np.arange(24.0)
    assert level(ComparedSeries(x, falling(x)), 23).value == pytest.approx(falling(x)[-1], abs=0.01)


def test_what_lies_behind_the_position_does_not_count() -> None:
    x = np.arange(100.0)
    y = np.where(x <= 50, 1.0, 9.0)
    assert level(ComparedSeries(x, y), 50).value == pytest.approx(1.0)


def test_a_few_points_have_a_level_and_no_error() -> None:
    found = level(ComparedSeries(np.arange(3), np.array([3.0, 2.0, 1.0])), 2)
    assert found.value == 1.0
    assert math.isnan(found.error)
    apart = difference(
        ComparedSeries(np.arange(3), np.ones(3)), ComparedSeries(np.arange(3), np.zeros(3)), 2
    )
    assert not apart.known and not apart.within_noise and not apart.is_real


@pytest.mark.parametrize("last", [math.nan, math.inf, -math.inf])
def test_a_curve_that_is_not_finite_is_not_compared(last: float) -> None:
    x, y = np.arange(50.0), np.append(np.ones(49), last)
    assert str(level(ComparedSeries(x, y), 49).value) == str(last)
    assert not difference(ComparedSeries(x, y), ComparedSeries(x, np.ones(50)), 49).known


def test_huge_and_equal_values_do_no_harm() -> None:
    x = np.arange(50.0)
    assert level(ComparedSeries(x, np.full(50, 1e300)), 49).value == pytest.approx(1e300)
    same = difference(ComparedSeries(x, np.ones(50)), ComparedSeries(x, np.ones(50)), 49)
    assert same.value == 0.0 and same.within_noise
    one_place = difference(
        ComparedSeries(np.zeros(20), np.arange(20.0)), ComparedSeries(x, np.ones(50)), 49
    )
    assert math.isfinite(one_place.value)


def test_no_point_before_the_position_has_no_level() -> None:
    assert math.isnan(level(ComparedSeries(np.arange(5, 10), np.ones(5)), 2).value)
    assert math.isnan(level(ComparedSeries(np.empty(0), np.empty(0)), 2).value)


def test_a_steep_curve_of_few_points_is_not_called_noise() -> None:
    x = np.arange(12.0)
    apart = difference(
        ComparedSeries(x, 2 + 9 * np.exp(-x)),
        ComparedSeries(x + 0.4 * (x < 11), 3 * np.exp(-x)),
        11,
    )
    assert apart.known
    assert not apart.within_noise
