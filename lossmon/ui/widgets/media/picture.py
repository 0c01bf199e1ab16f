"""Picture view: an image in half blocks, or in characters of growing density."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from lossmon.ui.media.heat import Rgb, shaded
from lossmon.ui.media.picture import brightness
from lossmon.ui.terminal import Terminal
from lossmon.ui.widgets.media.pixels import glyph_row, glyphs_of, has_pixels, pixel_row
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

    @property
    def ground(self) -> tuple[int, int, int]:
        """Colour behind transparent pixels."""
        ground = palette_of(self.app).ground
        return (0, 0, 0) if ground is None or ground.ansi is not None else ground.rgb

    def show(self, pixels: Rgb | None, terminal: Terminal) -> None:
        """Show pixels, or nothing."""
        if pixels is not self._pixels:
            self._pixels, self._terminal = pixels, terminal
            self.refresh()

    def render_line(self, y: int) -> Strip:
        palette, size = palette_of(self.app), self.content_size
        style, pixels = palette.style("foreground"), self._pixels
        rows = 0 if pixels is None else -(-len(pixels) // 2)
        row = y - max(0, (size.height - rows) // 2)
        if pixels is None or not 0 <= row < rows:
            return Strip.blank(size.width, style)
        left = max(0, (size.width - pixels.shape[1]) // 2)
        if has_pixels(self._terminal, palette):
            cells = pixel_row(pixels, row)
        else:
            part = brightness(pixels[2 * row : 2 * row + 2])
            # Dense characters are dark on a light ground.
            part = 1 - part if sum(self.ground) > 3 * 128 or self._terminal.light else part
            # `shaded` takes the square root, for the thin tails of heat maps.
            cells = glyph_row(shaded(part**2, glyphs_of(self._terminal))[0], style)
        strip = Strip([Segment(" " * left, style), *cells])
        return strip.adjust_cell_length(size.width, style)
