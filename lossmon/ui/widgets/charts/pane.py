"""Panes: charts in a thin frame whose edges carry the numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from lossmon.ui.chart.model import ChartModel, ChartOptions
from lossmon.ui.chart.painter import SERIES_ROLES
from lossmon.ui.chart.readout import Reading
from lossmon.ui.dashboard.main_panes import (
    CRAMPED,
    PANES,
    PaneContent,
    PanePlan,
    Titles,
    content_of,
    no_titles,
    pane_plans,
    plans_in,
)
from lossmon.ui.metrics.entries import key_of
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line, clean, edge_line
from lossmon.ui.widgets.charts.chart import Chart
from lossmon.ui.widgets.charts.viewport import ChartPointer, ChartViewport
from lossmon.ui.widgets.guarded import Guarded
from lossmon.ui.widgets.panel import Panel


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
        return [edge_line(self._corners, self.parts, self.role, width, left=self._left)]


class ChartPane(Guarded, Widget):
    """A chart in a thin frame whose edges carry the numbers."""

    DEFAULT_CSS = """
    ChartPane { layout: vertical; width: 1fr; height: 1fr; }
    ChartPane Chart { border-left: round $frame; border-right: round $frame; }
    ChartPane:focus Chart, ChartPane.-chosen Chart {
        border-left: round $focus; border-right: round $focus;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.upper = Edge("╭╮", left=True)
        self.chart = Chart()
        self.lower = Edge("╰╯", left=False)

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.chart
        yield self.lower


class LossPane(ChartPane, ChartPointer, can_focus=True):
    """A main chart; it has a cursor and can be zoomed."""

    class Looked(Message):
        """The user looked at another part of the chart of a pane."""

        def __init__(self, pane: LossPane) -> None:
            super().__init__()
            self.pane = pane

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "left", id="chart.left", tooltip="Cursor one point left"),
        Binding("right", "move(1)", "right", id="chart.right", tooltip="Cursor one point right"),
        Binding("shift+left", "far(-1)", "far left", id="chart.far_left",
                tooltip="Cursor far left"),
        Binding("shift+right", "far(1)", "far right", id="chart.far_right",
                tooltip="Cursor far right"),
    ]  # fmt: skip

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.viewport = ChartViewport(self.chart)
        self._options = ChartOptions()
        self._titles: Titles = no_titles
        self._footer: Line = EMPTY
        self._scene = Scene()

    def show(self, scene: Scene, content: PaneContent) -> None:
        """Show a chart of the run of a scene with its title and its footer."""
        before, self._scene = self._scene, scene
        if before.run is None or scene.run is None or before.run.path != scene.run.path:
            self.viewport.forget()
        options = content.options
        self.viewport.update(
            content.model,
            other_axis=options.x_axis is not self._options.x_axis,
            other_part=options.recent is not self._options.recent,
        )
        self._options = options
        self._titles, self._footer = content.titles, content.footer
        self._draw()

    def empty(self) -> None:
        """Show nothing, and keep no columns, while it is hidden."""
        if self._scene.run is not None:
            self.show(Scene(), PaneContent(ChartModel(), self._options, no_titles, EMPTY))

    def drop_cursor(self) -> bool:
        """Take the cursor away, else show the whole run again; False if neither was needed."""
        viewport = self.viewport
        if viewport.cursor is None and viewport.window is None:
            return False
        if viewport.cursor is None:
            viewport.window = None
        viewport.cursor = None
        self.looked()
        return True

    def looked(self) -> None:
        self._draw()
        self.post_message(self.Looked(self))

    def look_like(self, other: LossPane) -> None:
        """Look at the same part as another pane, where both have one axis."""
        same = self._options.x_axis is other._options.x_axis
        same = same and self.viewport.model.log_x is other.viewport.model.log_x
        if same and self.viewport.window != other.viewport.window:
            self.viewport.window = other.viewport.window
            self._draw()

    def on_click(self, event: events.Click) -> None:
        """Two clicks open the chart, and so does one on its title."""
        # The base sets the cursor.
        is_title = event.get_content_offset(self.upper) is not None
        if self.can_focus and self.is_still(event) and (is_title or event.chain > 1):
            self.call_later(self.run_action, "screen.open")

    def on_resize(self) -> None:
        self._draw()

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        if not _has_focus and self.viewport.cursor is not None:
            self.viewport.cursor = None
            self._draw()
        self._edges()

    def _draw(self) -> None:
        window = self.viewport.window
        span = None if window is None else (window.low, window.high)
        options = replace(self._options, cursor=self.viewport.cursor, x_range=span)
        self.chart.show(self.viewport.model, options)
        self._edges()

    def _edges(self) -> None:
        role = "focus" if self.has_focus else "frame"
        room = self.size.width or self.app.size.width
        self.upper.show(self._titles(self.chart.traces, room), role)
        say = self._scene.say
        footer = [(0, self._footer)]
        if self.viewport.cursor is not None:
            footer = reading_parts(self._scene, self.viewport.readings(), self.viewport.model)
        if self.viewport.window is not None:
            word = "following" if self.viewport.follows else "fixed window"
            footer.append((1, ((say(word), MUTED),)))
        self.lower.show(footer, role)


