"""Sanitizer for text from outside: log lines, tags, file names, driver messages.

Such text may hold control characters that move the cursor, sequences that a terminal obeys, and
marks that reorder what follows. Each function returns text that is safe to print in its place.
"""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category

from lossmon.lazy_pattern import lazy_pattern

LONGEST_TEXT = 1 << 16
"""Characters kept of one multi-line text: some twenty screens."""

_CONTROLS = lazy_pattern(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_BLANK = "Zs"
"""Unicode category of blanks of every width."""


def one_line(text: str, limit: int | None = None) -> str:
    """Return a name or a value as one line: each unprintable character becomes a blank.

    Args:
        limit: Characters to keep; all if None.
    """
    text = text[:limit]
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)


def multiline(text: str | bytes, limit: int = LONGEST_TEXT) -> str:
    r"""Return a longer text with its lines ended by `\n` and other control characters replaced.

    Args:
        text: Text from outside; bytes are decoded as UTF-8.
        limit: Characters to keep; an ellipsis marks a cut.
    """
    if isinstance(text, bytes):
        # UTF-8 spends at most four bytes per character.
        text = text[: 4 * limit + 4].decode(errors="replace")
    if len(text) > limit:
        text = text[:limit] + "…"
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def cells(text: str) -> str:
    """Return text for one row of terminal cells.

    Tabs and wide blanks become one blank; every other character that would move the cursor,
    reorder the row or leave it becomes U+FFFD, so that tampering stays visible.
    """
    return text if text.isprintable() else "".join(map(_cell, text))


def json_text(text: str) -> str:
    r"""Return a line of JSON with every unprintable character escaped (`\u202e`).

    Args:
        text: What `json.dumps` wrote, whose letters of any script stay readable. It escapes the
            control characters of ASCII only.
    """
    return text if text.isprintable() else "".join(map(_escaped, text))


@lru_cache(4096)
def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in zip(*[iter(units)] * 2, strict=True))


@lru_cache(4096)
def _cell(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char == "\t" or category(char) == _BLANK else "\N{REPLACEMENT CHARACTER}"
