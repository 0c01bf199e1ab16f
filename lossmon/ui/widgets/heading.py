"""Heading: one line above a grid of charts."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.ui.text.lines import TEXT, Line, choose
from lossmon.ui.widgets.panel import Panel


class Heading(Panel):
    """Parts of a line by importance."""

    DEFAULT_CSS = "Heading { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.parts: Sequence[tuple[int, Line]] = ()

    def show(self, parts: Sequence[tuple[int, Line]]) -> None:
        """Show parts with importance."""
        self.parts = parts
        self.redraw()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return [((" ", TEXT), *choose(self.parts, width - 2, 3))]
