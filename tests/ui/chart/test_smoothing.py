from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.chart.smoothing import Ema, smooth


def by_hand(values: list[float], weight: float) -> list[float]:
    """The definition, one value at a time."""
    total, count, smoothed = 0.0, 0, []
    for value in values:
        if not math.isfinite(value):
            smoothed.append(value)
            continue
        total, count = total * weight + (1 - weight) * value, count + 1
        smoothed.append(total / (1 - weight**count))
    return smoothed


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.6, 0.9, 0.99, 0.999])
def test_it_is_the_debiased_mean_of_the_definition(weight: float) -> None:
    values = np.random.default_rng(1).normal(size=3000) + 5
    assert smooth(values, weight) == pytest.approx(by_hand(values.tolist(), weight), rel=1e-12)


def test_the_first_point_and_a_constant_series_keep_their_value() -> None:
    assert smooth(np.full(50, 3.0), 0.9) == pytest.approx(np.full(50, 3.0), rel=1e-14)


def test_what_is_not_finite_passes_through_and_leaves_the_mean_alone() -> None:
    values = np.array([1.0, math.nan, 2.0, math.inf, 3.0])
    expected = by_hand(values.tolist(), 0.6)
    assert smooth(values, 0.6) == pytest.approx(expected, nan_ok=True)


def test_an_empty_series_stays_empty() -> None:
    assert len(smooth(np.empty(0))) == 0


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=200),
    st.sampled_from([0.0, 0.6, 0.99]),
    st.integers(1, 50),
)
def test_piece_by_piece_it_is_the_same(values: list[float], weight: float, size: int) -> None:
    mean, pieces = Ema(weight), [np.empty(0)]
    for start in range(0, len(values), size):
        piece, mean = mean.extend(np.array(values[start : start + size]))
        pieces.append(piece)
    whole = smooth(np.array(values), weight)
    assert np.concatenate(pieces) == pytest.approx(whole, nan_ok=True, rel=1e-9, abs=1e-6)