def reading_parts(
    scene: Scene, readings: Sequence[Reading], model: ChartModel
) -> list[tuple[int, Line]]:
    """What the curves say at the cursor: step, values, smoothed values, time of day."""
    if not readings:
        return []
    say, lead = scene.say, readings[0]
    parts: list[tuple[int, Line]] = [
        (0, scene.step(f"{lead.step:,}")),
    ]
    for order, reading in enumerate(readings, 1):
        curve = model.curves[reading.curve]
        value = f"{clean(scene.metric(curve.name))} {numbers.value(reading.value)}"
        known = curve.style if curve.style in ("train", "eval") else TEXT
        role = SERIES_ROLES.get(curve.style, known)
        line: Line = ((value, role),)
        if math.isfinite(reading.smoothed):
            line = (*line, (f" ({say('smoothed')} {numbers.value(reading.smoothed)})", MUTED))
        parts.append((order, line))
    if math.isfinite(lead.wall_time):
        clock = time.strftime("%H:%M:%S", time.localtime(lead.wall_time))
        parts.append((9, ((clock, MUTED),)))
    return parts


class Losses(Guarded, Widget):
    """The main charts, side by side, one above the other, or in one pane."""

    DEFAULT_CSS = "Losses { width: 1fr; height: 1fr; layout: vertical; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.scene = Scene()
        self.panes = {name: LossPane(id=name) for name in PANES}

    def compose(self) -> ComposeResult:
        yield from self.panes.values()

    def on_mount(self) -> None:
        """Share the charts out again: which panes have a place is known from here on."""
        self.show(self.scene)

    def show(self, scene: Scene) -> None:
        """Show the main charts of a scene's run."""
        self.scene = scene
        wanted = pane_plans(scene)
        styled = self.is_mounted
        self.set_class("train" not in wanted, "-without-train", update=styled)
        self.set_class("eval" not in wanted, "-without-eval", update=styled)
        self.set_class("more" in wanted, "-with-more", update=styled)
        self.set_class(self.size.width < CRAMPED, "-cramped")
        visible = self._visible()
        plans = plans_in(scene, [pane.id or "" for pane in visible])
        for pane, plan in zip(visible, plans, strict=True):
            show_plan(pane, scene, plan)
        for pane in self.panes.values():
            # One that is hidden while another has the whole body comes back as it was.
            if not pane.display and not pane.has_class("-behind"):
                pane.empty()

        # A window follows the end of its own curves, and those of an eval end earlier.
        zoomed = [pane for pane in self._visible() if pane.viewport.window is not None]
        if zoomed:
            self._share(max(zoomed, key=lambda pane: pane.viewport.newest))

    def _visible(self) -> list[LossPane]:
        return [pane for pane in self.panes.values() if pane.display]

    @on(LossPane.Looked)
    def share(self, message: LossPane.Looked) -> None:
        """Zoom and pan all panes together."""
        self._share(message.pane)

    def _share(self, source: LossPane) -> None:
        for pane in self._visible():
            pane.look_like(source)

    def subject_of(self, focused: Widget | None) -> str | None:
        """Key of what Enter opens: the metric of the pane with the focus, else of the first pane;
        None for the losses."""
        run = self.scene.run
        if run is None:
            return None
        visible = self._visible()
        plans = plans_in(self.scene, [pane.id or "" for pane in visible])
        at = visible.index(focused) if isinstance(focused, LossPane) and focused in visible else 0
        shown = plans[at].shown if plans else ()
        is_other = bool(shown) and not {run.train, run.eval} & set(shown)
        return key_of(run.series[shown[0]]) if is_other else None

    def on_resize(self) -> None:
        self.show(self.scene)


def show_plan(pane: LossPane, scene: Scene, plan: PanePlan) -> None:
    """Show some series of a scene's run in a pane."""
    pane.show(scene, content_of(scene, plan))
