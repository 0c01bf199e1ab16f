from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.chart.axes.ranges import Span, bulk, outward, settle, spread, x_span

NONE = np.empty(0)


def test_one_bad_batch_does_not_stretch_the_range() -> None:
    values = np.random.default_rng(0).normal(2, 0.1, 500)
    values[100] = 80
    span = bulk(values, values, values[-5:])
    assert span is not None and span.high < 3


def test_a_curve_that_left_for_good_stays_in_view() -> None:
    values = np.concatenate([np.full(500, 1.0) + np.arange(500) / 1e4, [50.0, 60, 70, 80, 90]])
    span = bulk(values, values, values[-5:])
    assert span is not None and span.high >= 70


def test_nothing_finite_has_no_range() -> None:
    assert bulk(NONE, NONE, NONE) is None


def test_a_range_is_kept_while_the_data_fits() -> None:
    shown = Span(0.0, 2.0)
    assert settle(shown, Span(0.1, 1.9)) is shown
    assert settle(shown, Span(0.1, 2.1)).high >= 2.1
    assert settle(shown, Span(0.1, 0.9)).high < 1.1


def test_the_right_edge_stands_still_while_steps_arrive() -> None:
    edges = {
        x_span(1, last, recent=False, total=None, live=True).high for last in range(1000, 2000)
    }
    assert len(edges) <= 10


def test_the_right_edge_stops_at_the_planned_end() -> None:
    assert x_span(1, 2950, recent=False, total=3000, live=True).high == 3000
    assert x_span(1, 3010, recent=False, total=3000, live=True).high > 3010


def test_a_finished_run_fills_the_chart() -> None:
    assert x_span(1, 1240, recent=False, total=3000, live=False) == Span(0.0, 1240)


def test_the_recent_window_ends_at_the_newest_step() -> None:
    span = x_span(1, 10_000, recent=True, total=None, live=True)
    assert span.low >= 7500 and span.high >= 10_000


def test_a_run_that_was_resumed_late_does_not_start_at_zero() -> None:
    assert x_span(50_000, 60_000, recent=False, total=None, live=True).low == 50_000


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False))
def test_every_range_has_a_length(low: float, high: float) -> None:
    span = spread(min(low, high), max(low, high))
    wider = outward(span)
    assert span.low < span.high
    assert wider.low < wider.high
    assert wider.low <= span.low + 1e-6 * span.length
    assert wider.high >= span.high - 1e-6 * span.length


@given(
    st.floats(-1e12, 1e12),
    st.floats(0, 1e12),
    st.booleans(),
    st.booleans(),
    st.none() | st.floats(),
)
def test_every_run_is_in_view(
    first: float, length: float, recent: bool, live: bool, total: float | None
) -> None:
    span = x_span(first, first + length, recent=recent, total=total, live=live)
    assert span.low < span.high
    assert span.low <= first + length <= span.high + 1e-6 * span.length
