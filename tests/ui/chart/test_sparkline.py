from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.chart.sparkline import sparkline


def test_the_newest_value_stands_at_the_right() -> None:
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8) == "▁▂▃▄▅▆▇█"


def test_one_spike_in_a_thousand_is_seen() -> None:
    values = np.zeros(1000)
    values[501] = 9
    assert sparkline(values, 10) == "▁▁▁▁▁█▁▁▁▁"
    assert sparkline(-values, 10) == "█████▁████"


def test_what_is_not_finite_is_a_cross() -> None:
    assert sparkline([1, math.nan, 2, math.inf], 4) == "▁×█×"
    assert sparkline([math.nan], 4) == "×"


def test_a_constant_series_is_flat_and_an_empty_one_is_empty() -> None:
    assert sparkline([7, 7, 7], 9) == "▁▁▁"
    assert sparkline([], 9) == sparkline([1, 2], 0) == ""


def test_ascii_uses_ascii_alone() -> None:
    assert sparkline([1, math.nan, 2], 3, ascii=True) == "_x#"


@given(st.lists(st.floats(), max_size=50), st.integers(-1, 60))
def test_any_values_fit_the_width(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == max(0, min(width, len(values)))
