"""Texts from logs, made fit to be kept."""

from __future__ import annotations

import re

LONGEST_TEXT = 1 << 16
"""Characters that are kept of one text: some twenty screens."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def tidy(text: str) -> str:
    """A text from a log: cut at `LONGEST_TEXT`, lines ended by line feeds, no other controls."""
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT] + "…"
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def clean(text: bytes) -> str:
    """The same for bytes."""
    return tidy(text[: 4 * LONGEST_TEXT + 4].decode(errors="replace"))
