"""A pane: a chart in a thin frame whose edges carry the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widget import Widget

from lossmon.ui.chart import Chart
from lossmon.ui.lines import EMPTY, MUTED, TEXT, Line, choose, fit, width
from lossmon.ui.plot import ChartModel, ChartOptions
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
    """A chart with its title and its footer."""

    DEFAULT_CSS = """
    LossPane { layout: vertical; width: 1fr; height: 1fr; }
    LossPane Chart { width: 1fr; height: 1fr; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.upper = Edge("╭╮", left=True)
        self.lower = Edge("╰╯", left=False)
        self.chart = Chart()
        self._titles: Sequence[tuple[int, Line]] = ()
        self._footer: Line = EMPTY

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.chart
        yield self.lower

    def show(
        self,
        model: ChartModel,
        options: ChartOptions,
        titles: Sequence[tuple[int, Line]],
        footer: Line,
    ) -> None:
        """Show a chart, with parts of a title by importance, and a footer."""
        self._titles, self._footer = titles, footer
        self.chart.show(model, options)
        self._edges()

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        self._edges()

    def _edges(self) -> None:
        role = "focus" if self.has_focus else "frame"
        self.upper.show(self._titles, role)
        self.lower.show([(0, self._footer)], role)


def separator() -> Line:
    """Stands between the curves of one title."""
    return (("·", MUTED),)
