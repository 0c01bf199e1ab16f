"""What a terminal would show: control characters resolved or replaced."""

from __future__ import annotations

import re

from lossmon.sanitize import cells

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,2048}(?:\x07|\x1b\\)|"
    r"[PX^_][^\x1b\n]{0,2048}\x1b\\|[ -/]*[0-~])"
)
_CLEARED = re.compile(r"(?<= {20})\x1b\[\d{0,3}A(?=\S)")
"""A bar that was blanked out, and a text written in the line above it."""

_BACK = re.compile("\b+")
WIDEST = 4096
"""Characters of a line that are kept for the screen."""


def resolved(text: str) -> str:
    r"""Take colours and cursor movements out, and let backspaces begin a new state.

    A run of backspaces is what Keras prints before it paints its bar anew, so it becomes `\r`; so
    do the blanks with which an inner bar of tqdm takes itself away.
    """
    if "\x1b" in text:
        text = _CLEARED.sub("\r", text)
        text = _ESCAPES.sub("", text)
    if "\b" in text:
        text = _BACK.sub("\r", text)
    return text


def shown(line: str) -> str:
    """A line for the log pane: nothing unprintable, no overlong tail, no trailing blanks."""
    if len(line) > WIDEST:
        line = line[:WIDEST] + " …"
    line = line.rstrip()
    return line if line.isprintable() else cells(line.expandtabs(4))
