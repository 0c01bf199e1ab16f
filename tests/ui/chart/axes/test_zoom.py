"""The stretch of the horizontal in view: zoomed, moved, following."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.ui.chart.axes.limits import following, holding, moved, zoomed
from lossmon.ui.chart.axes.ranges import Span

WHOLE = Span(0.0, 1000.0)
places = st.floats(0, 1000)


def inner(low: float, length: float) -> Span:
    """A stretch within the whole."""
    return Span(low * (1000 - length) / 1000, low * (1000 - length) / 1000 + length)


stretches = st.builds(inner, places, st.floats(1, 999))


def test_zooming_in_keeps_the_anchor_where_it_stands() -> None:
    near = zoomed(Span(200, 600), WHOLE, 0.5, 300, 1)
    assert near == Span(250, 450)


def test_zooming_out_ends_with_the_whole() -> None:
    assert zoomed(Span(200, 800), WHOLE, 2.0, 300, 1) is None


@given(stretches, places, st.sampled_from([0.5, 0.8, 1.25, 2.0]), st.floats(0.1, 50))
def test_a_zoomed_stretch_lies_within_the_whole(
    shown: Span, anchor: float, factor: float, least: float
) -> None:
    near = zoomed(shown, WHOLE, factor, anchor, least)
    if near is not None:
        assert near.low >= -1e-9 and near.high <= 1000 + 1e-9
        assert near.length >= least * (1 - 1e-9)


@given(stretches, st.floats(-3, 3))
def test_a_moved_stretch_keeps_its_length_and_stays_inside(shown: Span, by: float) -> None:
    there = moved(shown, WHOLE, by)
    assert there.length == pytest.approx(shown.length)
    assert there.low >= 0 and there.high <= 1000 + 1e-9


@given(stretches, places)
def test_a_place_is_brought_into_view(shown: Span, place: float) -> None:
    there = holding(shown, WHOLE, place)
    assert there.low - 1e-6 <= place <= there.high + 1e-6
    assert there.length == pytest.approx(shown.length)


@given(stretches, st.floats(0, 5000))
def test_a_stretch_follows_only_what_was_in_view(shown: Span, grown: float) -> None:
    out_of_view = shown.high + 1
    assert following(shown, out_of_view, out_of_view + grown) == shown
    there = following(shown, shown.high, shown.high + grown)
    assert there.low <= shown.high + grown <= there.high + 1e-6
    assert there.length == pytest.approx(shown.length)


def test_a_stretch_that_follows_moves_in_steps() -> None:
    assert following(Span(0, 800), 800, 801) == Span(100, 900)
    assert following(Span(100, 900), 801, 880) == Span(100, 900)
