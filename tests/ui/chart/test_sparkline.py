from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.chart.axes.ranges import Span
from lossmon.ui.chart.sparkline import sparkline, sparkline_over


def test_the_newest_value_stands_at_the_right() -> None:
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8) == "▁▂▃▄▄▅▆▇"


def test_one_spike_in_a_thousand_is_seen() -> None:
    values = np.zeros(1000)
    values[501] = 9
    assert sparkline(values, 10) == "▁▁▁▁▁▴▁▁▁▁"
    assert sparkline(-values, 10) == "▁▁▁▁▁▾▁▁▁▁"


def test_what_is_not_finite_is_a_cross() -> None:
    assert sparkline([1, math.nan, 2, math.inf], 4) == "▁×▇×"
    assert sparkline([math.nan], 4) == "×"


def test_a_constant_series_is_flat_and_an_empty_one_is_empty() -> None:
    assert sparkline([7, 7, 7], 9) == "▁▁▁"
    assert sparkline([], 9) == sparkline([1, 2], 0) == ""


def test_ascii_uses_ascii_alone() -> None:
    assert sparkline([1, math.nan, 2], 3, ascii=True) == "_x*"


@given(st.lists(st.floats(), max_size=50), st.integers(-1, 60))
def test_any_values_fit_the_width(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == max(0, min(width, len(values)))


def test_noise_round_a_level_is_no_barcode() -> None:
    noise = np.random.default_rng(4).normal(1.0, 0.2, 4000)
    assert set(sparkline(noise, 40)) <= set("▃▄▅")


def test_a_step_and_a_ramp_keep_their_shape() -> None:
    step = np.concatenate([np.zeros(500), np.ones(500)])
    assert sparkline(step, 10) == "▁▁▁▁▁▇▇▇▇▇"
    assert sparkline(np.linspace(1, 0, 1000), 14) == "▇▆▆▆▅▅▄▄▃▃▃▂▂▁"


def test_a_curve_that_begins_far_away_or_leaves_for_good_is_no_spike() -> None:
    falling = np.concatenate([[50.0, 20.0], np.linspace(2, 1, 98)])
    assert sparkline(falling, 50)[0] == "▇"
    assert sparkline(falling[::-1], 50)[-1] == "▇"


def test_sparse_values_last_until_the_newest_step_and_no_further() -> None:
    steps, values = np.array([20, 60]), np.array([1.0, 2.0])
    assert sparkline_over(steps, values, Span(0, 100), 79.0, 10) == "  ▁▁▁▁▇▇  "
    assert sparkline_over(steps[:0], values[:0], Span(0, 100), 79.0, 4) == "    "


@given(
    st.lists(st.tuples(st.integers(-9, 120), st.floats()), max_size=50),
    st.integers(0, 30),
    st.floats(0, 100),
)
def test_any_series_fills_its_cells(
    points: list[tuple[int, float]], width: int, until: float
) -> None:
    steps = np.array([step for step, _ in points], np.int64)
    values = np.array([value for _, value in points], np.float64)
    assert len(sparkline_over(steps, values, Span(0, 100), until, width)) == width
