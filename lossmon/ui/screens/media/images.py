"""Images view: what was logged as pictures, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from textual import getters, on
from textual.message import Message

from lossmon.types import LoggedImage, MediaKind, MediaRecord, MediaSeries
from lossmon.ui.media.kitty import encode
from lossmon.ui.media.picture import DecodedPicture, decode
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.media.base import MediaScreen
from lossmon.ui.text.lines import MUTED, TEXT, Line, clean
from lossmon.ui.widgets.media.picture import PictureView, ground_of
from lossmon.ui.widgets.painting import palette_of

_Asked = tuple[LoggedImage, int, int]
"""An image, and the columns and rows of pixels that it is decoded for."""


class PictureDecoded(Message):
    """An image was decoded in a thread.

    Attributes:
        asked: What it was decoded for: the image, and the room.
        picture: The pixels.
    """

    def __init__(self, asked: _Asked, picture: DecodedPicture) -> None:
        super().__init__()
        self.asked, self.picture = asked, picture


class ImagesScreen(MediaScreen):
    """The image of the chosen step, its size and its file."""

    app = getters.app(ViewHost)

    kind = MediaKind.IMAGE
    missing = "this run logs no images"
    view: PictureView

    def __init__(self, app: ViewHost, key: str = "") -> None:
        super().__init__(app, key)
        self.picture: DecodedPicture | None = None
        """The image in view, None while it is not decoded."""
        self._asked: _Asked | None = None
        self._decoding = False

    def make_view(self) -> PictureView:
        return PictureView(lambda text: self.app.write_sequence(text))

    def free(self) -> None:
        self.view.free()

    def wanted(self, series: MediaSeries) -> Sequence[MediaRecord]:
        """The one in view alone: each may have megabytes."""
        return series.records[self.place : self.place + 1]

    def draw(self) -> None:
        content, room = self.content, self.view.room(self.scene.terminal)
        if isinstance(content, LoggedImage) and content.data and room:
            asked = (content, *room)
            if asked != self._asked:
                self._asked, self.picture = asked, None
                self._decode_asked()
            return
        self._asked, self.picture = None, None
        if content is not None:
            # Until the next image is read, the one before stays.
            self.view.show(None, self.scene.terminal)

    def _decode_asked(self) -> None:
        """Decode in a thread, one at a time: each may take as much memory as an image may."""
        if self._asked is not None and not self._decoding:
            self._decoding = True
            make = encode if self.scene.terminal.has_images else decode
            ground = ground_of(palette_of(self.app))
            work = partial(self._decode, make, self._asked, ground)
            self.run_worker(work, thread=True, group="picture", exit_on_error=False)

    def _decode(
        self, make: Callable[..., DecodedPicture], asked: _Asked, ground: tuple[int, int, int]
    ) -> None:
        image, width, height = asked
        self.post_message(PictureDecoded(asked, make(image.data, width, height, ground)))

    @on(PictureDecoded)
    def receive_picture(self, message: PictureDecoded) -> None:
        """Show the picture if it is still the one in view, or decode that."""
        self._decoding = False
        if message.asked == self._asked:
            self.picture = message.picture
            self.view.show(message.picture, self.scene.terminal)
            self.show()
        else:
            self._decode_asked()

    def facts(self) -> list[tuple[int, Line]]:
        content, picture = self.content, self.picture
        if not isinstance(content, LoggedImage):
            return []
        width, height = content.width, content.height
        if picture is not None and picture.width:
            width, height = picture.width, picture.height
        parts: list[tuple[int, Line]] = []
        if width and height:
            parts.append((1, ((f"{width}×{height}", TEXT),)))
        if content.count > 1:
            shown, count = len(content.data), content.count
            parts.append((2, ((f"×{count}" if shown == count else f"{shown}/{count}", MUTED),)))
        parts.append((3, ((clean(content.file), MUTED),)))
        problem = content.problem or (picture.problem if picture is not None else "")
        if problem:
            parts.append((0, ((self.scene.say(clean(problem)), "warning"),)))
        return parts
