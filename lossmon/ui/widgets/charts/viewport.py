"""Viewport of a chart, and the mouse: a click sets the cursor, the wheel zooms, a drag pans."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual import events
from textual.geometry import Offset
from textual.widget import Widget

from lossmon.ui.chart.axes.limits import (
    Limit,
    LimitsError,
    ahead,
    following,
    holding,
    moved,
    zoomed,
)
from lossmon.ui.chart.axes.ranges import Span
from lossmon.ui.chart.markers import Marker, jump
from lossmon.ui.chart.model import ChartModel
from lossmon.ui.chart.positions import end_of, position_in, translated
from lossmon.ui.chart.readout import Reading, readout, step_to
from lossmon.ui.widgets.charts.chart import Chart

FAR = 20
"""Points that the cursor goes at once with shift, at least."""

FAR_SHARE = 0.05
"""Least share of the window for that: among a million points, twenty are too few to see."""

CLOSEST = 4
"""Points that stay in view however far one zooms in."""


class ChartViewport:
    """Moves over the model of a chart; the chart tells what it shows.

    Attributes:
        model: What there is to look at.
        window: Positions in view, None for all (or the newest part, as the look says).
        cursor: Position of the cursor, None where there is none.
        values: Typed limits of the values, or None.
    """

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self.model = ChartModel()
        self.window: Span | None = None
        self.cursor: float | None = None
        self.values: tuple[float, float] | None = None

    def forget(self) -> None:
        """Look at everything, as at first."""
        self.window, self.cursor, self.values = None, None, None

    @property
    def follows(self) -> bool:
        """Whether the newest point is in view, and stays so."""
        return self.window is None or self.window.low <= end_of(self.model) <= self.window.high

    @property
    def newest(self) -> float:
        """The newest position, or the right edge where that is out of view."""
        frame = self._chart.frame
        return end_of(self.model) if frame is None or self.follows else frame.x.high

    def readings(self) -> tuple[Reading, ...]:
        """What the curves say at the cursor, or at the newest place in view."""
        at = self.cursor
        if at is None:
            at = math.inf if self.follows else self.newest
        return readout(self.model, at, self._chart.traces)

    # ------------------------------------------------------------------------------- data

    def update(self, model: ChartModel, *, other_axis: bool, other_part: bool) -> None:
        """Take newer data.

        Args:
            model: What there is to look at now.
            other_axis: The horizontal counts something else.
            other_part: The newest part instead of all, or the other way round.
        """
        old, self.model = self.model, model
        if other_axis or old.log_x is not model.log_x:
            self._translate(old)
        elif other_part:
            self.window = None
        elif self.window is not None:
            self.window = following(self.window, end_of(old), end_of(model))

    def _translate(self, old: ChartModel) -> None:
        """Stay at the same points although the horizontal counts something else."""
        if self.cursor is not None:
            self.cursor = translated(self.cursor, old, self.model)
        if self.window is not None:
            low = translated(self.window.low, old, self.model)
            high = translated(self.window.high, old, self.model)
            known = low is not None and high is not None and high > low
            self.window = Span(low or 0.0, high or 0.0) if known else None

    # ------------------------------------------------------------------------------ cursor

    def look_at(self, step: int) -> None:
        """Put the cursor on a step, and the window round it."""
        place = position_in(self.model, step)
        if place is not None:
            self.put(place)

    def put(self, place: float) -> None:
        """Put the cursor on a place and have it in view."""
        frame, whole = self._chart.frame, self._chart.whole
        self.cursor = place
        if frame is not None and whole is not None:
            kept = holding(frame.x, whole, place)
            if kept != frame.x:
                self.window = kept

    def point(self, place: float) -> None:
        """Put the cursor on the point nearest to a place."""
        nearest = self._along(place, 0)
        if math.isfinite(nearest):
            self.put(nearest)

    def move(self, points: int) -> None:
        """Move the cursor along the curve; it first appears at the newest point in view."""
        if self.cursor is None:
            self.point(self.newest)
        else:
            self.put(self._along(self.cursor, points))

    def far(self, direction: int) -> None:
        """Move the cursor by many points."""
        frame = self._chart.frame
        if self.cursor is None or frame is None:
            self.move(direction)
            return
        near = self._along(self.cursor, direction * FAR)
        far = self._along(self.cursor + direction * FAR_SHARE * frame.x.length, 0)
        self.put(max(near, far) if direction > 0 else min(near, far))

    def mark(self, markers: Sequence[Marker], direction: int) -> None:
        """Put the cursor on the next mark, round the ends; without a cursor from the edge."""
        frame, start = self._chart.frame, self.cursor
        if start is None and direction > 0 and frame is not None:
            start = math.nextafter(frame.x.low, -math.inf)
        elif start is None:
            start = -math.inf if direction > 0 else math.inf
        place = jump(markers, self.model.curves, frame, start, direction)
        if place is not None:
            self.put(place)

    def _along(self, place: float, points: int) -> float:
        return step_to(self.model, place, points, self._chart.traces)

    # ------------------------------------------------------------------------------ window

    def zoom(self, factor: float, anchor: float | None = None) -> None:
        """Zoom at a place, else at the cursor, else at the newest end in view."""
        frame, whole = self._chart.frame, self._chart.whole
        if frame is None or whole is None:
            return
        if anchor is None:
            anchor = self.newest if self.cursor is None else self.cursor
        self.window = zoomed(frame.x, whole, factor, anchor, self._least(anchor, whole))

    def _least(self, anchor: float, whole: Span) -> float:
        """Length of a window that still holds some points round a place."""
        here, left, right = (self._along(anchor, by) for by in (0, -CLOSEST // 2, CLOSEST // 2))
        return max(2 * (right - here), 2 * (here - left), whole.length * 1e-9)

    def pan(self, share: float) -> None:
        """Move the window by a share of its length."""
        frame, whole = self._chart.frame, self._chart.whole
        if frame is not None and whole is not None and frame.x != whole:
            # A window that is short stops where the curve does, not at the end of its axis.
            high = min(whole.high, ahead(frame.x.length, end_of(self.model)))
            self.window = moved(frame.x, Span(whole.low, max(high, frame.x.high)), share)

    def edge(self, side: int) -> None:
        """To the first point, or to the newest, where the cursor is dropped."""
        frame, whole = self._chart.frame, self._chart.whole
        if frame is None or whole is None:
            return
        self.cursor = self._along(-math.inf, 0) if side < 0 else None
        if self.window is not None or not frame.x.holds(whole):
            length = frame.x.length
            high = min(whole.high, ahead(length, end_of(self.model)))
            low = whole.low if side < 0 else max(whole.low, high - length)
            self.window = Span(low, low + length)

    # ------------------------------------------------------------------------------ limits

    def limit(self, limits: Sequence[Limit]) -> None:
        """Set typed limits, all of them or none.

        Raises:
            LimitsError: One of them leaves an end open and lies beyond it.
        """
        for limit, span in [(limit, self._range(limit)) for limit in limits]:
            if limit.axis == "x":
                self.window = span
            else:
                self.values = None if span is None else (span.low, span.high)

    def _range(self, limit: Limit) -> Span | None:
        """The range that a limit asks for; an end that it leaves open is the one in view."""
        if limit.automatic:
            return None
        frame, shown = self._chart.frame, Span(0.0, 1.0)
        if frame is not None:
            shown = frame.x if limit.axis == "x" else frame.y
            if limit.axis == "y" and frame.log:
                shown = Span(10.0**shown.low, 10.0**shown.high)
        low, high = limit.low, limit.high
        if limit.axis == "x" and self.model.log_x:
            # What is not positive is beyond the axis: that end stays as it is.
            low = math.log10(low) if low is not None and low > 0 else None
            high = math.log10(high) if high is not None and high > 0 else None
        low = shown.low if low is None else low
        high = shown.high if high is None else high
        if not low < high:
            raise LimitsError(f"{low:g}..{high:g}", "the upper limit must be higher")
        return Span(low, high)


CLOSER, FARTHER = 0.8, 1.25
"""Factors of the window per notch of the wheel."""

SIDEWAYS = 0.1
"""Share of the window per notch of a wheel that is turned sideways."""


class ChartPointer(Widget):
    """A widget with one chart that follows the mouse and the keys of the cursor.

    Attributes:
        chart: The chart.
        viewport: Where in it the user looks.
    """

    chart: Chart
    viewport: ChartViewport
    _grabbed: int | None = None
    """Column of the screen at which the chart was grabbed."""
    _pressed: Offset | None = None
    """Cell of the screen at which the button was pressed."""

    def looked(self) -> None:
        """Draw what the user looks at now."""
        raise NotImplementedError

    def may_point(self) -> bool:
        """Whether the mouse is for the chart now."""
        return True

    def action_move(self, points: int) -> None:
        """Move the cursor along the curve; the first key puts it on the newest point in view."""
        self.viewport.move(points)
        self.looked()

    def action_far(self, direction: int) -> None:
        """Move the cursor by many points."""
        self.viewport.far(direction)
        self.looked()

    def is_still(self, event: events.Click) -> bool:
        """Whether a click is one, and not the end of dragging."""
        return event.screen_offset == self._pressed

    def on_click(self, event: events.Click) -> None:
        place = self._pointed(event)
        if place is not None and self.is_still(event) and self.may_point():
            self.viewport.point(place)
            self.looked()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._pressed = event.screen_offset
        held = event.button == 1 and self._pointed(event) is not None
        self._grabbed = event.screen_x if held else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        frame = self.chart.frame
        if not event.button or self._grabbed is None or frame is None or not self.chart.cell:
            return
        cells, self._grabbed = event.screen_x - self._grabbed, event.screen_x
        if cells:
            self.viewport.pan(-cells * self.chart.cell / frame.x.length)
            self.looked()

    def on_mouse_up(self) -> None:
        self._grabbed = None

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, CLOSER)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, FARTHER)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        self._turn(event, -SIDEWAYS)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        self._turn(event, SIDEWAYS)

    def _wheel(self, event: events.MouseEvent, factor: float) -> None:
        place = self._pointed(event)
        if place is not None and self.may_point():
            event.stop()
            self.viewport.zoom(factor, place)
            self.looked()

    def _turn(self, event: events.MouseEvent, share: float) -> None:
        if self._pointed(event) is not None:
            event.stop()
            self.viewport.pan(share)
            self.looked()

    def _pointed(self, event: events.MouseEvent) -> float | None:
        """The position under the mouse; None beside the curves."""
        around = self.chart.content_region
        if not around.contains(event.screen_x, event.screen_y):
            return None
        return self.chart.position_at(event.screen_x - around.x)
