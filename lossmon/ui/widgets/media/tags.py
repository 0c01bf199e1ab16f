"""Media list: the tags of one kind, with the steps at which they were logged."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from lossmon.types import MediaSeries
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import MUTED, STRONG, TEXT, Line, clean, clip_middle, pad, pointer
from lossmon.ui.widgets.panel import Panel

_SHARE = 4
"""The list has one in so many rows of the screen."""


class MediaList(Panel):
    """One row per tag; the chosen one is always in view."""

    DEFAULT_CSS = """
    MediaList { height: auto; padding: 0 1; border-left: round $frame; border-right: round $frame; }
    """

    def __init__(self) -> None:
        super().__init__(id="media")
        self.top = 0
        self._series: Sequence[MediaSeries] = ()
        self._chosen = 0
        self._scene = Scene()

    def show(self, scene: Scene, series: Sequence[MediaSeries], chosen: int) -> None:
        """Show series, one of them chosen; a single one is named by the title alone."""
        self._scene, self._series, self._chosen = scene, series, chosen
        self.display = len(series) > 1
        self.redraw()

    def wanted_height(self, width: int) -> int:
        return min(len(self._series), max(1, self.app.size.height // _SHARE))

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        self.top = max(0, self._chosen + 1 - height, min(self.top, self._chosen))
        self.top = max(0, min(self.top, len(self._series) - height))
        page = self._series[self.top : self.top + height]
        facts = [self._facts(one, width) for one in page]
        room = width - 4 - max((cell_len(one) for one in facts), default=0)
        return [
            (
                pointer(chosen=at == self._chosen),
                *pad(((clip_middle(clean(one.name), room), self._role(at)),), room),
                (f"  {fact}", MUTED),
            )
            for at, one, fact in zip(range(self.top, len(self._series)), page, facts, strict=False)
        ]

    def _role(self, at: int) -> str:
        return STRONG if at == self._chosen else TEXT

    def _facts(self, one: MediaSeries, width: int) -> str:
        """How many steps, and the newest."""
        say, last = self._scene.say, numbers.si(one.last_step)
        if width < 50:
            return last
        count = len(one.records)
        return f"{count} {say('step' if count == 1 else 'steps')}  {say('last')} {last}"
