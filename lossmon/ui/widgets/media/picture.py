"""Picture view: an image as the terminal draws it, in half blocks, or in characters."""

from __future__ import annotations

from collections.abc import Callable

from textual.strip import Strip
from textual.widget import Widget

from lossmon.ui.media.kitty import TerminalImage, terminal_image
from lossmon.ui.media.picture import DecodedPicture
from lossmon.ui.terminal import Terminal, cell_size
from lossmon.ui.widgets.media.pixels import image_row, picture_row
from lossmon.ui.widgets.panel import palette_of


class PictureView(Widget):
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
                # Its cells stand until the next frame.
                self.call_after_refresh(self._write, before.deleted)

    def on_unmount(self) -> None:
        self.free()

    def free(self) -> None:
        """Have the terminal forget the image."""
        if self._image is not None:
            self._write(self._image.deleted)
            self._image = None

    def render_line(self, y: int) -> Strip:
        palette, size = palette_of(self.app), self.content_size
        if self._image is not None:
            return image_row(self._image, y, size, palette)
        if self._picture is None:
            return Strip.blank(size.width, palette.style("foreground"))
        return picture_row(self._picture.pixels, y, size, palette, self._terminal)
