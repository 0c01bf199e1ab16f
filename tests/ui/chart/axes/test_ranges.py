from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.chart.axes.ranges import (
    Span,
    bulk,
    outward,
    rise_top,
    settle,
    spread,
    x_span,
)

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
    steps = range(1000, 10_000)
    edges = {x_span(1, one, recent=False, total=None, live=True).high for one in steps}
    assert sorted(edges) == [1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000, 10_000]


def test_a_growing_clock_ends_at_round_times() -> None:
    hours = [1.3, 1.6, 4.5, 13, 50, 1500]
    spans = [
        x_span(0, 3600 * one, recent=False, total=None, live=True, clock=True) for one in hours
    ]
    assert [span.high / 3600 for span in spans] == [1.5, 2, 5, 15, 60, 80 * 24]


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


@pytest.mark.parametrize("clock", [False, True])
@pytest.mark.parametrize(
    ("first", "last"), [(0, 5e-324), (-1.7e308, 1.7e308), (0, 1.7e308), (1e305, 1.7e308)]
)
def test_positions_of_any_size_have_a_range(first: float, last: float, clock: bool) -> None:
    span = x_span(first, last, recent=False, total=None, live=True, clock=clock)
    assert span.low < span.high < np.inf


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


def test_the_rise_of_a_loss_gets_half_of_the_range_whatever_it_began_at() -> None:
    epochs = np.arange(100)
    for start in (2.0, 60.0):
        loss = start * np.exp(-epochs / 5) + 0.9 + 0.004 * np.maximum(0, epochs - 30)
        top = rise_top(loss, float(loss.min()))
        assert top is not None and 0.45 <= (loss[-1] - loss.min()) / (top - loss.min()) <= 0.55


def test_noise_and_a_curve_that_still_falls_are_no_rise() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (50, 400))
    falls = 5 * np.exp(-np.arange(400) / 60) + 0.8
    assert not any(rise_top(falls + one, float((falls + one).min())) for one in noise)
    assert rise_top(falls, float(falls.min())) is None
    assert rise_top(NONE, 0.0) is None


def test_a_rise_that_is_seen_does_not_vanish_where_it_is_half_as_clear() -> None:
    loss = np.concatenate((np.linspace(4, 1, 40), np.linspace(1, 1.08, 40)))
    assert rise_top(loss, 1.0) is None
    assert rise_top(loss, 1.0, shown=1.2) == 1.2


def test_a_range_that_shows_a_rise_stays_while_the_rise_grows() -> None:
    loss = np.concatenate((np.linspace(4, 1, 40), np.linspace(1, 1.5, 60)))
    tops, shown = set(), None
    for count in range(60, 101):
        shown = rise_top(loss[:count], 1.0, shown)
        tops.add(shown)
    assert len(tops) <= 4


def test_only_the_first_descent_is_cut() -> None:
    waves = 3 * np.exp(-np.arange(120) / 10) + 0.2 + 0.15 * np.sin(np.arange(120) / 6)
    top = rise_top(waves[:116], 0.05)
    assert top is not None and 0.35 <= top < 1
