"""Text as a terminal would show it: control characters resolved or replaced."""

from __future__ import annotations

import re

from lossmon.sanitize import cells

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,2048}(?:\x07|\x1b\\)|"
    r"[PX^_][^\x1b\n]{0,2048}\x1b\\|[ -/]*[0-~])"
)
_CLEARED = re.compile(r"(?<= {20})\x1b\[\d{0,3}A(?=\S)")
"""A bar that was blanked out, and a text written into the line above it."""

_BACK = re.compile("\b+")
WIDEST = 4096
"""Characters kept of a line for the screen."""


def resolved(text: str) -> str:
    r"""Remove colours and cursor movements, and let backspaces begin a new state of a line.

    Keras prints a run of backspaces before it draws its bar again, so a run becomes `\r`; so do
    the blanks with which an inner bar of tqdm removes itself.
    """
    if "\x1b" in text:
        text = _CLEARED.sub("\r", text)
        text = _ESCAPES.sub("", text)
    if "\b" in text:
        text = _BACK.sub("\r", text)
    return text


def displayed(line: str) -> str:
    """Return a line for the log pane: printable, of bounded length, without trailing blanks."""
    if len(line) > WIDEST:
        line = line[:WIDEST] + " …"
    line = line.rstrip()
    return line if line.isprintable() else cells(line.expandtabs(4))
