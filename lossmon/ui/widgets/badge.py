"""The badge: the verdict in a word, since when, and one line of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lossmon.ui.dashboard.badge import badge_line
from lossmon.ui.text.lines import Line
from lossmon.ui.text.steady import SteadyText
from lossmon.ui.widgets.scene_panel import ScenePanel


class Badge(ScenePanel, can_focus=True):
    """The verdict on the run in view."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._evidence = SteadyText()

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        self.redraw()

    async def on_click(self) -> None:
        """Open the diagnosis."""
        await self.run_action("app.view('view.diagnosis')")

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        run = self.scene.run
        steady = partial(self._evidence.hold, subject=None if run is None else run.path)
        return [badge_line(self.scene, width, has_focus=self.has_focus, steady=steady)]
