"""Dots to characters: braille, quadrant blocks or plain ASCII, as numpy arrays of cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from lossmon.fast_dataclass import dataclass

Dots = NDArray[np.bool_]
"""Dots of a canvas, row 0 on top: (rows * dots per cell, columns * dots per cell)."""
Codes = NDArray[np.uint32]
"""Unicode code points, one a cell; 0 is the right half of a wide character."""

Segments = tuple[tuple[str, str], ...]
"""A row as (text, style name) pairs."""

CELLS: dict[str, tuple[int, int]] = {"braille": (4, 2), "block": (2, 2), "ascii": (3, 1)}
"""Dots in a cell per marker: (rows, columns)."""

_SPACE = 32
_BRAILLE = 0x2800
_BRAILLE_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint32)
_QUADRANT_BITS = np.array([[1, 2], [4, 8]], np.uint32)
_QUADRANTS = np.array([ord(char) for char in " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"], np.uint32)
_ASCII_BITS = np.array([[1], [2], [4]], np.uint32)
_ASCII_LINE = np.array([ord(char) for char in " '-'_|_|"], np.uint32)
"""By which thirds of the cell the line passes: top, middle, bottom."""

_REPLACED = 0xFFFD


def _packed(dots: Dots, bits: Codes) -> Codes:
    rows, columns = bits.shape
    height, width = dots.shape[0] // rows, dots.shape[1] // columns
    cells = dots.reshape(height, rows, width, columns)
    total = np.zeros((height, width), np.uint32)
    for row in range(rows):
        for column in range(columns):
            total += cells[:, row, :, column] * bits[row, column]
    return total


def braille(dots: Dots) -> Codes:
    """Cells of 2 x 4 dots as braille characters; a cell without a dot is a space."""
    bits = _packed(dots, _BRAILLE_BITS)
    return np.where(bits, bits + _BRAILLE, _SPACE).astype(np.uint32)


def quadrants(dots: Dots) -> Codes:
    """Cells of 2 x 2 dots as quadrant blocks."""
    return np.asarray(_QUADRANTS[_packed(dots, _QUADRANT_BITS)])


def thirds(dots: Dots) -> Codes:
    """Cells of three dots above each other as a line of ASCII characters: `'`, `-`, `_`, `|`."""
    return np.asarray(_ASCII_LINE[_packed(dots, _ASCII_BITS)])


def stamped(dots: Dots, char: str) -> Codes:
    """Cells of three dots above each other as one character wherever there is a dot."""
    return np.where(_packed(dots, _ASCII_BITS), ord(char), _SPACE).astype(np.uint32)


def counted(dots: Dots, shape: tuple[int, int]) -> NDArray[np.int64]:
    """How many dots each cell of `shape` (rows, columns of dots) holds."""
    rows, columns = shape
    height, width = dots.shape[0] // rows, dots.shape[1] // columns
    cells: NDArray[Any] = dots.reshape(height, rows, width, columns)
    return np.asarray(cells.sum(axis=(1, 3)), np.int64)


def bars(tops: NDArray[np.int64], bottoms: NDArray[np.int64], height: int) -> Dots:
    """Dots filled from `tops` to `bottoms`, both included, one bar a column.

    A bar whose top lies below its bottom is empty; what lies outside the canvas is cut.
    """
    rows = np.arange(height)[:, None]
    return np.asarray((rows >= tops[None, :]) & (rows <= bottoms[None, :]))


def joined(
    rows: NDArray[np.int64], valid: NDArray[np.bool_], leaving: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tops and bottoms of bars that join each valid row to those of its neighbours.

    Each step is shared by its two columns, so that a line is one dot thick.

    Args:
        rows: Row at which the line comes into each column.
        valid: Columns that have a line.
        leaving: Row from which it leaves the column; by default the same.
    """
    leaving = rows if leaving is None else leaving
    tops, bottoms = np.minimum(rows, leaving), np.maximum(rows, leaving)
    if len(rows) > 1:
        change = rows[1:] - leaving[:-1]
        both = valid[1:] & valid[:-1]
        toward = np.sign(change)
        middle = leaving[:-1] + toward * (np.abs(change) // 2)
        left = np.where(both, middle, leaving[:-1])
        right = np.where(both, middle + toward, rows[1:])
        tops[:-1] = np.minimum(tops[:-1], left)
        bottoms[:-1] = np.maximum(bottoms[:-1], left)
        tops[1:] = np.minimum(tops[1:], right)
        bottoms[1:] = np.maximum(bottoms[1:], right)
    tops[~valid], bottoms[~valid] = 1, 0
    return tops, bottoms


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A drawn rectangle of cells.

    Attributes:
        codes: Code point of each cell, (height, width); 0 is the right half of a wide one.
        styles: Index into `names` of each cell.
        names: Style names.
    """

    codes: Codes
    styles: NDArray[np.uint8]
    names: tuple[str, ...]

    @property
    def width(self) -> int:
        return int(self.codes.shape[1])

    @property
    def height(self) -> int:
        return int(self.codes.shape[0])

    @property
    def rows(self) -> tuple[Segments, ...]:
        """Every row as (text, style name) pairs; the texts of a row fill its width."""
        return tuple(tuple(self.segments(y)) for y in range(self.height))

    @property
    def text(self) -> str:
        """The characters alone, one line a row."""
        return "\n".join("".join(text for text, _ in row) for row in self.rows)

    def segments(self, y: int) -> Iterator[tuple[str, str]]:
        """Row `y` in runs of one style."""
        if not self.width:
            return
        codes, styles = self.codes[y], self.styles[y]
        starts = [0, *(np.flatnonzero(np.diff(styles)) + 1).tolist()]
        for start, end in zip(starts, [*starts[1:], self.width], strict=True):
            run = codes[start:end]
            text = run[run != 0].tobytes().decode("utf-32-le")
            yield text, self.names[styles[start]]


@dataclass(frozen=True, slots=True)
class CellSpan:
    """Cells of one row, from column `start` up to and without `end`."""

    y: int
    start: int
    end: int


_JOIN = 3
"""A change this many cells behind another belongs to its run: moving the cursor takes about as
many bytes as the two braille characters between them."""


def changes(old: Picture | None, new: Picture) -> tuple[CellSpan, ...] | None:
    """The runs of cells that differ, or None where all has to be drawn (another size)."""
    if old is None or old.codes.shape != new.codes.shape or old.names != new.names:
        return None
    differ = (old.codes != new.codes) | (old.styles != new.styles)
    runs: list[CellSpan] = []
    for y in np.flatnonzero(differ.any(axis=1)).tolist():
        columns = np.flatnonzero(differ[y])
        breaks = np.flatnonzero(np.diff(columns) > _JOIN)
        starts = columns[np.concatenate(([0], breaks + 1))].tolist()
        ends = (columns[np.concatenate((breaks, [len(columns) - 1]))] + 1).tolist()
        runs.extend(_whole(new, old, y, s, e) for s, e in zip(starts, ends, strict=True))
    return tuple(runs)


def _whole(new: Picture, old: Picture, y: int, start: int, end: int) -> CellSpan:
    """Widened so that no wide character is cut in half."""
    width = new.width
    while start > 0 and (new.codes[y, start] == 0 or old.codes[y, start] == 0):
        start -= 1
    while end < width and (new.codes[y, end] == 0 or old.codes[y, end] == 0):
        end += 1
    return CellSpan(y, start, end)


class Canvas:
    """Cells that are written over each other, the later on top."""

    def __init__(self, width: int, height: int, names: tuple[str, ...]) -> None:
        self.width, self.height = max(0, width), max(0, height)
        self._names = names
        self._index = {name: index for index, name in enumerate(names)}
        self._codes: Codes = np.full((self.height, self.width), _SPACE, np.uint32)
        self._styles = np.zeros((self.height, self.width), np.uint8)

    def put(self, x: int, y: int, char: str, style: str) -> None:
        """Write one narrow character; outside the canvas nothing happens."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self._codes[y, x] = ord(char)
            self._styles[y, x] = self._index[style]

    def write(self, x: int, y: int, text: str, style: str) -> None:
        """Write a text from column `x` on, cut at the edges; wide characters take two cells."""
        if not 0 <= y < self.height:
            return
        for code in cells_of(text):
            if 0 <= x < self.width:
                self._codes[y, x] = code
                self._styles[y, x] = self._index[style]
            x += 1

    def blank(self, x: int, y: int, width: int) -> bool:
        """Whether these cells lie on the canvas and hold nothing yet."""
        inside = x >= 0 and x + width <= self.width and 0 <= y < self.height
        return inside and bool((self._codes[y, x : x + width] == _SPACE).all())

    def lay(self, x: int, y: int, codes: Codes, styles: NDArray[np.uint8]) -> None:
        """Put a block of cells with its top left corner at (x, y); its spaces are transparent."""
        height, width = codes.shape
        window = (slice(y, y + height), slice(x, x + width))
        seen = codes != _SPACE
        self._codes[window][seen] = codes[seen]
        self._styles[window][seen] = styles[seen]

    def underlay(self, x: int, y: int, codes: Codes, style: str) -> None:
        """Put a block of cells with its top left corner at (x, y) behind what was drawn."""
        height, width = codes.shape
        window = (slice(y, y + height), slice(x, x + width))
        free = (self._codes[window] == _SPACE) & (codes != _SPACE)
        self._codes[window][free] = codes[free]
        self._styles[window][free] = self._index[style]

    def tint(self, x: int, y: int, cells: NDArray[np.bool_], by: int) -> None:
        """Give cells of the block at (x, y) the style that stands `by` names behind their own."""
        height, width = cells.shape
        self._styles[y : y + height, x : x + width][cells] += np.uint8(by)

    def picture(self) -> Picture:
        """What was drawn."""
        return Picture(self._codes, self._styles, self._names)


def cells_of(text: str) -> list[int]:
    """Code points per cell of a text from outside.

    Control characters become the replacement character, those without a width vanish, and a
    wide one is followed by a 0.
    """
    if text.isascii() and text.isprintable():
        return list(text.encode())
    cells: list[int] = []
    for char in text:
        if not char.isprintable():
            cells.append(_REPLACED)
            continue
        width = cell_len(char)
        if width:
            cells.extend([ord(char), *([0] * (width - 1))])
    return cells
