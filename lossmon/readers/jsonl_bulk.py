r"""JSON lines in bulk: lines of one shape are parsed as a table of numbers.

A log repeats a few shapes of record, thousands of times. Without its digits, every line of one
shape is the same bytes; so lines are grouped by what is left of them, the names are cut out of a
whole group at once, and what remains is comma-separated numbers for numpy's parser. That is
several times as fast as a JSON parser, which builds a dictionary a line.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import numpy as np

from lossmon.readers.axis import plain
from lossmon.readers.frames import Cells, Column, clean_name
from lossmon.readers.values import number
from lossmon.types import Floats, Ints

FEWEST = 24
"""Lines of one shape from which on the bulk parser is the faster one."""

_DIGITS = b"0123456789.+-eE"
"""What of a line is number; an `e` in a name goes too, in every line of the shape alike."""

_FIELD = re.compile(
    rb'"([^"\\\x00-\x1f]{1,200})"(\s*:\s*)'
    rb"(?:(-?(?:\d[\d.eE+-]*|Infinity)|NaN)"
    rb'|("[^"\\,{}\x00-\x1f]*")'
    rb"|true|false|null)\s*(?:,\s*|\}$)"
)
"""One name and its value: a number, a text without commas, or what is no quantity."""

_PROSE = re.compile(rb"[:/_ ]|[A-Za-z]{4}")
"""What stands in no spelling of a number, apart from those that `number` has just read."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the lines of one shape have in common.

    Attributes:
        names: Of the columns, in order.
        tokens: The bytes of each name with its quotes and colon, as they stand in the lines.
        numeric: Indices of the columns that hold numbers.
        texts: Indices of the columns that hold text.
        spelled: Those of them that may hold numbers as text.
    """

    names: tuple[str, ...]
    tokens: tuple[bytes, ...]
    numeric: tuple[int, ...]
    texts: tuple[int, ...]
    spelled: frozenset[int]


@dataclass(frozen=True, slots=True)
class Table:
    """The lines of one shape.

    Attributes:
        shape: Their shape.
        numbers: One row a line, one column a numeric name.
        texts: Cells of the text columns that are of use, by index of the column.
    """

    shape: Shape
    numbers: Floats
    texts: dict[int, list[str]]

    def add_to(self, cells: Cells, rows: Ints) -> None:
        """Add the table as the given rows of a frame."""
        for at, index in enumerate(self.shape.numeric):
            cells.add_column(self.shape.names[index], Column(rows, self.numbers[:, at]))
        for index, texts in self.texts.items():
            name = self.shape.names[index]
            values = [number(text) for text in texts]
            spelled = np.array([value is not None for value in values], bool)
            if spelled.any():
                taken = np.array([value for value in values if value is not None], np.float64)
                cells.add_column(name, Column(rows[spelled], taken))
            pairs = zip(rows.tolist(), texts, values, strict=True)
            cells.add_texts(name, [(row, text) for row, text, v in pairs if v is None and text])


def grouped(lines: list[bytes]) -> list[list[int]]:
    """Return the indices of the lines, those of one shape together."""
    shapes: dict[bytes, list[int]] = {}
    for index, line in enumerate(lines):
        shapes.setdefault(line.translate(None, _DIGITS), []).append(index)
    return list(shapes.values())


def parse_table(lines: list[bytes], wanted: frozenset[str]) -> Table | None:
    """Return lines that look alike as a table; None if a parser of JSON has to read them.

    Args:
        lines: Equal but for their digits.
        wanted: Names of the texts that are of use, as `plain` gives them.
    """
    shape = _shape(lines[0]) if len(lines) >= FEWEST else None
    if shape is None:
        return None
    body = b"\n".join(lines)
    for token in shape.tokens:
        body = body.replace(token, b"")
    body = body.translate(None, b"{}")
    # Names that differ in their digits alone look alike: then some of them are still there.
    if body.count(b'"') != 2 * len(lines) * len(shape.texts):
        return None
    try:
        numbers = np.loadtxt(
            io.BytesIO(body), delimiter=",", usecols=shape.numeric, ndmin=2, comments=None
        )
    except ValueError:
        return None
    if len(numbers) != len(lines):
        return None
    return Table(shape, numbers, _texts(body, shape, wanted))


def _shape(line: bytes) -> Shape | None:
    """The shape of a flat record without escapes, or None."""
    if not line.startswith(b"{"):
        return None
    names, tokens = list[str](), list[bytes]()
    numeric, texts, spelled = list[int](), list[int](), set[int]()
    at = 1
    while at < len(line):
        field = _FIELD.match(line, at)
        if field is None:
            return None
        if field[3] is not None:
            numeric.append(len(names))
        elif field[4] is not None:
            texts.append(len(names))
            if _may_be_number(field[4][1:-1]):
                spelled.add(len(names))
        names.append(clean_name(field[1].decode(errors="replace")))
        tokens.append(line[field.start() : field.end(2)])
        at = field.end()
    if not numeric or len(set(names)) < len(names):
        return None
    return Shape(tuple(names), tuple(tokens), tuple(numeric), tuple(texts), frozenset(spelled))


def _may_be_number(text: bytes) -> bool:
    """Whether a text that is this one but for its digits can be a number."""
    return number(text.decode(errors="replace")) is not None or not _PROSE.search(text)


def _texts(body: bytes, shape: Shape, wanted: frozenset[str]) -> dict[int, list[str]]:
    columns = [i for i in shape.texts if i in shape.spelled or plain(shape.names[i]) in wanted]
    if not columns:
        return {}
    cells = body.decode(errors="replace").replace("\n", ",").split(",")
    width = len(shape.names)
    return {i: [cell.strip()[1:-1] for cell in cells[i::width]] for i in columns}
