"""The header of a table: its names, and where another one begins."""

from __future__ import annotations

import csv
from collections import Counter

from lossmon.fast_dataclass import dataclass
from lossmon.readers.files.lines import decode
from lossmon.readers.records.names import clean_name
from lossmon.readers.records.sniff import are_metrics, names_place
from lossmon.readers.values import number

_DELIMITERS = ",\t;|"

_FEWEST = 2
"""Names of a header, and of those that two headers of one table share."""

_NAMED = 6
"""Names of a new header that a note quotes."""

_LONGEST_NAME = 60
"""Characters of each that it quotes."""


@dataclass(frozen=True, slots=True)
class TableHeader:
    """The first line of a table.

    Attributes:
        names: Of the columns; empty for one without a name.
        delimiter: One character, or empty where any blanks separate the cells.
        is_own_line: It is a line of its own and not a comment.
        line: It as it stands, without outer blanks.
    """

    names: tuple[str, ...]
    delimiter: str
    is_own_line: bool
    line: bytes

    def __str__(self) -> str:
        names = ", ".join(name[:_LONGEST_NAME] for name in self.names[:_NAMED])
        more = len(self.names) - _NAMED
        return f"{names} and {more} more" if more > 0 else names

    def split(self, line: str) -> list[str]:
        """Return the cells of a line, without outer blanks and quotes."""
        if not self.delimiter:
            return line.split()
        if '"' not in line:
            return [cell.strip() for cell in line.split(self.delimiter)]
        try:
            cells = next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=True), [])
        except csv.Error:
            return []
        return [cell.strip() for cell in cells]

    def fits(self, line: str) -> bool:
        """Whether a line has a cell for every name, and the last one is not empty."""
        cells = self.split(line)
        return len(cells) == len(self.names) and bool(cells[-1])


def find_header(line: str, comment: str = "") -> TableHeader:
    """Return the header that a table's first line makes.

    Args:
        line: The first line that is not a comment.
        comment: The comment before it, which is the header if the line holds numbers alone.
    """
    delimiter = max(_DELIMITERS, key=line.count)
    if not line.count(delimiter):
        delimiter = ""
    header = TableHeader((), delimiter, True, line.strip().encode())
    cells = header.split(line)
    if comment and all(number(cell) is not None for cell in cells):
        named = header.split(comment.lstrip("# "))
        if len(named) == len(cells):
            return TableHeader(_unique(named), delimiter, False, comment.strip().encode())
    return TableHeader(_unique(cells), delimiter, True, header.line)


def _unique(cells: list[str]) -> tuple[str, ...]:
    """Names of columns; one that comes again gets a number."""
    seen = Counter[str]()
    names = []
    for cell in cells:
        name = clean_name(cell)
        names.append(f"{name}.{seen[name]}" if name and seen[name] else name)
        seen[name] += 1
    return tuple(names)


def is_header_of(names: list[str], line: str, row: str) -> bool:
    """Whether a line can be the header of a table in which the row is the first one."""
    header = find_header(line)
    cells = header.split(row)
    if len(cells) != len(names) or any(number(name) is not None for name in names):
        return False
    return any(number(cell) is not None for cell in cells)


def next_header(lines: list[bytes], start: int, header: TableHeader) -> tuple[int, TableHeader]:
    """Where the next line with names stands, and the header from there on."""
    first = header.line[:1]
    for index in range(start, len(lines)):
        line = lines[index]
        if line[:1] == first and line.strip() == header.line:
            return index, header
        if line[:1].isalpha() or (line[:1] == b'"' and line[1:2].isalpha()):
            new = _other_header(line, header)
            if new is not None:
                return index, new
    return len(lines), header


def _other_header(line: bytes, header: TableHeader) -> TableHeader | None:
    """The header that a line between the rows is, or None if it is a row."""
    text = decode(line).strip()
    if header.delimiter and header.delimiter not in text:
        return None
    if any(number(cell) is not None for cell in header.split(text)):
        return None
    other = find_header(text)
    if other.delimiter != header.delimiter or len(other.names) < _FEWEST:
        return None
    shared = len(set(other.names) & set(header.names))
    if shared < _FEWEST or shared * 2 < len(other.names):
        # None of the old names is left: these must be names of metrics, not any words.
        return other if are_metrics(other.names) and any(map(names_place, other.names)) else None
    return other
