"""The mouse on a chart: a click sets the cursor, the wheel zooms, dragging pans."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual.widget import Widget

from lossmon.ui.widgets.charts.chart import Chart
from lossmon.ui.widgets.charts.viewport import ChartViewport

CLOSER, FARTHER = 0.8, 1.25
"""Factors of the window per notch of the wheel."""

SIDEWAYS = 0.1
"""Share of the window per notch of a wheel that is turned sideways."""


class ChartPointer(Widget):
    """A widget with one chart that follows the mouse.

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
