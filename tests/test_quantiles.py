"""Order statistics agree with numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.quantiles import median, quantile

columns = st.lists(st.floats(-1e100, 1e100), min_size=1, max_size=30).map(np.array)


@given(columns)
def test_the_median_is_numpys(values: np.ndarray) -> None:
    assert median(values) == pytest.approx(float(np.median(values)), rel=1e-9, abs=1e-200)


@given(columns, st.floats(0, 1))
def test_a_quantile_is_numpys(values: np.ndarray, share: float) -> None:
    spread = float(np.abs(values).max())
    expected = float(np.quantile(values, share))
    assert quantile(values, share) == pytest.approx(expected, abs=1e-12 * spread)


def test_the_middle_of_two_huge_values_is_finite() -> None:
    assert median(np.array([1.7e308, 1.6e308])) == pytest.approx(1.65e308)
