"""Where everything stands in a TOML document, so that one thing can be changed in its place.

Only for documents that `tomllib` has read: what is wrong with others is not found here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from lossmon.fast_dataclass import dataclass

_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE_VALUE = re.compile(r"[^,\]}#\r\n]*[^,\]}#\s]")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANKS = re.compile(r"[ \t]*")

Path = tuple[str, ...]
"""Keys from the root of the document on."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the text: its first character and the one behind its last."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value.

    Attributes:
        path: Where it stands in the document.
        start: Where the key begins.
        value: The value.
        inline: It is a member of an inline table.
        dotted: The key has several parts.
    """

    path: Path
    start: int
    value: Span
    inline: bool = False
    dotted: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a table, and the entries below it.

    Attributes:
        path: What the table is called; empty for the start of the document.
        end: Behind the closing bracket.
        entries: In the order they stand; those of inline tables are among them.
    """

    path: Path
    end: int
    entries: list[Entry]


def headers(text: str) -> list[Header]:
    """Every table with its entries, the start of the document first."""
    found = [Header((), 0, [])]
    at = _behind_gap(text, 0)
    while at < len(text):
        if text[at] == "[":
            depth = 2 if text.startswith("[[", at) else 1
            path, at = _key(text, _behind_blanks(text, at + depth))
            at = text.index("]", at) + depth
            found.append(Header(path, at, []))
        else:
            told = list(_entries(text, at, found[-1].path))
            found[-1].entries.extend(told)
            at = told[-1].value.end
        at = _behind_gap(text, at)
    return found


def elements(text: str, array: Span) -> list[Span]:
    """Where the elements of an array stand."""
    found, at = [], _behind_gap(text, array.start + 1)
    while text[at] != "]":
        found.append(Span(at, _value_end(text, at)))
        at = _behind_comma(text, found[-1].end)
    return found


def _entries(text: str, at: int, table: Path, *, inline: bool = False) -> Iterator[Entry]:
    """The entry that begins at a place, those of its inline table before it."""
    key, behind = _key(text, at)
    start = _behind_blanks(text, text.index("=", behind) + 1)
    path, value = (*table, *key), Span(start, _value_end(text, start))
    if text[start] == "{":
        inner = _behind_gap(text, start + 1)
        while text[inner] != "}":
            told = list(_entries(text, inner, path, inline=True))
            yield from told
            inner = _behind_comma(text, told[-1].value.end)
    yield Entry(path, at, value, inline, len(key) > 1)


def _value_end(text: str, at: int) -> int:
    if text[at] in "\"'":
        return _match(_STRING, text, at).end()
    if text[at] not in "[{":
        return _match(_BARE_VALUE, text, at).end()
    closing = "]" if text[at] == "[" else "}"
    at = _behind_gap(text, at + 1)
    while text[at] != closing:
        if closing == "}":
            _, at = _key(text, at)
            at = _behind_blanks(text, text.index("=", at) + 1)
        at = _behind_comma(text, _value_end(text, at))
    return at + 1


def _key(text: str, at: int) -> tuple[Path, int]:
    """A key with its parts, and the place behind it."""
    parts: list[str] = []
    while True:
        quoted = text[at] in "\"'"
        found = _match(_STRING if quoted else _BARE_KEY, text, at)
        # A quoted key has the escapes of a string.
        parts.append(tomllib.loads(f"key = {found[0]}")["key"] if quoted else found[0])
        at = _behind_blanks(text, found.end())
        if not text.startswith(".", at):
            return tuple(parts), at
        at = _behind_blanks(text, at + 1)


def _match(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    found = pattern.match(text, at)
    if found is None:
        raise ValueError(f"nothing is known to begin at character {at}")
    return found


def _behind_gap(text: str, at: int) -> int:
    """Behind blanks, line ends and comments."""
    return _match(_GAP, text, at).end()


def _behind_blanks(text: str, at: int) -> int:
    return _match(_BLANKS, text, at).end()


def _behind_comma(text: str, at: int) -> int:
    at = _behind_gap(text, at)
    return _behind_gap(text, at + 1) if text.startswith(",", at) else at
