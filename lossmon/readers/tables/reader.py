"""Tables of numbers as text: CSV and its relatives."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from lossmon.readers.files.lines import decode
from lossmon.readers.format import Format
from lossmon.readers.jsonl.reader import USEFUL_TEXTS
from lossmon.readers.records.axis import STEP_NAMES, plain
from lossmon.readers.records.columns import MetricColumns
from lossmon.readers.records.frame import Frame
from lossmon.readers.records.reader import Fault, MakeLayout, RecordReader
from lossmon.readers.records.sniff import (
    ADVANCING,
    are_metrics,
    is_known_other,
    names_metric,
    names_place,
    text_of,
)
from lossmon.readers.tables.cells import parse_rows
from lossmon.readers.tables.header import Header, find_header, is_header_of
from lossmon.readers.values import number

RANK = 50
"""Often rounded, and often by epoch."""


class TableParser:
    """Parses the rows of a table, which begins with its header.

    A header that comes again is left out; one with other names holds from there on.

    Args:
        texts: Names of the texts that are of use, as `plain` gives them.
    """

    def __init__(self, texts: frozenset[str] = USEFUL_TEXTS) -> None:
        self._texts = texts
        self._header: Header | None = None
        self._comment: bytes | None = None

    def parse(self, lines: list[bytes]) -> tuple[Frame, list[Fault]]:
        """Return the rows of the next lines, and the lines that do not fit the header."""
        skipped = 0
        if self._header is None:
            skipped = self._skip_to_rows(lines)
            if self._header is None:
                return Frame(), []
        frame, faults, header = parse_rows(lines[skipped:], self._header, self._texts)
        self._header = header
        return frame, [fault._replace(line=fault.line + skipped) for fault in faults]

    def _skip_to_rows(self, lines: list[bytes]) -> int:
        for index, line in enumerate(lines):
            text = decode(line).strip()
            if text.startswith("#"):
                self._comment = line
            elif text:
                self._header = find_header(text, decode(self._comment or b""))
                return index + self._header.is_own_line
        return len(lines)

    def is_whole(self, line: str, quiet: bool) -> bool:
        """Whether an unfinished row has all its cells, and its writer is done."""
        return quiet and self._header is not None and self._header.fits(line)


def table(path: Path, source: str = "csv", layout: MakeLayout = MetricColumns) -> RecordReader:
    """Return a reader of a table."""
    return RecordReader(path, source, TableParser, layout)


def header_names(head: bytes) -> list[str]:
    """Return the names in the header of a table that begins with these bytes; empty if none."""
    lines = text_of(head).splitlines()
    if not lines or not text_of(head).endswith(("\n", "\r")):
        lines = lines[:-1] or lines
    comment = ""
    for line in lines:
        if line.startswith("#"):
            comment = line
        elif line.strip():
            return list(find_header(line, comment).names)
    return []


def claims_table(path: Path, head: bytes) -> bool:
    """Whether a table holds metrics: by its header, and by its first row being numbers."""
    if is_known_other(path):
        return False
    lines = [line for line in text_of(head).splitlines() if line.strip() and line[0] != "#"]
    names = header_names(head)
    if len(names) < 2:
        return False
    if not are_metrics(names):
        return _advances(names, lines if text_of(head).endswith(("\n", "\r")) else lines[:-1])
    if len(lines) < 3:
        return any(map(names_place, names)) or sum(map(names_metric, names)) > 1
    return is_header_of(names, lines[0], lines[1])


def _advances(names: list[str], lines: list[str]) -> bool:
    """Whether a table of unknown names counts its steps: that is a log whatever it measures."""
    header = find_header(lines[0]) if lines else None
    if header is None or not header.delimiter or len(lines) <= ADVANCING:
        return False
    rows = [header.split(line) for line in lines[1:]]
    rows = [row for row in rows if len(row) == len(names)]
    if len(rows) < ADVANCING or not all(map(_is_numeric, rows)):
        return False
    for place, name in enumerate(names):
        if plain(name) in STEP_NAMES:
            steps = [number(row[place]) for row in rows]
            known = [step for step in steps if step is not None]
            if len(known) == len(steps) and all(a < b for a, b in pairwise(known)):
                return True
    return False


def claims_text_table(path: Path, head: bytes) -> bool:
    """The same for a file that may hold any text: every whole line must be a row of numbers."""
    text = text_of(head)
    lines = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
    if not text.endswith(("\n", "\r")):
        lines = lines[:-1]
    if len(lines) < 2 or not claims_table(path, head):
        return False
    header = find_header(lines[0])
    if not header.delimiter or any(sign in lines[0] for sign in ":={}[]"):
        return False
    rows = [header.split(line) for line in lines[1:]]
    return all(len(row) == len(header.names) and _is_numeric(row) for row in rows)


def _is_numeric(row: list[str]) -> bool:
    """Whether most cells of a row are numbers, or empty."""
    numbers = sum(not cell or number(cell) is not None for cell in row)
    return 2 * numbers > len(row)


FORMATS = (
    Format(
        source="csv",
        title="CSV table",
        names=("*.csv", "*.tsv"),
        claims=claims_table,
        open=table,
        rank=RANK,
    ),
    Format(
        source="csv",
        title="CSV table",
        names=("*.txt", "*.log", "*.dat", "*.out"),
        claims=claims_text_table,
        open=table,
        rank=RANK,
    ),
)
