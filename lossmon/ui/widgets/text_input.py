"""One line that the user types: a search, a filter, a limit."""

from __future__ import annotations

from textual.events import Key

from lossmon.ui.text.lines import MUTED, TEXT, Line, clean

LONGEST = 400
"""Characters; a terminal may paste a whole file."""

ENDS = ("ctrl+c", "ctrl+q")
"""Keys that end the program even while something is typed."""


class Entry:
    """Text with a cursor at its end, fed key by key.

    While it is `active` its view lets every key through to it: letters are letters then, not
    actions.
    """

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        self.text = ""
        self.active = False

    def begin(self, text: str = "") -> None:
        """Start to type, with some text there already."""
        self.text, self.active = text, True

    def clear(self) -> None:
        """End typing, and forget what was typed."""
        self.text, self.active = "", False

    def handle(self, event: Key) -> bool:
        """Take a key.

        Enter ends the typing and keeps the text; escape ends it and drops the text.

        Returns:
            Whether the key was for the text; the event is stopped then.
        """
        if not self.active or event.key in ENDS:
            return False
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.clear()
        elif event.key == "enter":
            self.active = False
        elif event.key == "backspace":
            self.text = self.text[:-1]
        elif event.key == "ctrl+u":
            self.text = ""
        elif event.is_printable and event.character:
            self.text = (self.text + event.character)[:LONGEST]
        return True

    def paste(self, text: str) -> None:
        """Add pasted text; only its first line, without control characters."""
        first = text.splitlines()[0] if text else ""
        self.text = (self.text + "".join(char for char in first if char.isprintable()))[:LONGEST]

    def line(self) -> Line:
        """What is typed, with the cursor behind it while it is typed."""
        cursor = "▏" if self.active else ""
        return ((self.prompt, MUTED), (clean(self.text) + cursor, TEXT))
