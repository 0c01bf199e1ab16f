from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.chart.axes.ranges import Span
from lossmon.ui.chart.curve_cache import Trace
from lossmon.ui.chart.downsample import ReducedCurve, edges, reduce
from lossmon.ui.chart.model import Curve


def columns_of(x: np.ndarray, y: np.ndarray, span: Span, width: int) -> ReducedCurve:
    columns = ReducedCurve.empty(width)
    reduce(columns, y, edges(x, span, width))
    return columns


def test_a_spike_among_a_million_points_is_kept() -> None:
    x = np.arange(1_000_000)
    y = np.zeros(1_000_000)
    y[777_777] = 9.0
    y[123_456] = -5.0
    columns = columns_of(x, y, Span(0, 1_000_000), 80)
    assert columns.high.max() == 9.0 and columns.low.min() == -5.0


def test_a_nan_among_a_million_points_is_kept_and_does_not_hide_its_neighbours() -> None:
    x = np.arange(1_000_000)
    y = np.ones(1_000_000)
    y[500_000] = math.nan
    columns = columns_of(x, y, Span(0, 1_000_000), 80)
    assert columns.bad.sum() == 1
    assert (columns.low == 1).all() and (columns.line == 1).all()


def test_the_last_position_belongs_to_the_last_column() -> None:
    columns = columns_of(np.array([0, 10]), np.array([1.0, 2.0]), Span(0, 10), 5)
    assert columns.points.tolist() == [1, 0, 0, 0, 1]


def test_whole_and_broken_positions_fall_into_the_same_columns() -> None:
    x = np.arange(0, 500, 7)
    span = Span(3.3, 444.4)
    assert edges(x, span, 37).tolist() == edges(x.astype(np.float64), span, 37).tolist()


def grown(sizes: list[int], curve: Curve, weight: float) -> Trace:
    trace = Trace()
    for size in sizes:
        part = Curve("train", curve.x[:size], curve.y[:size])
        trace.update(part, weight)
        trace.window(Span(0, 300), 40)
        trace.window(Span(0, 300), 50)
    return trace


@given(
    st.lists(st.floats(-1e3, 1e3) | st.just(math.nan), min_size=1, max_size=200),
    st.lists(st.integers(0, 200), max_size=5),
    st.sampled_from([0.0, 0.6]),
)
def test_a_curve_that_grew_is_the_curve_read_at_once(
    values: list[float], cuts: list[int], weight: float
) -> None:
    steps = np.sort(np.random.default_rng(len(values)).integers(0, 300, len(values)))
    curve = Curve("train", steps, np.array(values))
    sizes = sorted({min(cut, len(values)) for cut in cuts} | {len(values)})
    live = grown(sizes, curve, weight).drawn(Span(0, 300), 40, 20)
    once = grown([len(values)], curve, weight).drawn(Span(0, 300), 40, 20)
    for one, other in zip(
        (live.columns.low, live.columns.high, live.columns.line, live.columns.bad),
        (once.columns.low, once.columns.high, once.columns.line, once.columns.bad),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_a_curve_with_another_past_is_taken_from_its_start() -> None:
    x, y = np.arange(100), np.linspace(3, 1, 100)
    trace = Trace()
    trace.update(Curve("train", x, y), 0.6)
    restarted = np.concatenate([y[:50], np.full(80, 7.0)])
    trace.update(Curve("train", np.arange(130), restarted), 0.6)
    columns = trace.window(Span(0, 130), 13).columns
    assert columns.line[-1] == 7.0 and columns.points.sum() == 130


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=60),
    st.sampled_from([0.0, 0.3, 0.6]),
)
def test_the_line_of_few_points_goes_through_each_of_them(
    values: list[float], weight: float
) -> None:
    x = np.arange(len(values)) * 10
    trace = Trace()
    trace.update(Curve("train", x, np.array(values)), weight)
    window = trace.drawn(Span(0, x[-1]), 240, 120)
    assert not window.smoothed and trace.line_end is None
    known = np.flatnonzero(window.columns.points)
    drawn = zip(window.columns.low[known], window.columns.high[known], strict=True)
    assert [low for low, _ in drawn] == values


@pytest.mark.parametrize(("count", "smoothed"), [(1, False), (4, False), (40, True)])
def test_a_few_points_are_not_smoothed_however_close_they_are(count: int, smoothed: bool) -> None:
    trace = Trace()
    trace.update(Curve("train", np.arange(count), np.linspace(2, 1, count)), 0.6)
    assert trace.drawn(Span(0, 10_000), 200, 100).smoothed is smoothed


def test_the_line_of_many_points_is_smoothed_and_its_end_is_known() -> None:
    x = np.arange(5000)
    noisy = np.linspace(2, 1, 5000) + np.random.default_rng(2).normal(0, 0.2, 5000)
    trace = Trace()
    trace.update(Curve("train", x, noisy), 0.6)
    window = trace.drawn(Span(0, 5000), 200, 100)
    assert window.smoothed
    assert trace.line_end is not None and abs(trace.line_end - 1.0) < 0.1
    middle = trace.line_at(2500.0)
    assert middle is not None and abs(middle - 1.5) < 0.1


def test_a_heavier_smoothing_smooths_sparser_curves() -> None:
    x = np.arange(60)
    trace = Trace()
    trace.update(Curve("train", x, np.sin(x)), 0.9)
    assert trace.drawn(Span(0, 60), 200, 100).smoothed


def test_a_clock_that_was_set_back_stands_still_meanwhile() -> None:
    x = np.array([math.nan, 10.0, 20.0, 5.0, math.nan, 30.0])
    trace = Trace()
    trace.update(Curve("train", x, np.arange(6.0)), 0.0)
    window = trace.window(Span(10, 30), 3)
    assert window.columns.points.tolist() == [2, 3, 1]


def test_a_curve_without_any_position_has_no_points() -> None:
    trace = Trace()
    trace.update(Curve("train", np.full(3, math.nan), np.arange(3.0)), 0.6)
    assert len(trace) == 0


def test_the_points_beside_a_window_are_known() -> None:
    trace = Trace()
    trace.update(Curve("train", np.array([0, 10, 20]), np.array([1.0, 2.0, 3.0])), 0.0)
    window = trace.window(Span(5, 15), 10)
    assert window.before == (-5.0, 1.0) and window.after == (15.0, 3.0)


def test_the_newest_step_is_in_view_whatever_the_steps_of_an_epoch() -> None:
    for total in range(1500, 2500, 7):
        unit = float(round(total / 3))
        span = Span(0.0, total / unit * unit * (1 - 1e-15))
        assert edges(np.arange(1, total + 1), span, 1)[-1] == total
