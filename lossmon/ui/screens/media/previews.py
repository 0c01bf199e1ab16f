"""Previews: the newest contents of media entries in view, read in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual.message import Message
from textual.screen import Screen

from lossmon.monitor.media import load_media
from lossmon.types import LoggedImage, MediaRecord, MediaSeries, UnreadableMedia
from lossmon.ui.media.picture import decode
from lossmon.ui.metrics.entries import MediaEntry
from lossmon.ui.widgets.media.card import Shown
from lossmon.ui.widgets.media.picture import ground_of
from lossmon.ui.widgets.painting import palette_of

Room = tuple[int, int]
"""Columns and rows of pixels."""


class PreviewsRead(Message):
    """Previews that a thread has read.

    Attributes:
        room: Room that pictures were scaled to.
        found: Previews by record.
    """

    def __init__(self, room: Room, found: dict[MediaRecord, Shown]) -> None:
        super().__init__()
        self.room, self.found = room, found


class Previews:
    """Previews of what is in view on a screen.

    Args:
        screen: The screen; it is posted `PreviewsRead`.
    """

    def __init__(self, screen: Screen[None]) -> None:
        self._screen = screen
        self._known: dict[MediaRecord, Shown] = {}
        self._room: Room = (0, 0)
        self._loading = False

    def of(self, entry: MediaEntry) -> Shown:
        """The preview of an entry, None while it is not read."""
        return self._known.get(entry.lead.records[-1])

    def want(self, entries: Sequence[MediaEntry], room: Room) -> None:
        """Read what is in view now and not known, and forget all else."""
        if room != self._room:
            self._room, self._known = room, {}
        wanted = {one.lead.records[-1]: one.lead for one in entries}
        self._known = {one: self._known[one] for one in wanted if one in self._known}
        missing = [one for at, one in wanted.items() if at not in self._known]
        if missing and min(room) > 0 and not self._loading:
            self._loading = True
            ground = ground_of(palette_of(self._screen.app))
            read = partial(self._read, missing, room, ground)
            self._screen.run_worker(read, thread=True, group="previews", exit_on_error=False)

    def _read(
        self, missing: Sequence[MediaSeries], room: Room, ground: tuple[int, int, int]
    ) -> None:
        found = {one.records[-1]: preview_of(one, room, ground) for one in missing}
        self._screen.post_message(PreviewsRead(room, found))

    def receive(self, message: PreviewsRead) -> None:
        """Take what was read."""
        self._loading = False
        if message.room == self._room:
            self._known |= message.found


def preview_of(series: MediaSeries, room: Room, ground: tuple[int, int, int]) -> Shown:
    """Read the newest record of a series; an image is scaled to a room."""
    [content] = load_media(series, series.records[-1:])
    if not isinstance(content, LoggedImage):
        return content
    if not content.data:
        return UnreadableMedia(content.problem)
    return decode(content.data, *room, ground)
