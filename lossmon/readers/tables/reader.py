"""Reader for tables of numbers as text: CSV and its relatives."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lossmon.readers.files.lines import decode
from lossmon.readers.records.columns import USEFUL_TEXTS, MetricColumns
from lossmon.readers.records.frame import RecordFrame
from lossmon.readers.records.long_form import LONG_FORM_TEXTS, LongForm
from lossmon.readers.records.reader import LineFault, MakeLayout, RecordReader
from lossmon.readers.tables.cells import parse_rows
from lossmon.readers.tables.detection import TableHeader, find_header


class TableParser:
    """Parses the rows of a table, which begins with its header.

    A header that comes again is left out; one with other names holds from there on.

    Args:
        texts: Names of the texts that are of use, as `plain` gives them.
    """

    def __init__(self, texts: frozenset[str] = USEFUL_TEXTS) -> None:
        self._texts = texts
        self._header: TableHeader | None = None
        self._comment: bytes | None = None

    def parse(self, lines: list[bytes]) -> tuple[RecordFrame, list[LineFault]]:
        """Return the rows of the next lines, and the lines that do not fit the header."""
        skipped = 0
        if self._header is None:
            skipped = self._skip_to_rows(lines)
            if self._header is None:
                return RecordFrame(), []
        frame, faults, header = parse_rows(lines[skipped:], self._header, self._texts)
        self._header = header
        return frame, [fault._replace(line=fault.line + skipped) for fault in faults]

    def _skip_to_rows(self, lines: list[bytes]) -> int:
        for index, line in enumerate(lines):
            # A tab at the end is the delimiter of a cell without a name, as its rows have it.
            text = decode(line).strip(" \r")
            if text.startswith("#"):
                self._comment = line
            elif text.strip():
                self._header = find_header(text, decode(self._comment or b""))
                return index + self._header.is_own_line
        return len(lines)

    def is_whole(self, line: str, quiet: bool) -> bool:
        """Whether an unfinished row has all its cells, and its writer is done."""
        return quiet and self._header is not None and self._header.fits(line)


def table(path: Path, source: str = "csv", layout: MakeLayout = MetricColumns) -> RecordReader:
    """Return a reader of a table."""
    return RecordReader(path, source, TableParser, layout)


def open_long_form(path: Path) -> RecordReader:
    """Return a reader of a table with one named value per row."""
    parser = partial(TableParser, LONG_FORM_TEXTS)
    return RecordReader(path, "csv", parser, lambda axis: LongForm(None, axis))
