"""The log full screen: follows, scrolls, searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from lossmon.ui.entry import Entry
from lossmon.ui.lines import EMPTY, MUTED, TEXT, Line, clean, fit
from lossmon.ui.scene import Scene
from lossmon.ui.screens.page import Page
from lossmon.ui.widgets.log import tone


class LogPage(Page):
    """The text log of the run in view; typing after `/` searches."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search", id="page.search", tooltip="Search the log"),
        Binding("n", "find(1)", "next", id="page.next", tooltip="Next place found"),
        Binding("N", "find(-1)", "previous", id="page.previous", tooltip="Previous place found"),
    ]

    title_word = "log"

    def __init__(self) -> None:
        super().__init__()
        self.entry = Entry("/")
        self.body.follow = True

    @property
    def needle(self) -> str:
        """What is searched for; empty where nothing is."""
        return self.entry.text

    def present(self, scene: Scene) -> None:
        at_end = self.body.follow or self.body.top >= self.body.last_top()
        self.body.follow = at_end and not self.needle
        super().present(scene)

    def heading(self) -> Line:
        run = self.scene.run
        return ((clean(run.log_name), MUTED),) if run else EMPTY

    def lines(self, room: int) -> Sequence[Line]:
        run = self.scene.run
        if run is None or not run.log:
            return [((self.scene.say("this run has no text log"), MUTED),)]
        return [self._line(text, room) for text in run.log]

    def place(self) -> Line:
        if self.entry.active:
            return self.entry.line()
        if self.needle:
            count = len(self.places())
            return (*self.entry.line(), (f"  {count}", MUTED), *_gap(super().place()))
        return super().place()

    def places(self) -> list[int]:
        """Lines that hold what is searched for, in any case of its letters."""
        run = self.scene.run
        needle = self.needle.casefold()
        if run is None or not needle:
            return []
        return [at for at, text in enumerate(run.log) if needle in text.casefold()]

    def action_search(self) -> None:
        """Begin to type what to search for."""
        self.entry.begin()
        self.edges()

    def action_find(self, direction: int) -> None:
        """Go to the next place found, round the ends."""
        places = self.places()
        if not places:
            return
        here = self.body.top
        if direction > 0:
            target = next((place for place in places if place > here), places[0])
        else:
            target = next((place for place in reversed(places) if place < here), places[-1])
        self._move(target)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # While a word is typed, its letters are letters.
        return not self.entry.active or action in ("quit", "help_quit")

    def on_key(self, event: events.Key) -> None:
        if self.entry.take(event):
            if event.key == "enter":
                self.action_find(1)
            self.present(self.scene)

    def on_paste(self, event: events.Paste) -> None:
        if self.entry.active:
            event.stop()
            self.entry.paste(event.text)
            self.present(self.scene)

    def _line(self, text: str, room: int) -> Line:
        text = clean(text[: 4 * room])
        role = tone(text)
        needle = self.needle.casefold()
        at = text.casefold().find(needle) if needle else -1
        if at < 0:
            return fit(((text, role),), room)
        end = at + len(needle)
        found = ((text[:at], role), (text[at:end], "badge-notice"), (text[end:], role))
        return fit(found, room)


def _gap(line: Line) -> Line:
    return (("  ", TEXT), *line) if line else EMPTY
