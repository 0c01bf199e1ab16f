"""A view in which the user can type: a search, a filter, a place, a limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events

from lossmon.ui.screens.base.scene_screen import SceneScreen
from lossmon.ui.widgets.text_input import Entry

MOVES: Mapping[str, int] = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}
"""Keys that move the choice in a list while its filter is typed, and by how many rows."""


class TypingScreen(SceneScreen):
    """While its entry is active every key is for the text, but those that end the program."""

    prompt: ClassVar[str] = ""
    """What stands before the text."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = Entry(self.prompt)

    @property
    def is_typing(self) -> bool:
        return self.entry.active

    def typed(self) -> None:
        """Show what was typed so far, and what comes of it."""
        raise NotImplementedError

    def rows_moved(self, event: events.Key) -> int:
        """Rows by which a key moves the choice while a filter is typed, which uses the key up.

        0 where it is not such a key.
        """
        rows = MOVES.get(event.key, 0)
        if rows:
            event.stop()
            event.prevent_default()
        return rows

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.entry.active or action in ("quit", "help_quit")

    def on_paste(self, event: events.Paste) -> None:
        if self.entry.active:
            event.stop()
            self.entry.paste(event.text)
            self.typed()
