"""Picture view: an image as the terminal draws it, in half blocks or in characters."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from lossmon.ui.media.heat import Rgb, shaded
from lossmon.ui.media.kitty import TerminalImage, terminal_image
from lossmon.ui.media.picture import DecodedPicture, brightness
from lossmon.ui.terminal import Terminal, cell_size
from lossmon.ui.theme.palette import Palette
from lossmon.ui.widgets.guarded import Guarded
from lossmon.ui.widgets.painting import palette_of


class PictureView(Guarded, Widget):
    """Shows a picture in the middle of its room.

    Args:
        write: Writes a control sequence to the terminal.
    """

    DEFAULT_CSS = "PictureView { width: 1fr; height: 1fr; }"

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(markup=False)
        self._write = write
        self._picture: DecodedPicture | None = None
        self._terminal = Terminal()
        self._image: TerminalImage | None = None
        """What the terminal draws, None where cells are drawn here."""
        self._replaced: list[TerminalImage] = []
        """Images that the terminal still has, and whose cells stand until the next frame."""

    def room(self, terminal: Terminal) -> tuple[int, int] | None:
        """Columns and rows of pixels that there is room for; None before the first layout.

        A cell has two pixels, one above the other, where the terminal draws no images itself.
        """
        size = self.content_size
        width, height = cell_size() if terminal.has_images else (1, 2)
        return (size.width * width, size.height * height) if size else None

    def show(self, picture: DecodedPicture | None, terminal: Terminal) -> None:
        """Show a picture, or nothing."""
        if picture is not self._picture:
            self._picture, self._terminal = picture, terminal
            before, self._image = self._image, None
            if picture is not None and picture.png and self.content_size:
                self._image = terminal_image(picture.png, self.content_size, cell_size())
                if self._image is not None:
                    self._write(self._image.sent(picture.png))
            self.refresh()
            if before is not None:
                self._replaced.append(before)
                self.call_after_refresh(self._forget)

    def on_unmount(self) -> None:
        self.free()

    def free(self) -> None:
        """Have the terminal forget the image."""
        if self._image is not None:
            self._replaced.append(self._image)
            self._image = None
        self._forget()

    def _forget(self) -> None:
        for image in self._replaced:
            self._write(image.deleted)
        self._replaced.clear()

    def render_line(self, y: int) -> Strip:
        palette, size = palette_of(self.app), self.content_size
        if self._image is not None:
            return image_row(self._image, y, size, palette)
        if self._picture is None:
            return Strip.blank(size.width, palette.style("foreground"))
        return picture_row(self._picture.pixels, y, size, palette, self._terminal)


SHADES = " ░▒▓█"
ASCII_SHADES = " .:-=+*#%@"


def glyphs_of(terminal: Terminal) -> str:
    """Characters of growing density that a terminal has."""
    return SHADES if terminal.unicode else ASCII_SHADES


def has_pixels(terminal: Terminal, palette: Palette) -> bool:
    """Whether cells can show two colours of our choice: half blocks, on a ground that is known."""
    ground = palette.ground
    known = ground is not None and ground.triplet is not None
    return known and terminal.unicode and not terminal.plain


def rgb_of(style: Style, default: tuple[int, int, int]) -> tuple[int, int, int]:
    """Colour of the text of a style."""
    color = style.color.triplet if style.color is not None else None
    return default if color is None else (color.red, color.green, color.blue)


def pixel_row(pixels: Rgb, y: int) -> list[Segment]:
    """Row `y` of cells: the rows `2 * y` and `2 * y + 1` of pixels."""
    upper = pixels[2 * y]
    lower = pixels[2 * y + 1] if 2 * y + 1 < len(pixels) else upper
    both = np.concatenate((upper, lower), axis=1)
    return [
        Segment("▀" * (end - start), _style(*both[start].tolist()))
        for start, end in _runs((both[1:] != both[:-1]).any(axis=1), len(both))
    ]


def glyph_row(codes: NDArray[np.uint32], style: Style) -> list[Segment]:
    """A row of characters."""
    return [Segment(codes.astype("<u4").tobytes().decode("utf-32-le"), style)]


def ground_of(palette: Palette) -> tuple[int, int, int]:
    """Colour of the ground; black where it is the terminal's own."""
    ground = palette.ground
    return (0, 0, 0) if ground is None or ground.triplet is None else ground.triplet


def picture_row(pixels: Rgb, y: int, size: Size, palette: Palette, terminal: Terminal) -> Strip:
    """Row `y` of a picture in the middle of its room."""
    style, rows = palette.style("foreground"), -(-len(pixels) // 2)
    row = y - max(0, (size.height - rows) // 2)
    if not 0 <= row < rows:
        return Strip.blank(size.width, style)
    if has_pixels(terminal, palette):
        cells = pixel_row(pixels, row)
    else:
        part = brightness(pixels[2 * row : 2 * row + 2])
        # Dense characters are dark on a light ground.
        part = 1 - part if sum(ground_of(palette)) > 3 * 128 or terminal.light else part
        # `shaded` takes the square root, for the thin tails of heat maps.
        cells = glyph_row(shaded(part**2, glyphs_of(terminal))[0], style)
    left = max(0, (size.width - pixels.shape[1]) // 2)
    return Strip([Segment(" " * left, style), *cells]).adjust_cell_length(size.width, style)


def image_row(image: TerminalImage, y: int, size: Size, palette: Palette) -> Strip:
    """Row `y` of an image of the terminal in the middle of its room."""
    style = palette.style("foreground")
    row = y - max(0, (size.height - image.rows) // 2)
    # After a resize the image stays until it has been sent for the new room.
    if not 0 <= row < image.rows:
        return Strip.blank(size.width, style)
    cells = Segment(image.row(row), style + Style(color=Color.from_rgb(*image.color)))
    left = max(0, (size.width - image.columns) // 2)
    return Strip([Segment(" " * left, style), cells]).adjust_cell_length(size.width, style)


def _style(*channels: int) -> Style:
    upper, lower = Color.from_rgb(*channels[:3]), Color.from_rgb(*channels[3:])
    return Style(color=upper, bgcolor=lower)


def _runs(changes: NDArray[np.bool_], count: int) -> list[tuple[int, int]]:
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), count]
    return [(start, end) for start, end in pairwise(edges) if end > start]
