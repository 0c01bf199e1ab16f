"""Console output: lines of text from the pieces in which a program wrote them."""

from __future__ import annotations

from lossmon.readers.files.terminal import displayed, resolved

_LONGEST = 1 << 16
"""Characters kept of an unfinished line."""


class Console:
    """Joins what a program wrote to its streams into lines for the log pane."""

    def __init__(self) -> None:
        self._unfinished: dict[int, str] = {}

    def write(self, stream: int, piece: str) -> list[str]:
        """Add a piece; return the lines that it completes.

        Only the last state of a line that carriage returns overwrote is returned.
        """
        text = self._unfinished.get(stream, "") + piece
        *lines, rest = text.split("\n")
        self._unfinished[stream] = rest[-_LONGEST:]
        return [displayed(_newest(resolved(line))) for line in lines]


def _newest(line: str) -> str:
    states = [state for state in line.split("\r") if state.strip()]
    return states[-1] if states else ""
