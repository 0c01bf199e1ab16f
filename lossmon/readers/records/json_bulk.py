r"""JSON lines in bulk: lines of one shape are parsed as a table of numbers.

A log repeats a few shapes of record, thousands of times. Without its digits, every line of one
shape is the same bytes; so lines are grouped by what is left of them. Within a group each number
stands behind the same count of commas and colons: with every colon made a comma, the group is a
table for numpy's parser, whose columns of names are left out. That is much faster than a JSON
parser, which builds a dictionary a line.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from itertools import pairwise

import numpy as np

from lossmon.fast_dataclass import dataclass
from lossmon.readers.records.frame import DEPTH, FrameBuilder, FrameColumn
from lossmon.readers.records.names import clean_name, plain
from lossmon.readers.values import number
from lossmon.types import Floats, Ints

FEWEST = 24
"""Lines of one shape from which on the bulk parser is the faster one."""

_DIGITS = b"0123456789.+-eE"
"""What of a line is number; an `e` in a name goes too, in every line of the shape alike."""

_COLON_TO_COMMA = bytes.maketrans(b":", b",")

_TOKEN = re.compile(
    rb"\s*(?:(?P<open>\{)|(?P<close>\})|(?P<comma>,)"
    rb'|(?P<name>"[^"\\]{0,200}"\s*:)'
    rb'|(?P<text>"[^"\\]*")'
    rb"|(?P<number>-?\d[\d.eE+-]*|-?Infinity|NaN)"
    rb"|(?P<other>true|false|null))"
)
"""The parts of a record without lists and escapes."""

_PROSE = re.compile(rb"[:/_ ]|[A-Za-z]{4}")
"""What stands in no spelling of a number, apart from those that `number` has just read."""


@dataclass(slots=True)
class JsonShape:
    """What the lines of one shape have in common.

    Attributes:
        numbers: Names of the numbers, with the place of their cell.
        texts: Names of the texts, with the bytes that stand before each.
        spelled: Those of them that may be numbers as text.
        tokens: How often each name stands in a line, with its quotes and its colon.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    spelled: set[str] = field(default_factory=set)
    tokens: Counter[bytes] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class JsonTable:
    """The lines of one shape.

    Attributes:
        names: Of the columns.
        numbers: One row a line, one column a name.
        texts: Texts that are of use, by name, one a line.
        spelled: Names of those that may be numbers as text.
    """

    names: tuple[str, ...]
    numbers: Floats
    texts: dict[str, list[str]]
    spelled: frozenset[str]

    def add_to(self, cells: FrameBuilder, rows: Ints) -> None:
        """Add the table as the given rows of a frame."""
        for at, name in enumerate(self.names):
            cells.add_column(name, FrameColumn(rows, self.numbers[:, at]))
        for name, texts in self.texts.items():
            if name not in self.spelled:
                cells.add_texts(name, zip(rows.tolist(), texts, strict=True))
                continue
            values = [number(text) for text in texts]
            spelled = np.array([value is not None for value in values], bool)
            if spelled.any():
                taken = np.array([value for value in values if value is not None], np.float64)
                cells.add_column(name, FrameColumn(rows[spelled], taken))
            pairs = zip(rows.tolist(), texts, values, strict=True)
            cells.add_texts(name, [(row, text) for row, text, v in pairs if v is None and text])


def grouped(lines: list[bytes]) -> list[list[int]]:
    """Return the indices of the lines, those of one shape together."""
    if not lines:
        return []
    looks = b"\n".join(lines).translate(None, _DIGITS).split(b"\n")
    if looks.count(looks[0]) == len(looks):
        return [list(range(len(lines)))]
    shapes: dict[bytes, list[int]] = {}
    for index, look in enumerate(looks):
        shapes.setdefault(look, []).append(index)
    return list(shapes.values())


def parse_table(lines: list[bytes], wanted: frozenset[str]) -> JsonTable | None:
    """Return lines that look alike as a table; None if a parser of JSON has to read them.

    Args:
        lines: Equal but for their digits.
        wanted: Names of the texts that are of use, as `plain` gives them.
    """
    shape = _shape(lines[0]) if len(lines) >= FEWEST else None
    if shape is None:
        return None
    body = b"\n".join(lines)
    if not _have_names(lines, body, shape):
        return None
    try:
        numbers = np.loadtxt(
            io.BytesIO(body.translate(_COLON_TO_COMMA, b"{}")),
            delimiter=",",
            usecols=list(shape.numbers.values()),
            ndmin=2,
            comments=None,
        )
    except ValueError:
        return None
    if len(numbers) != len(lines):
        return None
    texts = dict(_texts(body, shape, wanted))
    if any(len(column) != len(lines) for column in texts.values()):
        return None
    return JsonTable(tuple(shape.numbers), numbers, texts, frozenset(shape.spelled))


def _have_names(lines: list[bytes], body: bytes, shape: JsonShape) -> bool:
    """Whether the names of the first line stand in all of them, in the same order.

    Names that differ in their digits alone look alike: `loss` and `loss2`.
    """
    if any(body.count(token) != n * len(lines) for token, n in shape.tokens.items()):
        return False
    twins: dict[bytes, list[bytes]] = {}
    for token in shape.tokens:
        twins.setdefault(token.translate(None, _DIGITS), []).append(token)
    for tokens in twins.values():
        if len(tokens) > 1 and any(shape.tokens[token] > 1 for token in tokens):
            return False
        for left, right in pairwise(tokens):
            if any(line.find(left) > line.find(right) for line in lines):
                return False
    return True


def _shape(line: bytes) -> JsonShape | None:
    """The shape of a record without lists and escapes, or None."""
    try:
        if not isinstance(json.loads(line), dict):
            return None
    except (ValueError, RecursionError):
        return None
    shape, path, at, cell = JsonShape(), list[str](), 0, 0
    name, token = "", b""
    while at < len(line):
        part = _TOKEN.match(line, at)
        if part is None:
            return None if line[at:].strip() else shape
        text, at = part[part.lastgroup or 0], part.end()
        match part.lastgroup:
            case "open":
                path.append(name + "/" if path else "")
            case "close":
                path.pop()
            case "name":
                key = clean_name(text[1:].rpartition(b'"')[0].decode(errors="replace"))
                name, token = path[-1] + key, text
                shape.tokens[token] += 1
            case "number":
                shape.numbers[name] = cell
            case "text":
                shape.texts[name] = token
                if _may_be_number(text[1:-1]):
                    shape.spelled.add(name)
        cell += text.count(b",") + text.count(b":")
        if len(path) > DEPTH:
            return None
    names = len(shape.numbers) + len(shape.texts)
    return shape if shape.numbers and names == len({*shape.numbers, *shape.texts}) else None


def _may_be_number(text: bytes) -> bool:
    """Whether a text that is this one but for its digits can be a number."""
    return number(text.decode(errors="replace")) is not None or not _PROSE.search(text)


def _texts(
    body: bytes, shape: JsonShape, wanted: frozenset[str]
) -> Iterator[tuple[str, list[str]]]:
    for name, token in shape.texts.items():
        if name in shape.spelled or plain(name) in wanted:
            found = re.findall(re.escape(token) + rb'\s*"([^"]*)"', body)
            # A line holds no line end, so that one decoding serves them all.
            yield name, b"\n".join(found).decode(errors="replace").split("\n")
