"""The badge: the verdict in a word, since when, and one line of evidence."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.ui.dashboard.badge import badge_line
from lossmon.ui.text.lines import Line
from lossmon.ui.widgets.scene_panel import ScenePanel


class Badge(ScenePanel, can_focus=True):
    """The verdict on the run in view."""

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        self.redraw()

    async def on_click(self) -> None:
        """Open the diagnosis."""
        await self.run_action("app.view('view.diagnosis')")

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return [badge_line(self.scene, width, has_focus=self.has_focus)]
