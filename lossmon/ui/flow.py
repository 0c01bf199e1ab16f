"""Running text of several colours, broken into lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from rich.cells import cell_len

from lossmon.outlook.words_changed import Word
from lossmon.ui.lines import TEXT, Line, Span, clean

TAB = "    "

_DENSEST = 8
"""Characters a cell of a line at most: accents can be heaped on one letter without end."""


def marked(words: Iterable[Word], role: str, brackets: tuple[str, str] | None) -> Iterator[Span]:
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
        yield clean(text.replace("\t", TAB)), role
        return
    if role != TEXT:
        yield "↵", role
    yield "\n", TEXT


def flow(spans: Iterable[Span], room: int) -> list[Line]:
    """Break spans into lines of at most `room` cells; a span stays whole where it fits a line."""
    room = max(2, room)
    lines: list[Line] = []
    line: list[Span] = []
    size, dense = 0, 0
    for text, role in spans:
        if text == "\n":
            lines.append(tuple(line))
            line, size, dense = [], 0, 0
            continue
        length = cell_len(text)
        if size + length > room and size:
            lines.append(tuple(line))
            line, size, dense = [], 0, 0
            if text.isspace():
                continue
        if length <= room and dense + len(text) <= _DENSEST * room:
            line.append((text, role))
            size, dense = size + length, dense + len(text)
            continue
        *whole, (rest, size) = _pieces(text, room)
        if line:
            lines.append(tuple(line))
        lines += [((piece, role),) for piece, _ in whole]
        line, dense = [(rest, role)], len(rest)
    if line or not lines:
        lines.append(tuple(line))
    return lines


def _pieces(text: str, room: int) -> list[tuple[str, int]]:
    """Pieces of one long word, each with its cells."""
    pieces: list[tuple[str, int]] = []
    piece, size = "", 0
    for char in text:
        cells = cell_len(char)
        if size + cells > room or len(piece) >= _DENSEST * room:
            pieces.append((piece, size))
            piece, size = "", 0
        piece, size = piece + char, size + cells
    return [*pieces, (piece, size)]
