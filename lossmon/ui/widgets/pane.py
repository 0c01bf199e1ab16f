"""A pane: a chart in a thin frame whose edges carry the numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from lossmon.ui.chart.curve_cache import Trace
from lossmon.ui.chart.model import ChartModel, ChartOptions
from lossmon.ui.chart.readout import readout, step_to
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, choose, clean, fit, width
from lossmon.ui.widgets.chart import Chart
from lossmon.ui.widgets.panel import Panel

Titles = Callable[[Sequence[Trace], int], Sequence[tuple[int, Line]]]


def no_titles(_traces: Sequence[Trace], _room: int) -> Sequence[tuple[int, Line]]:
    """The title of a pane that shows nothing."""
    return ()


class Edge(Panel):
    """The upper or lower edge of a pane, with a text in it.

    Args:
        corners: The characters at both ends.
        left: The text stands at the left; else at the right.
    """

    def __init__(self, corners: str, *, left: bool) -> None:
        super().__init__()
        self._corners = corners
        self._left = left
        self.parts: Sequence[tuple[int, Line]] = ()
        self.role = "frame"

    def show(self, parts: Sequence[tuple[int, Line]], role: str) -> None:
        """Show text with importance, and the frame in a role."""
        self.parts, self.role = parts, role
        self.redraw()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return [self._edge(width)]

    def _edge(self, room: int) -> Line:
        start, end = self._corners[0], self._corners[1]
        if room < 6:
            return fit(((start + "─" * (room - 2) + end, self.role),), room)
        text = choose(self.parts, room - 6, 2)
        if text:
            text = ((" ", TEXT), *text, (" ", TEXT))
        rule = "─" * (room - 3 - width(text))
        if self._left:
            return ((start + "─", self.role), *text, (rule + end, self.role))
        return ((start + rule, self.role), *text, ("─" + end, self.role))


class LossPane(Widget, can_focus=True):
    """A chart with its title and its footer; with the focus it has a cursor."""

    DEFAULT_CSS = """
    LossPane { layout: vertical; width: 1fr; height: 1fr; }
    LossPane Chart { width: 1fr; height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "left", id="chart.left", tooltip="Cursor one point left"),
        Binding("right", "move(1)", "right", id="chart.right", tooltip="Cursor one point right"),
        Binding(
            "shift+left", "move(-20)", "far left", id="chart.far_left", tooltip="Cursor far left"
        ),
        Binding(
            "shift+right", "move(20)", "far right", id="chart.far_right", tooltip="Cursor far right"
        ),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.upper = Edge("╭╮", left=True)
        self.lower = Edge("╰╯", left=False)
        self.chart = Chart()
        self.cursor: float | None = None
        self._model, self._options = ChartModel(), ChartOptions()
        self._titles: Titles = no_titles
        self._footer: Line = EMPTY

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.chart
        yield self.lower

    def show(
        self,
        model: ChartModel,
        options: ChartOptions,
        titles: Titles,
        footer: Line,
    ) -> None:
        """Show a chart with its title and its footer.

        Args:
            model: What to draw.
            options: How to draw it.
            titles: Parts of the title by importance, for the curves as they were drawn and so
                many cells.
            footer: What the lower edge says without a cursor.
        """
        if options.x_axis != self._options.x_axis:
            self.cursor = None
        self._model, self._options = model, options
        self._titles, self._footer = titles, footer
        self._draw()

    def action_move(self, points: int) -> None:
        """Move the cursor along the curve; the first key puts it on the newest point."""
        start, by = (math.inf, 0) if self.cursor is None else (self.cursor, points)
        place = step_to(self._model, start, by)
        self.cursor = place if math.isfinite(place) else None
        self._draw()

    def drop_cursor(self) -> bool:
        """Take the cursor away; False if there was none."""
        had, self.cursor = self.cursor is not None, None
        if had:
            self._draw()
        return had

    def on_resize(self) -> None:
        self._draw()

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        if not _has_focus:
            self.drop_cursor()
        self._edges()

    def _draw(self) -> None:
        self.chart.show(self._model, replace(self._options, cursor=self.cursor))
        self._edges()

    def _edges(self) -> None:
        role = "focus" if self.has_focus else "frame"
        room = self.size.width or self.app.size.width
        self.upper.show(self._titles(self.chart.traces, room), role)
        footer = [(0, self._footer)]
        if self.cursor is not None:
            footer = reading_parts(self._model, self.cursor, self.chart.traces)
        self.lower.show(footer, role)


def reading_parts(
    model: ChartModel, cursor: float, traces: Sequence[Trace]
) -> list[tuple[int, Line]]:
    """What the curves say at the cursor: step, values, smoothed values, time of day."""
    readings = readout(model, cursor, traces)
    if not readings:
        return []
    lead = readings[0]
    parts: list[tuple[int, Line]] = [
        (0, (("step ", MUTED), (f"{lead.step:,}", TEXT))),
    ]
    for order, reading in enumerate(readings, 1):
        curve = model.curves[reading.curve]
        value = f"{clean(curve.name)} {numbers.value(reading.value)}"
        role = curve.style if curve.style in ("train", "eval") else TEXT
        line: Line = ((value, role),)
        if math.isfinite(reading.smoothed):
            line = (*line, (f" (line {numbers.value(reading.smoothed)})", MUTED))
        parts.append((order, line))
    if math.isfinite(lead.wall_time):
        clock = time.strftime("%H:%M:%S", time.localtime(lead.wall_time))
        parts.append((9, ((clock, MUTED),)))
    return parts


def separator() -> Line:
    """Stands between the curves of one title."""
    return (("·", MUTED),)
