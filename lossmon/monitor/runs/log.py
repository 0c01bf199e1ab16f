"""Newest lines of the text logs of one run."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

LOG_LINES = 500
"""Newest lines kept per log: several screens to scroll back."""


class RunLog:
    """Lines by the name of the log. Where several logs grow, the last one to grow is shown.

    Attributes:
        name: Name of the log that grew last, empty before the first line.
    """

    def __init__(self) -> None:
        self.name = ""
        self._lines: dict[str, deque[str]] = {}

    @property
    def lines(self) -> tuple[str, ...]:
        """The newest lines of the log that grew last, oldest first."""
        return tuple(self._lines.get(self.name, ()))

    def add(self, name: str, lines: Sequence[str]) -> None:
        """Append lines of a log."""
        if lines:
            self.name = name
            self._lines.setdefault(name, deque(maxlen=LOG_LINES)).extend(lines)

    def clear(self, name: str) -> None:
        """Drop the lines of a log that was replaced."""
        self._lines.pop(name, None)

    def clear_all(self) -> None:
        """Drop all lines."""
        self._lines.clear()
