"""One line for what the data cannot say by itself: loading, freezing, files that failed."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.ui.dashboard.notices import Pace, notice, notice_line
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, Line
from lossmon.ui.widgets.panel import Panel


class Notices(Panel):
    """The most urgent notice; hidden while there is none."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.line: Line = EMPTY
        self._pace = Pace()

    def show(self, scene: Scene) -> None:
        """Show the most urgent notice of a scene."""
        self._pace.take(scene)
        self.line = notice(scene, self._pace)
        self.set_class(not self.line, "-empty", update=self.is_mounted)
        self.redraw()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return [notice_line(self.line, width)]
