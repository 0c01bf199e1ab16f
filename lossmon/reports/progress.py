"""`ReadingProgress`: one line on the terminal that says how much is read, while a command reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TextIO

from lossmon.locale import phrase, translate
from lossmon.types import Snapshot

DELAY = 1.0
"""Seconds before the line appears: most commands are done by then."""

INTERVAL = 0.2
"""Seconds between two lines."""


class ReadingProgress:
    """The line, redrawn in place; nothing is written where the output is not a terminal.

    Args:
        out: Where to write, usually the error output.
        language: Code of the language.
        clock: Monotonic seconds.
    """

    def __init__(
        self, out: TextIO, language: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._language = language
        self._clock = clock
        self._next = clock() + DELAY if out.isatty() else float("inf")
        self._width = 0

    def last(self, snapshots: Iterable[Snapshot]) -> Snapshot:
        """The last of some snapshots; the line shows each of them and is gone in the end."""
        last = Snapshot()
        try:
            for last in snapshots:
                if self._clock() >= self._next:
                    self._next = self._clock() + INTERVAL
                    self._draw(progress_text(last, self._language))
        finally:
            self._clear()
        return last

    def _draw(self, text: str) -> None:
        # Wide characters take two cells: twice as many spaces as characters cover them.
        self._out.write(f"\r{text}{' ' * (self._width - len(text))}")
        self._out.flush()
        self._width = max(self._width, 2 * len(text))

    def _clear(self) -> None:
        if self._width:
            self._out.write(f"\r{' ' * self._width}\r")
            self._out.flush()
            self._width = 0


def progress_text(snapshot: Snapshot, language: str) -> str:
    """`reading 43/102`, `reading 37%` for one run, or the files seen before the first run."""
    if not snapshot.runs:
        seen = f"{snapshot.seen_files:,}"
        return phrase("searching: {count} files so far", language, count=seen)
    word = translate("reading", language)
    if snapshot.read is None:
        return f"{word} {len(snapshot.runs)}"
    if snapshot.read[1] == 1:
        return f"{word} {snapshot.runs[0].loaded:.0%}"
    return f"{word} {snapshot.read[0]}/{snapshot.read[1]}"
