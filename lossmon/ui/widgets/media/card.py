"""Media card: what stands for a histogram or an image among the charts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len
from textual.strip import Strip
from textual.widget import Widget

from lossmon.types import ClassifierCurve, Histogram, MediaSeries, UnreadableMedia
from lossmon.ui.media.heat import densities, value_range
from lossmon.ui.media.picture import DecodedPicture
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import (
    EMPTY,
    MUTED,
    STRONG,
    TEXT,
    Line,
    clean,
    clip_middle,
    fit,
    pad,
    pointer,
)
from lossmon.ui.widgets.guarded import Guarded
from lossmon.ui.widgets.media.picture import picture_row
from lossmon.ui.widgets.painting import painted, palette_of
from lossmon.ui.widgets.panel import Panel

Shown = Histogram | ClassifierCurve | DecodedPicture | UnreadableMedia | None
"""Newest contents of an entry, None while they are not read."""


class MediaCard(Guarded, Widget):
    """A histogram as bars, or an image in pixels."""

    DEFAULT_CSS = """
    MediaCard {
        width: 1fr; height: 1fr; padding: 0 1;
        border-left: round $frame; border-right: round $frame;
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._scene = Scene()
        self._shown: Shown = None

    def show(self, scene: Scene, shown: Shown) -> None:
        """Show what was read; nothing while it is not."""
        if shown is not self._shown:
            self._scene, self._shown = scene, shown
            self.refresh()

    def render_line(self, y: int) -> Strip:
        palette, size, shown = palette_of(self.app), self.content_size, self._shown
        if isinstance(shown, DecodedPicture) and not shown.problem:
            return picture_row(shown.pixels, y, size, palette, self._scene.terminal)
        if isinstance(shown, Histogram):
            row = bars(shown, size.width, size.height)[y]
            return painted(palette, ((row, "train"),), size.width)
        return painted(palette, fit(self._words() if y == 0 else EMPTY, size.width), size.width)

    def _words(self) -> Line:
        shown, say = self._shown, self._scene.say
        if isinstance(shown, DecodedPicture):
            return ((clean(say(shown.problem)), MUTED),)
        return ((clean(shown.reason), MUTED),) if isinstance(shown, UnreadableMedia) else EMPTY


_LEVELS = " ▁▂▃▄▅▆▇█"


def bars(histogram: Histogram, columns: int, rows: int) -> list[str]:
    """Draw a histogram as bars, low values at the left; every bin with values has a bar.

    Args:
        columns: Bars, one cell wide each.
        rows: Cells of the highest bar.

    Returns:
        The rows, top to bottom.
    """
    low, high = value_range([histogram])
    heights = densities([histogram], low, high, columns)[::-1, 0]
    eighths = np.maximum(np.round(heights * rows * 8), heights > 0)
    return [
        "".join(_LEVELS[int(level)] for level in np.clip(eighths - 8 * below, 0, 8))
        for below in range(rows - 1, -1, -1)
    ]


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
