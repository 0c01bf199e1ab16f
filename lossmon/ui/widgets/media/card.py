"""Media card: what stands for a histogram or an image among the charts."""

from __future__ import annotations

import numpy as np
from textual.strip import Strip
from textual.widget import Widget

from lossmon.types import ClassifierCurve, Histogram, UnreadableMedia
from lossmon.ui.media.heat import densities, value_range
from lossmon.ui.media.picture import DecodedPicture
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, MUTED, Line, clean, fit
from lossmon.ui.widgets.media.picture import picture_row
from lossmon.ui.widgets.panel import painted, palette_of

Shown = Histogram | ClassifierCurve | DecodedPicture | UnreadableMedia | None
"""Newest contents of an entry, None while they are not read."""


class MediaCard(Widget):
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
        histogram: The histogram.
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
