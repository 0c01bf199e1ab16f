"""Picture view: an image in half blocks, or in characters of growing density."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from lossmon.ui.media.heat import Rgb
from lossmon.ui.terminal import Terminal
from lossmon.ui.widgets.media.pixels import picture_row
from lossmon.ui.widgets.panel import palette_of


class PictureView(Widget):
    """Shows pixels in the middle of its room; two pixels per cell, one above the other."""

    DEFAULT_CSS = "PictureView { width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._pixels: Rgb | None = None
        self._terminal = Terminal()

    @property
    def room(self) -> tuple[int, int] | None:
        """Columns and rows of pixels that there is room for; None before the first layout."""
        size = self.content_size
        return (size.width, 2 * size.height) if size else None

    def show(self, pixels: Rgb | None, terminal: Terminal) -> None:
        """Show pixels, or nothing."""
        if pixels is not self._pixels:
            self._pixels, self._terminal = pixels, terminal
            self.refresh()

    def render_line(self, y: int) -> Strip:
        palette, size = palette_of(self.app), self.content_size
        if self._pixels is None:
            return Strip.blank(size.width, palette.style("foreground"))
        return picture_row(self._pixels, y, size, palette, self._terminal)
