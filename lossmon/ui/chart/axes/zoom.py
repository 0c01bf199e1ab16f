"""Which stretch of the horizontal is in view: zoomed, moved along, and kept up with new data."""

from __future__ import annotations

import math

from lossmon.ui.chart.axes.ranges import Span
from lossmon.ui.chart.axes.ticks import nice_floor

_AHEAD = 8
"""A stretch that follows moves on by a nice part of its length, at most this many of it: the
picture stands still in between."""


def zoomed(shown: Span, whole: Span, factor: float, anchor: float, least: float) -> Span | None:
    """The stretch after zooming; the anchor keeps its place on the screen.

    Args:
        shown: What is in view.
        whole: All that there is.
        factor: How much longer the stretch becomes; below 1 zooms in.
        anchor: Position to zoom at, in shown units; taken into the stretch if it is outside.
        least: Length below which nothing more would be seen.

    Returns:
        The new stretch, or None where it would hold the whole.
    """
    anchor = min(max(anchor, shown.low), shown.high)
    length = max(shown.length * factor, least)
    if length >= whole.length:
        return None
    share = (anchor - shown.low) / shown.length
    return within(Span(anchor - share * length, anchor + (1 - share) * length), whole)


def moved(shown: Span, whole: Span, by: float) -> Span:
    """The stretch moved by a share of its length; it stops at the ends of the whole."""
    distance = by * shown.length
    return within(Span(shown.low + distance, shown.high + distance), whole)


def holding(shown: Span, whole: Span, place: float) -> Span:
    """The stretch, moved as far as it takes to have a position in view with some room beside."""
    if shown.low <= place <= shown.high:
        return shown
    side = 0.1 if place > shown.high else 0.9
    low = place - (1 - side) * shown.length
    return within(Span(low, low + shown.length), whole)


def following(shown: Span, before: float, now: float) -> Span:
    """The stretch for data that has grown from `before` to `now`.

    It follows while its right edge is in view: the newest position was in it. Otherwise it
    stands still.
    """
    if not shown.low <= before <= shown.high or now <= shown.high:
        return shown
    quantum = nice_floor(shown.length / _AHEAD)
    high = math.ceil(now / quantum - 1e-9) * quantum
    return Span(high - shown.length, high) if high > high - shown.length else shown


def within(span: Span, whole: Span) -> Span:
    """A stretch moved until it lies within the whole, as far as it fits there."""
    low = min(max(span.low, whole.low), max(whole.low, whole.high - span.length))
    return Span(low, low + span.length) if low + span.length > low else span
