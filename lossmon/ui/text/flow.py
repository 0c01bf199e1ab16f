"""Running text of several colours, broken into lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from rich.cells import cell_len

from lossmon.analysis.text_diff import DiffWord
from lossmon.ui.text.lines import TEXT, Line, Span, clean, may_break

TAB = "    "

_ACCENTS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
"""Marks that stand on the letter before them and take no cell."""

_DENSEST = 8
"""Characters a cell of a line at most: other marks without a width can be many, too."""


_HEAP = re.compile(rf"([{_ACCENTS}]{{3}})[{_ACCENTS}]+")


def calm(text: str) -> str:
    """The same as `clean`; of accents heaped on one letter three stay, as in no language more."""
    return clean(text) if text.isascii() else _HEAP.sub(r"\1", clean(text))


def marked(
    words: Iterable[DiffWord], role: str, brackets: tuple[str, str] | None
) -> Iterator[Span]:
    """Words with the colour of what changed; a line end is a span of its own.

    Args:
        words: The words of a text.
        role: Colour of those that changed.
        brackets: What stands around them where colours do not tell; or None.
    """
    for changed, run in groupby(words, key=attrgetter("changed")):
        spans = [span for word in run for span in _spans(word.text, role if changed else TEXT)]
        if changed and brackets:
            inked = [at for at, (text, _) in enumerate(spans) if not text.isspace()] or [0]
            spans[inked[0]] = (brackets[0] + spans[inked[0]][0], role)
            spans[inked[-1]] = (spans[inked[-1]][0] + brackets[1], role)
        yield from spans


def _spans(text: str, role: str) -> Iterator[Span]:
    if text != "\n":
        yield calm(text.replace("\t", TAB)), role
        return
    if role != TEXT:
        yield "↵", role
    yield "\n", TEXT


def flow(spans: Iterable[Span], room: int) -> list[Line]:
    """Break spans into lines of at most `room` cells, at blanks where there are any.

    A change within a word is not a place to break it.
    """
    room = max(2, room)
    lines: list[list[Span]] = [[]]
    size, dense = 0, 0
    for chunk in _chunks(spans):
        text = "".join(part for part, _ in chunk)
        length = cell_len(text)
        if text == "\n" or (size and size + length > room):
            if text.isspace() and text != "\n":
                # A blank at the end of a line is the end of it.
                size = room
                continue
            lines.append([])
            size, dense = 0, 0
            if text == "\n":
                continue
        if size + length <= room and dense + len(text) <= _DENSEST * room:
            lines[-1] += chunk
            size, dense = size + length, dense + len(text)
            continue
        if lines[-1]:
            lines.append([])
        pieces = _cut(chunk, room)
        lines[-1:] = pieces
        size, dense = sum(cell_len(part) for part, _ in pieces[-1]), _DENSEST
    return [tuple(line) for line in lines]


def _chunks(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Spans that stay on one line where they can: a word with what hangs on it."""
    chunk: list[Span] = []
    for text, role in spans:
        if not text:
            continue
        if chunk and (text.isspace() or may_break(chunk[-1][0][-1], text[0])):
            yield chunk
            chunk = []
        chunk.append((text, role))
        if text.isspace():
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _cut(chunk: Iterable[Span], room: int) -> list[list[Span]]:
    """A word that is longer than a line, in pieces."""
    lines: list[list[Span]] = [[]]
    size, dense = 0, 0
    for text, role in chunk:
        start = 0
        for at, char in enumerate(text):
            cells = cell_len(char)
            if size + cells > room or dense >= _DENSEST * room:
                lines[-1].append((text[start:at], role))
                lines.append([])
                start, size, dense = at, 0, 0
            size, dense = size + cells, dense + 1
        lines[-1].append((text[start:], role))
    return lines
